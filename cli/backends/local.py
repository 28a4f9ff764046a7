"""A `pages serve`, by its state directory; for what it is to do, by its API on this machine."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import requests

from cli.backends import LogWanted, SyncResult, key, manifest_edit
from cli.diagnosis.facts import Facts, Object, Seen, moment
from cli.exits import CannotAsk, Failed
from pages import names
from syncer.stores.site_log import Line, SiteLog
from syncer.stores.state import State

_SECONDS = 10
_LOOK_SECONDS = 0.3


class Local:
    """Reads the state whether or not `pages serve` runs."""

    default_namespace: str | None = None
    is_cluster = False

    def __init__(self, state: State) -> None:
        self._state = state
        self._site_log = SiteLog(state.folder / "log")
        self.where = f"the `pages serve` of {state.folder}"

    def sites(self, namespace: str | None) -> list[Object]:
        """The StaticSites of a namespace, or of all."""
        found = [each for _, each in self._state.sites()]
        return [each for each in found if namespace in {None, each["metadata"]["namespace"]}]

    def site(self, namespace: str, name: str) -> Object | None:
        """One StaticSite."""
        return next((each for each in self.sites(namespace) if each["metadata"]["name"] == name), None)

    def notes(self) -> list[str]:
        """Mistakes in manifests, and whether anybody keeps all this up to date."""
        stopped = [] if self._state.is_served() else ["`pages serve` is not running: this is how it left them."]
        return self._state.problems() + stopped

    def is_whole(self) -> bool:
        """Whether the manifests have no mistakes."""
        return not self._state.problems()

    def facts(self, site: Object) -> Facts:
        """What the hooks answered, and what is on the volume."""
        platform, hosts = self._state.answer()
        wanted = (site["spec"].get("domain") or "").lower()
        if not wanted and platform:
            wanted = names.default_domain(site["metadata"]["name"], platform["spec"]["pagesDomain"])
        host = next((each for each in hosts if each["metadata"]["name"] == wanted), None)
        live = self._state.volume / "live" / site["metadata"]["namespace"] / site["metadata"]["name"]
        return Facts(
            site,
            datetime.now(UTC),
            served=self._state.is_served(),
            platform=Seen(platform),
            host=Seen(host),
            has_index=(live / "index.html").is_file() if live.exists() else None,
        )

    def api(self) -> str | None:
        """Where the API is, while `pages serve` runs."""
        port = self._state.api_port()
        return f"http://127.0.0.1:{port}" if port else None

    def request_sync(self, site: Object) -> str:
        """Ask the API."""
        api, token = self.api(), (site.get("status") or {}).get("syncToken")
        if not api:
            raise CannotAsk(f"{self.where} is not running: start it, it syncs what is due at once")
        if not token:
            raise CannotAsk(f"{key(site)} has no syncToken yet: its first sync has not begun; try again")
        asked = datetime.now(UTC).isoformat()
        try:
            answer = requests.post(f"{api}/sync/{key(site)}", headers={"X-API-Key": token}, timeout=_SECONDS)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise CannotAsk(f"{self.where} does not take the request: {error}") from None
        return asked

    def sync_result(self, site: Object, request: str) -> SyncResult:
        """How the first sync ended that began after the request: one that went on then may not know what was pushed."""
        lines = self._site_log.lines(key(site))
        if ended := next((line for line in lines if line.get("began", "") >= request), None):
            return SyncResult(_in_words(ended), ended["event"] != "failed")
        if not self._state.is_served():
            raise CannotAsk(f"{self.where} has stopped meanwhile")
        return SyncResult("asked for; git is being asked")

    def log(self, site: Object, wanted: LogWanted) -> Iterator[str]:
        """The site's log."""
        lines = list(self._site_log.lines(key(site)))
        if wanted.since:
            begin = datetime.now(UTC) - wanted.since
            lines = [line for line in lines if (at := moment(line["time"])) and at >= begin]
        seen = lines[-1]["time"] if lines else ""
        yield from map(_told, lines if wanted.tail is None else lines[max(0, len(lines) - wanted.tail) :])
        while wanted.follow:
            time.sleep(_LOOK_SECONDS)
            for line in self._site_log.lines(key(site)):
                if line["time"] > seen:
                    seen = line["time"]
                    yield _told(line)

    def pin(self, site: Object, revision: str | None) -> str:
        """Edit the manifest: `pages serve` follows it."""
        file = next((file for file, each in self._state.sites() if key(each) == key(site)), "")
        try:
            return manifest_edit.set_revision(Path(file), site, revision)
        except (OSError, ValueError) as error:
            line = f"revision: {revision}" if revision else "no line `revision:`"
            raise Failed(
                f"{file or 'its manifest'} cannot be changed ({error}): let it say, below spec: {line}"
            ) from None


def _told(line: Line) -> str:
    return f"{line['time'][:19]}Z {_in_words(line)}"


def _in_words(line: Line) -> str:
    reason = f"{line['reason']}: " if "reason" in line else ""
    return f"{line['event']:<9} {reason}{line['text']}"
