"""A `pages serve` as a backend: its state directory, and for a sync its API on this machine."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import requests

from cli.backends import LogSelection, SyncResult, key, manifest_edit
from cli.backends.visit import visit
from cli.diagnosis import serving
from cli.diagnosis.facts import Facts, Lookup, Object, moment, status
from cli.diagnosis.verdicts import Verdict
from cli.exits import CannotAsk, Failed
from pages import names
from syncer.stores.site_log import Line, SiteLog
from syncer.stores.state import State

LOOPBACK = "127.0.0.1"
_SECONDS = 10
_POLL_SECONDS = 0.3


class Local:
    """Reads the state, whether or not `pages serve` is running."""

    default_namespace: str | None = None
    is_cluster = False

    def __init__(self, state: State) -> None:
        self._state = state
        self._site_log = SiteLog(state.folder / "log")
        self.where = f"the `pages serve` of {state.folder}"

    def sites(self, namespace: str | None) -> list[Object]:
        """The StaticSites of a namespace, or of all."""
        sites = [each for _, each in self._state.sites()]
        return [each for each in sites if namespace in {None, each["metadata"]["namespace"]}]

    def site(self, namespace: str, name: str) -> Object | None:
        """One StaticSite."""
        return next((each for each in self.sites(namespace) if each["metadata"]["name"] == name), None)

    def mistakes(self) -> list[str]:
        """The mistakes in the manifests."""
        return self._state.problems()

    def notes(self) -> list[str]:
        """Whether the state may be out of date."""
        return [] if self._state.is_served() else ["`pages serve` is not running: this is its last state."]

    def facts(self, site: Object) -> Facts:
        """What the hooks generated, and what is on the volume."""
        platform, hosts = self._state.answer()
        domain = (site["spec"].get("domain") or "").lower()
        if not domain and platform:
            domain = names.default_domain(site["metadata"]["name"], platform["spec"]["pagesDomain"])
        host = next((each for each in hosts if each["metadata"]["name"] == domain), None)
        live = self._state.volume / "live" / site["metadata"]["namespace"] / site["metadata"]["name"]
        return Facts(
            site,
            datetime.now(UTC),
            served=self._state.is_served(),
            platform=Lookup(platform),
            host=Lookup(host),
            has_index=(live / "index.html").is_file() if live.exists() else None,
        )

    def examine(self) -> list[Verdict]:
        """Check the process, the manifests and the nginx of `pages serve`."""
        sites = self.sites(None)
        url = next((url for site in sites if (url := status(site).get("url"))), None)
        response = visit(url, LOOPBACK) if url else None
        running = self.api_url() is not None
        return serving.examine(serving.Served(self.where, running, len(sites), self.mistakes(), response))

    def api_url(self) -> str | None:
        """The address of the API, while `pages serve` is running."""
        port = self._state.api_port()
        return f"http://{LOOPBACK}:{port}" if port else None

    def request_sync(self, site: Object) -> str:
        """Call the API."""
        url, token = self.api_url(), status(site).get("syncToken")
        if not url:
            raise CannotAsk(f"{self.where} is not running: start it, and it syncs all sites that are due")
        if not token:
            raise CannotAsk(f"{key(site)} has no syncToken yet: its first sync has not begun; try again in a moment")
        request = datetime.now(UTC).isoformat()
        try:
            response = requests.post(f"{url}/sync/{key(site)}", headers={"X-API-Key": token}, timeout=_SECONDS)
            response.raise_for_status()
        except requests.RequestException as error:
            raise CannotAsk(f"{self.where} does not accept the request: {error}") from None
        return request

    def sync_result(self, site: Object, request: str) -> SyncResult:
        """The end of the first sync that began after the request: an earlier one may have missed the latest push."""
        lines = self._site_log.lines(key(site))
        if ended := next((line for line in lines if line.get("began", "") >= request), None):
            return SyncResult(_outcome(ended), ended["event"] != "failed")
        if not self._state.is_served():
            raise CannotAsk(f"{self.where} stopped during the sync: start it again")
        return SyncResult("sync requested; waiting for git")

    def log(self, site: Object, selection: LogSelection) -> Iterator[str]:
        """The outcomes of the site's syncs."""
        lines = list(self._site_log.lines(key(site)))
        if selection.since:
            begin = datetime.now(UTC) - selection.since
            lines = [line for line in lines if (at := moment(line["time"])) and at >= begin]
        yield from map(_entry, selection.last(lines))
        shown = lines[-1]["time"] if lines else ""
        while selection.follow:
            time.sleep(_POLL_SECONDS)
            for line in self._site_log.lines(key(site)):
                if line["time"] > shown:
                    shown = line["time"]
                    yield _entry(line)

    def pin(self, site: Object, revision: str | None) -> str:
        """Edit the manifest: `pages serve` follows edits."""
        file = next((file for file, each in self._state.sites() if key(each) == key(site)), "")
        try:
            return manifest_edit.set_revision(Path(file), site, revision)
        except (OSError, ValueError) as error:
            edit = f"add the line `revision: {revision}`" if revision else "remove the line `revision:`"
            raise Failed(f"{file or 'its manifest'} cannot be changed ({error}): {edit} below spec yourself") from None


def _entry(line: Line) -> str:
    return f"{line['time'][:19]}Z {_outcome(line)}"


def _outcome(line: Line) -> str:
    reason = f"{line['reason']}: " if "reason" in line else ""
    return f"{line['event']:<9} {reason}{line['text']}"
