"""Manifests in files instead of a Kubernetes API, for `pages serve` and tests.

The store does what the API server would: it gives objects a uid, a creationTimestamp and a generation, rejects
malformed ones (the last valid content of the file stays), and keeps the statuses.
"""

import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pages import manifests
from pages.api import ALLOW_LOCAL, Platform, StaticSite, StaticSiteStatus, VirtualHost
from pages.core import Secret
from pages.manifests import Manifest, Problem
from syncer.stores import Snapshot
from syncer.stores.state import RawObject, State
from syncer.wakeup import Wakeup

Key = tuple[str, str, str]  # kind, namespace, name


class DirectoryStore:
    """The objects of YAML files and folders. ``reload`` reads them; everything else answers from memory.

    The ``wakeup`` hears of changed rules, because the hooks route by them.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        state: State,
        default_platform: RawObject,
        *,
        allow_local: bool = False,
        sync_interval: str = "5m",
        wakeup: Wakeup | None = None,
    ) -> None:
        self._wakeup = wakeup or Wakeup()
        self._sync_interval = sync_interval
        self._paths = [path.resolve() for path in paths]
        self._state = state
        self._allow_local = allow_local
        self._default_platform = default_platform
        self._lock = threading.RLock()
        self._complete = False
        self._good: dict[str, dict[Key, RawObject]] = {}  # by file: its last valid content
        self._sites: dict[Key, RawObject] = {}
        for file, site in state.sites():
            self._good.setdefault(file, {})[_key(site)] = site
            self._sites[_key(site)] = site
        platform, self._virtual_hosts = state.answer()
        self._platform: RawObject = platform or default_platform

    def reload(self) -> list[Problem]:
        """Read the files again and return the problems in them."""
        contents = manifests.read(self._paths, allow_local=self._allow_local)
        with self._lock:
            self._complete = contents.complete
            self._take(contents.manifests, {str(problem.path) for problem in contents.problems})
            self._state.write_problems([str(problem) for problem in contents.problems])
        return contents.problems

    def platform(self) -> RawObject:
        """The Platform with its status from the hooks."""
        with self._lock:
            return self._platform

    def sites(self) -> list[RawObject]:
        """The StaticSites as the API server would return them."""
        with self._lock:
            return list(self._sites.values())

    def namespaces(self) -> list[RawObject]:
        """The Namespaces of the sites and the manifests."""
        with self._lock:
            written = {key[2]: each for key, each in self._objects("Namespace").items()}
            names = sorted(written.keys() | {key[1] for key in self._sites})
        return [_namespace(name, written.get(name, {})) for name in names]

    def virtual_hosts(self) -> list[RawObject]:
        """The VirtualHosts of the last answer of the hooks."""
        with self._lock:
            return self._virtual_hosts

    def write_answer(self, platform_status: RawObject, virtual_hosts: list[RawObject]) -> None:
        """Keep the answer of the hooks."""
        with self._lock:
            self._platform = {**self._platform, "status": platform_status}
            self._virtual_hosts = virtual_hosts
            self._state.write_answer(self._platform, virtual_hosts)

    def snapshot(self) -> Snapshot:
        """The objects at this moment."""
        with self._lock:
            context = {ALLOW_LOCAL: self._allow_local}
            return Snapshot(
                sites=[StaticSite.model_validate(site, context=context) for site in self._sites.values()],
                complete=self._complete,
                platform=Platform.model_validate(self._platform),
                virtual_hosts=[VirtualHost.model_validate(each) for each in self._virtual_hosts],
            )

    def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret in the manifests."""
        with self._lock:
            written = self._objects("Secret").get(("Secret", namespace, name))
        return Secret.model_validate(written) if written else None

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        """Keep the status."""
        key = (site.kind, site.metadata.namespace, site.metadata.name)
        with self._lock:
            stored = self._sites.get(key)
            if stored is None or stored["metadata"]["uid"] != site.metadata.uid:
                return
            written = status.dump()
            self._sites[key] = {**stored, "status": written}
            self._state.write_site(self._file_of(key), self._sites[key])
        if written.get("rules") != stored.get("status", {}).get("rules"):
            self._wakeup.change()  # the hooks route by them

    def _take(self, read: Sequence[Manifest], broken_files: set[str]) -> None:
        valid: dict[str, dict[Key, RawObject]] = {}
        for manifest in read:
            valid.setdefault(str(manifest.path), {})[_key(manifest.raw)] = manifest.raw
        kept = {file: good for file, good in self._good.items() if file in broken_files or not self._complete}
        self._good = {file: kept.get(file, {}) | valid.get(file, {}) for file in sorted(kept.keys() | valid.keys())}
        self._admit_sites()
        platforms = list(self._objects("Platform").values())
        self._platform = _admit(platforms[0] if platforms else self._default_platform, self._platform, _now())

    def _admit_sites(self) -> None:
        before, self._sites = self._sites, {}
        moment = _now()
        for key, site in self._objects("StaticSite").items():
            moment += timedelta(microseconds=1)  # the first in the file counts as the oldest, if two claim one domain
            spec = {"syncInterval": self._sync_interval} | site["spec"]
            self._sites[key] = _admit(site | {"spec": spec}, before.get(key), moment)
            if self._sites[key] != before.get(key):
                self._state.write_site(self._file_of(key), self._sites[key])
        for key in before.keys() - self._sites.keys():
            self._state.remove_site(before[key])

    def _objects(self, kind: str) -> dict[Key, RawObject]:
        """The objects of a kind; of two with the same name the first counts."""
        objects: dict[Key, RawObject] = {}
        for good in self._good.values():
            for key, each in good.items():
                if key[0] == kind:
                    objects.setdefault(key, each)
        return objects

    def _file_of(self, key: Key) -> str:
        return next((file for file, good in self._good.items() if key in good), "")


def _key(written: RawObject) -> Key:
    metadata = written["metadata"]
    return written["kind"], metadata.get("namespace", "default"), metadata["name"]


def _admit(written: RawObject, before: RawObject | None, moment: datetime) -> RawObject:
    """The object as the API server would store it: it keeps its identity, and counts the changes of its spec."""
    stored = before["metadata"] if before else {}
    changed = before is not None and before["spec"] != written["spec"]
    identity = {
        "namespace": written["metadata"].get("namespace", "default"),
        "uid": stored.get("uid") or str(uuid.uuid4()),
        "creationTimestamp": stored.get("creationTimestamp") or moment.isoformat().replace("+00:00", "Z"),
        "generation": stored.get("generation", 1) + changed,
    }
    status = {"status": before["status"]} if before and "status" in before else {}
    return {**written, "metadata": {**written["metadata"], **identity}, **status}


def _namespace(name: str, written: RawObject) -> RawObject:
    labels = written.get("metadata", {}).get("labels") or {}
    metadata = {"name": name, "labels": labels | {"kubernetes.io/metadata.name": name}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _now() -> datetime:
    return datetime.now(UTC)
