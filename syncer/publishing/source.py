"""One source, from its git server to the live sites: what a worker does when the schedule says so."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC

from pages.api import StaticSite
from syncer.egress.hosts import AllowedHosts
from syncer.errors import AuthFailed, GitFailed, StorageFailed, StorageFull, SyncError
from syncer.git.commands import Git
from syncer.git.heads import Heads, Tips
from syncer.git.mirrors import Mirror, Mirrors
from syncer.git.reading import Reading
from syncer.git.refusals import Refusals
from syncer.git.remote import Remote
from syncer.limits import SiteLimits
from syncer.publishing import credentials
from syncer.publishing.credentials import ReadSecret
from syncer.publishing.release import Begin, Outcome, Publishing, StillThere
from syncer.publishing.visitors import Visitors
from syncer.sources import Source, source_of
from syncer.volume.records import Release
from syncer.volume.releases import Releases

# Takes note of a site's outcome.
Report = Callable[[StaticSite, Outcome], None]
Groups = Mapping[Source, Sequence[StaticSite]]


@dataclass(frozen=True)
class _Work:
    """What there is to do for a source, which is at ``tip``."""

    mirror: Mirror
    tip: str | SyncError
    sites: Sequence[StaticSite]
    current: Mapping[str, Release]


class SourceSync:
    """Brings sources to the volume. Stateless but for the mirrors and the volume themselves."""

    def __init__(
        self,
        *,
        git: Git,
        mirrors: Mirrors,
        releases: Releases,
        hosts: AllowedHosts,
        read_secret: ReadSecret,
        limits: SiteLimits | None = None,
        begin: Begin = lambda _site, _commit: None,
    ) -> None:
        self._git = git
        self._mirrors = mirrors
        self._releases = releases
        self._hosts = hosts
        self._read_secret = read_secret
        self._visitors = Visitors(read_secret, releases)
        self._publishing = Publishing(releases, limits or SiteLimits(), begin)
        self._heads = Heads(git)
        self._refusals = Refusals()

    def ask_before_publishing(self, still_there: StillThere) -> None:
        """Look once more right before visitors see something new: a site may go or change meanwhile (F26)."""
        self._publishing.confirm_by(still_there)

    def run(self, source: Source, sites: Sequence[StaticSite], report: Report) -> list[Outcome]:
        """Sync all sites of the source; report each one's outcome as soon as it is known, and return them all."""
        return self.run_all({source: sites}, report)[source]

    def run_all(self, groups: Groups, report: Report) -> dict[Source, list[Outcome]]:
        """Sync all sites of sources that share a mirror: one question to the server, however many branches."""
        source, remote = next(iter(groups)), None
        outcomes: dict[Source, list[Outcome]] = {each: [] for each in groups}
        try:
            current = self._current([site for sites in groups.values() for site in sites])
            groups = self._open(groups, report, outcomes)
            groups = self._without_git(groups, current, report, outcomes)
            if not groups:
                return outcomes
            self._hosts.check(source.repo)
            credential = credentials.read(self._read_secret, source.secret) if source.secret else None
            remote = Remote(source.repo, credential)
            self._refusals.check(remote)
            with self._mirrors.open(source, remote) as mirror:
                tips = self._tips(remote, groups)
                for each, sites in groups.items():
                    work = _Work(mirror.at(each), tips[each.wants], sites, current)
                    outcomes[each] += self._sync_source(work, report)
        except (SyncError, OSError) as error:
            for each, sites in groups.items():
                outcomes[each] += self._fail(sites, error, remote, report)
        return outcomes

    def recall(self, site: StaticSite, report: Report) -> None:
        """Make the commit live that the site is pinned to, if it is still on the volume: git is not asked."""
        source = source_of(site)
        with suppress(SyncError):  # what is wrong is told by ``run_all``
            if source.commit and (outcome := self._publishing.from_volume(site, source, source.commit, {})):
                report(site, outcome)

    def _open(self, groups: Groups, report: Report, outcomes: dict[Source, list[Outcome]]) -> Groups:
        """The sites that visitors may enter. What became of the others, for want of passwords, is an outcome."""
        entered: dict[Source, list[StaticSite]] = {source: [] for source in groups}
        for source, sites in groups.items():
            for site in sites:
                try:
                    self._visitors.follow(site)
                except SyncError as error:
                    report(site, error)
                    outcomes[source].append(error)
                else:
                    entered[source].append(site)
        return entered

    def rest(self) -> None:
        """Close connections that are idle."""
        self._git.server.rest()

    def _current(self, sites: Iterable[StaticSite]) -> dict[str, Release]:
        """The live releases that are sound, by their site's uid.

        A site created anew under an old name never shows the old content, not even while git is down (N3).
        """
        found = {}
        for site in sites:
            sound = self._releases.current(site.site_key)
            seen = sound or self._releases.live(site.site_key)
            if seen and seen.origin.uid != site.metadata.uid:
                self._releases.take_offline(site.site_key)
            elif sound:
                found[sound.origin.uid] = sound
        return found

    def _without_git(
        self, groups: Groups, current: Mapping[str, Release], report: Report, outcomes: dict[Source, list[Outcome]]
    ) -> Groups:
        """What is left to do once the sites are live that are pinned to a commit which is still on the volume."""
        left: dict[Source, Sequence[StaticSite]] = {}
        for source, sites in groups.items():
            rest = sites
            if source.commit:
                found, rest = self._all_from_volume(source, source.commit, sites, current, report)
                outcomes[source] += found
            if rest:
                left[source] = rest
        return left

    def _all_from_volume(
        self, source: Source, tip: str, sites: Iterable[StaticSite], current: Mapping[str, Release], report: Report
    ) -> tuple[list[Outcome], list[StaticSite]]:
        """The outcomes of those that are live as they should be, or can be so at once; and the others."""
        outcomes: list[Outcome] = []
        stale = []
        for site in sites:
            try:
                outcome: Outcome | None = self._publishing.from_volume(site, source, tip, current)
            except SyncError as error:
                outcome = error
            if outcome:
                outcomes.append(outcome)
                report(site, outcome)
            else:
                stale.append(site)
        return outcomes, stale

    def _tips(self, remote: Remote, sources: Iterable[Source]) -> Tips:
        """Where the sources are; what is a commit already needs no question."""
        wanted = [source.wants for source in sources if not source.commit]
        tips = dict(self._heads.of(remote, wanted)) if wanted else {}
        if wanted:
            self._refusals.forget(remote)
        return tips | {source.wants: source.commit for source in sources if source.commit}

    def _sync_source(self, work: _Work, report: Report) -> list[Outcome]:
        outcomes: list[Outcome] = []
        stale, source = list(work.sites), work.mirror.source
        if isinstance(work.tip, str) and not source.commit:
            outcomes, stale = self._all_from_volume(source, work.tip, stale, work.current, report)
        if stale:
            outcomes += self._publish_all(work, stale, report)
        return outcomes

    def _publish_all(self, work: _Work, sites: Sequence[StaticSite], report: Report) -> list[Outcome]:
        try:
            if isinstance(work.tip, SyncError):
                raise work.tip
            with self._mirrors.attempts.at_work(work.mirror.source.mirror_id):
                commit = work.mirror.update(work.tip)
                outcomes = self._sync_sites(sites, work.mirror, commit, report)
                work.mirror.tidy()
                return outcomes
        except (SyncError, OSError) as error:
            return self._fail(sites, error, work.mirror.remote, report)

    def _fail(
        self, sites: Sequence[StaticSite], error: SyncError | OSError, remote: Remote | None, report: Report
    ) -> list[Outcome]:
        if remote and isinstance(error, AuthFailed):
            self._refusals.note(remote, error)
        failure = _as_sync_error(error)
        for site in sites:
            report(site, failure)
        return [failure for _ in sites]

    def _sync_sites(self, sites: Sequence[StaticSite], mirror: Mirror, commit: str, report: Report) -> list[Outcome]:
        outcomes = []
        with Reading(self._git, mirror.folder) as reading:
            for site in sites:
                outcomes.append(self._outcome(site, mirror, commit, reading))
                report(site, outcomes[-1])
        return outcomes

    def _outcome(self, site: StaticSite, mirror: Mirror, commit: str, reading: Reading) -> Outcome:
        try:
            try:
                return self._publishing.publish(site, mirror.source, commit, reading.objects())
            except GitFailed:  # an object is missing or broken: the mirror is only a cache
                reading.close()
                return self._publishing.publish(site, mirror.source, mirror.rebuild(commit), reading.objects())
        except SyncError as error:
            reading.close()  # whatever is left of an answer
            error.commit = commit
            return error


def _as_sync_error(error: SyncError | OSError) -> SyncError:
    if isinstance(error, SyncError):
        return error
    kind = StorageFull if error.errno in {ENOSPC, EDQUOT} else StorageFailed
    return kind(f"the git cache cannot be written: {error.strerror}; the last release stays")
