"""Manifests in files instead of a Kubernetes API: what `pages serve` and the tests stand on.

It does what the API server would: gives objects a uid, a creationTimestamp and a generation, refuses malformed ones
(what the same file said before stays), and keeps the statuses.
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
from syncer.stores.state import Object, State
from syncer.wakeup import Wakeup

Key = tuple[str, str, str]  # kind, namespace, name


class DirectoryStore:
    """The objects of some YAML files and folders: ``reload`` after an edit, everything else answers from memory.

    The ``wakeup`` hears of rules that have changed, for the hooks route by them.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        state: State,
        default_platform: Object,
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
        self._good: dict[str, dict[Key, Object]] = {}  # by file: what it says, or said when it last was whole
        self._sites: dict[Key, Object] = {}
        for file, site in state.sites():
            self._good.setdefault(file, {})[_key(site)] = site
            self._sites[_key(site)] = site
        platform, self._virtual_hosts = state.answer()
        self._platform: Object = platform or default_platform

    def reload(self) -> list[Problem]:
        """Read the files again and return what is wrong with them."""
        contents = manifests.read(self._paths, allow_local=self._allow_local)
        with self._lock:
            self._complete = contents.complete
            self._take(contents.manifests, {str(problem.path) for problem in contents.problems})
            self._state.write_problems([str(problem) for problem in contents.problems])
        return contents.problems

    def platform(self) -> Object:
        """The Platform, with the status that the hooks gave it."""
        with self._lock:
            return self._platform

    def sites(self) -> list[Object]:
        """The StaticSites as the API server would give them."""
        with self._lock:
            return list(self._sites.values())

    def namespaces(self) -> list[Object]:
        """The Namespaces that a site is in or a manifest describes."""
        with self._lock:
            written = {key[2]: each for key, each in self._objects("Namespace").items()}
            names = sorted(written.keys() | {key[1] for key in self._sites})
        return [_namespace(name, written.get(name, {})) for name in names]

    def virtual_hosts(self) -> list[Object]:
        """The VirtualHosts that the hooks answered last."""
        with self._lock:
            return self._virtual_hosts

    def write_answer(self, platform_status: Object, virtual_hosts: list[Object]) -> None:
        """Keep what the hooks answered."""
        with self._lock:
            self._platform = {**self._platform, "status": platform_status}
            self._virtual_hosts = virtual_hosts
            self._state.write_answer(self._platform, virtual_hosts)

    def snapshot(self) -> Snapshot:
        """What the syncer works on."""
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
            known = self._sites.get(key)
            if known is None or known["metadata"]["uid"] != site.metadata.uid:
                return
            said = status.dump()
            self._sites[key] = {**known, "status": said}
            self._state.write_site(self._file_of(key), self._sites[key])
        if said.get("rules") != known.get("status", {}).get("rules"):
            self._wakeup.change()  # the hooks route by them

    def _take(self, read: Sequence[Manifest], broken_files: set[str]) -> None:
        found: dict[str, dict[Key, Object]] = {}
        for manifest in read:
            found.setdefault(str(manifest.path), {})[_key(manifest.raw)] = manifest.raw
        kept = {file: good for file, good in self._good.items() if file in broken_files or not self._complete}
        self._good = {file: kept.get(file, {}) | found.get(file, {}) for file in sorted(kept.keys() | found.keys())}
        self._admit_sites()
        platforms = list(self._objects("Platform").values())
        self._platform = _admit(platforms[0] if platforms else self._default_platform, self._platform, _now())

    def _admit_sites(self) -> None:
        before, self._sites = self._sites, {}
        moment = _now()
        for key, site in self._objects("StaticSite").items():
            moment += timedelta(microseconds=1)  # the first in the file is the oldest, should two want one domain
            spec = {"syncInterval": self._sync_interval} | site["spec"]
            self._sites[key] = _admit(site | {"spec": spec}, before.get(key), moment)
            if self._sites[key] != before.get(key):
                self._state.write_site(self._file_of(key), self._sites[key])
        for key in before.keys() - self._sites.keys():
            self._state.remove_site(before[key])

    def _objects(self, kind: str) -> dict[Key, Object]:
        """The objects of a kind; of two with one name the first counts."""
        objects: dict[Key, Object] = {}
        for good in self._good.values():
            for key, each in good.items():
                if key[0] == kind:
                    objects.setdefault(key, each)
        return objects

    def _file_of(self, key: Key) -> str:
        return next((file for file, good in self._good.items() if key in good), "")


def _key(written: Object) -> Key:
    metadata = written["metadata"]
    return written["kind"], metadata.get("namespace", "default"), metadata["name"]


def _admit(written: Object, before: Object | None, moment: datetime) -> Object:
    """The object as the API server would store it: who it is stays, its generation counts the changes of its spec."""
    known = before["metadata"] if before else {}
    changed = before is not None and before["spec"] != written["spec"]
    identity = {
        "namespace": written["metadata"].get("namespace", "default"),
        "uid": known.get("uid") or str(uuid.uuid4()),
        "creationTimestamp": known.get("creationTimestamp") or moment.isoformat().replace("+00:00", "Z"),
        "generation": known.get("generation", 1) + changed,
    }
    status = {"status": before["status"]} if before and "status" in before else {}
    return {**written, "metadata": {**written["metadata"], **identity}, **status}


def _namespace(name: str, written: Object) -> Object:
    labels = written.get("metadata", {}).get("labels") or {}
    metadata = {"name": name, "labels": labels | {"kubernetes.io/metadata.name": name}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _now() -> datetime:
    return datetime.now(UTC)
