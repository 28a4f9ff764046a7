"""Syncs a source: from its git server to the live releases of its sites."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC

from pages.api import StaticSite
from syncer.egress.hosts import AllowedHosts
from syncer.errors import AuthFailed, GitFailed, StorageFailed, StorageFull, SyncError
from syncer.git.heads import Heads, Tips
from syncer.git.mirrors import Mirror
from syncer.git.reading import Reading
from syncer.git.refusals import Refusals
from syncer.git.remote import Remote
from syncer.outcome import Outcome
from syncer.publishing import credentials
from syncer.publishing.credentials import Secrets
from syncer.publishing.release import Publishing
from syncer.publishing.visitors import Visitors
from syncer.publishing.workspace import Workspace
from syncer.sources import Source, source_of
from syncer.volume.records import Release

Groups = Mapping[Source, Sequence[StaticSite]]
Outcomes = Generator[tuple[StaticSite, Outcome]]


@dataclass(frozen=True)
class _Work:
    """The sites of a source, which is at ``tip``, and their live releases."""

    mirror: Mirror
    tip: str | SyncError
    sites: Sequence[StaticSite]
    current: Mapping[str, Release]


class SourceSync:
    """Brings sources to the volume. It remembers only which credentials were rejected."""

    def __init__(self, workspace: Workspace, hosts: AllowedHosts, secrets: Secrets, publishing: Publishing) -> None:
        self._git = workspace.git
        self._mirrors = workspace.mirrors
        self._releases = workspace.releases
        self._hosts = hosts
        self._secrets = secrets
        self._publishing = publishing
        self._visitors = Visitors(secrets, workspace.releases)
        self._heads = Heads(workspace.git)
        self._refusals = Refusals()

    def prepare(self) -> dict[str, int]:
        """Make the volume ready, and return how often the syncer died over each mirror.

        Raises StorageFailed and StorageFull if the volume cannot be used at all.
        """
        self._releases.prepare()
        return self._mirrors.attempts.read()

    def run_all(self, groups: Groups) -> Outcomes:
        """Sync all sites of sources that share a mirror, and yield each site's outcome as soon as there is one.

        The server is asked once, however many branches the sources name.
        """
        source, remote = next(iter(groups)), None
        try:
            current = self._current([site for sites in groups.values() for site in sites])
            groups = yield from self._admit(groups)
            groups = yield from self._recall_pinned(groups, current)
            if not groups:
                return
            self._hosts.check(source.repo)
            credential = credentials.read(self._secrets, source.secret) if source.secret else None
            remote = Remote(source.repo, credential)
            self._refusals.check(remote)
            with self._mirrors.open(source, remote) as mirror:
                tips = self._tips(remote, groups)
                for each, sites in groups.items():
                    yield from self._sync_source(_Work(mirror.at(each), tips[each.wants], sites, current))
        except (SyncError, OSError) as error:
            for sites in groups.values():
                yield from self._fail(sites, error, remote)

    def recall(self, site: StaticSite) -> Outcome | None:
        """Make the commit live that the site is pinned to, if it is still on the volume: git is not asked."""
        source = source_of(site)
        with suppress(SyncError):  # ``run_all`` reports what is wrong
            return self._publishing.from_volume(site, source, source.commit, {}) if source.commit else None
        return None

    def _admit(self, groups: Groups) -> Generator[tuple[StaticSite, Outcome], None, Groups]:
        """Write who may visit the sites, and return those for which that went well."""
        admitted: dict[Source, list[StaticSite]] = {}
        for source, sites in groups.items():
            for site in sites:
                try:
                    self._visitors.follow(site)
                except SyncError as error:
                    yield site, error
                else:
                    admitted.setdefault(source, []).append(site)
        return admitted

    def _current(self, sites: Iterable[StaticSite]) -> dict[str, Release]:
        """The sound live releases, by their site's uid.

        A site that was deleted and created again never shows the old content, even while git is down (N3).
        """
        current = {}
        for site in sites:
            sound = self._releases.current(site.site_key)
            live = sound or self._releases.origin(site.site_key)
            if live and live.uid != site.metadata.uid:
                self._releases.take_offline(site.site_key)
            elif sound:
                current[sound.uid] = sound
        return current

    def _recall_pinned(
        self, groups: Groups, current: Mapping[str, Release]
    ) -> Generator[tuple[StaticSite, Outcome], None, Groups]:
        """Publish what is pinned to a commit that is still on the volume, and return what git has to be asked for."""
        remaining: dict[Source, Sequence[StaticSite]] = {}
        for source, sites in groups.items():
            stale = sites
            if source.commit:
                stale = yield from self._recall_all(source, source.commit, sites, current)
            if stale:
                remaining[source] = stale
        return remaining

    def _recall_all(
        self, source: Source, tip: str, sites: Iterable[StaticSite], current: Mapping[str, Release]
    ) -> Generator[tuple[StaticSite, Outcome], None, list[StaticSite]]:
        """Publish what is on the volume at this tip, or is live already, and return the other sites."""
        stale = []
        for site in sites:
            try:
                outcome: Outcome | None = self._publishing.from_volume(site, source, tip, current)
            except SyncError as error:
                outcome = error
            if outcome:
                yield site, outcome
            else:
                stale.append(site)
        return stale

    def _tips(self, remote: Remote, sources: Iterable[Source]) -> Tips:
        """The commit of each source; the server is not asked for what is pinned to a commit."""
        refs = [source.wants for source in sources if not source.commit]
        tips = dict(self._heads.of(remote, refs)) if refs else {}
        if refs:
            self._refusals.forget(remote)
        return tips | {source.wants: source.commit for source in sources if source.commit}

    def _sync_source(self, work: _Work) -> Outcomes:
        stale, source = list(work.sites), work.mirror.source
        if isinstance(work.tip, str) and not source.commit:
            stale = yield from self._recall_all(source, work.tip, stale, work.current)
        if not stale:
            return
        try:
            if isinstance(work.tip, SyncError):
                raise work.tip
            with self._mirrors.attempts.at_work(source.mirror_id):
                commit = work.mirror.update(work.tip)
                with Reading(self._git, work.mirror.folder) as reading:
                    for site in stale:
                        yield site, self._outcome(site, work.mirror, commit, reading)
                work.mirror.tidy()
        except (SyncError, OSError) as error:
            yield from self._fail(stale, error, work.mirror.remote)

    def _fail(self, sites: Iterable[StaticSite], error: SyncError | OSError, remote: Remote | None) -> Outcomes:
        if remote and isinstance(error, AuthFailed):
            self._refusals.note(remote, error)
        failure = _as_sync_error(error)
        for site in sites:
            yield site, failure

    def _outcome(self, site: StaticSite, mirror: Mirror, commit: str, reading: Reading) -> Outcome:
        try:
            try:
                return self._publishing.publish(site, mirror.source, commit, reading.objects())
            except GitFailed:  # an object is missing or broken: the mirror is only a cache
                reading.close()
                return self._publishing.publish(site, mirror.source, mirror.rebuild(commit), reading.objects())
        except SyncError as error:
            reading.close()  # part of an answer may be left
            error.commit = commit
            return error


def _as_sync_error(error: SyncError | OSError) -> SyncError:
    if isinstance(error, SyncError):
        return error
    kind = StorageFull if error.errno in {ENOSPC, EDQUOT} else StorageFailed
    return kind(f"the git cache cannot be written: {error.strerror}; check its disk (the last release stays live)")
