"""One source, from its git server to the live sites: what a worker does when the schedule says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC

from pages.api import StaticSite
from syncer import credentials, lfs, links, tree
from syncer.credentials import ReadSecret
from syncer.errors import (
    GitFailed,
    NotADirectory,
    StorageFailed,
    StorageFull,
    SubpathNotFound,
    SyncError,
)
from syncer.git import Git, Objects, Remote
from syncer.hosts import AllowedHosts
from syncer.limits import SiteLimits
from syncer.mirrors import Mirror, Mirrors
from syncer.records import Release, SiteKey
from syncer.releases import Releases
from syncer.sources import Source

# Takes note of a site's outcome.
Report = Callable[[StaticSite, "Outcome"], None]
# Takes note that a commit, which is not live yet, begins to be published.
Begin = Callable[[StaticSite, str], None]


@dataclass(frozen=True)
class Published:
    """The site is live with this release; ``changed`` where visitors see something new."""

    release: Release
    changed: bool


Outcome = Published | SyncError


def key_of(site: StaticSite) -> SiteKey:
    """The site's place on the volume."""
    return SiteKey(site.metadata.namespace, site.metadata.name)


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
        self._limits = limits or SiteLimits()
        self._begin = begin

    def run(self, source: Source, sites: Sequence[StaticSite], report: Report) -> list[Outcome]:
        """Sync all sites of the source; report each one's outcome as soon as it is known, and return them all."""
        try:
            self._take_predecessors_offline(sites)
            self._hosts.check(source.repo)
            credential = credentials.read(self._read_secret, source.secret) if source.secret else None
            remote = Remote(source.repo, credential)
            with self._mirrors.open(source, remote) as mirror:
                commit = mirror.update()
                outcomes = [self._sync_site(site, mirror, commit, report) for site in sites]
                mirror.tidy()
                return outcomes
        except SyncError as error:
            return _report_all(sites, error, report)
        except OSError as error:
            kind = StorageFull if error.errno in {ENOSPC, EDQUOT} else StorageFailed
            failure = kind(f"the git cache cannot be written: {error.strerror}; the last release stays")
            return _report_all(sites, failure, report)

    def _sync_site(self, site: StaticSite, mirror: Mirror, commit: str, report: Report) -> Outcome:
        outcome = self._outcome(site, mirror, commit)
        report(site, outcome)
        return outcome

    def _take_predecessors_offline(self, sites: Sequence[StaticSite]) -> None:
        """A site created anew under an old name never shows the old content, not even while git is down (N3)."""
        for site in sites:
            current = self._releases.origin(key_of(site))
            if current and current.uid != site.metadata.uid:
                self._releases.take_offline(key_of(site))

    def _outcome(self, site: StaticSite, mirror: Mirror, commit: str) -> Outcome:
        try:
            try:
                return self._publish(site, mirror, commit)
            except GitFailed:  # an object is missing or broken: the mirror is only a cache
                return self._publish(site, mirror, mirror.rebuild())
        except SyncError as error:
            error.commit = commit
            return error

    def _publish(self, site: StaticSite, mirror: Mirror, commit: str) -> Published:
        key, path = key_of(site), site.spec.path.strip("/")
        origin = (site.metadata.uid, mirror.source.repo, mirror.source.branch, commit, path)
        current = self._releases.current(key)
        if current and (current.uid, current.repo, current.branch, current.commit, current.path) == origin:
            return Published(current, changed=False)
        self._begin(site, commit)
        with self._git.objects(mirror.folder) as objects:
            draft = Release(*origin, tree=_find_tree(objects, commit, path))
            if current and current.tree == draft.tree:
                return Published(self._releases.restate(key, draft), changed=False)
            with self._git.tree(mirror.folder, draft.tree) as output:
                listing = tree.read(output, self._limits)
            listing = links.follow(listing, objects.contents, self._limits)
            listing = lfs.leave_out(listing, self._releases.blobs(key), objects.contents)
            return Published(self._releases.publish(key, draft, listing, objects.contents), changed=True)


def _report_all(sites: Sequence[StaticSite], error: SyncError, report: Report) -> list[Outcome]:
    for site in sites:
        report(site, error)
    return [error for _ in sites]


def _find_tree(objects: Objects, commit: str, path: str) -> str:
    found = objects.find(f"{commit}:{path}")
    if found is None:
        if objects.find(commit) is None:
            raise GitFailed(f"the mirror lacks commit {commit}; it is fetched anew")
        raise SubpathNotFound(
            f"commit {commit[:12]} has no folder /{path}; check spec.path, or push the folder "
            "(what is in a submodule is not fetched)"
        )
    oid, kind = found
    if kind != "tree":
        raise NotADirectory(f"/{path} is not a folder in commit {commit[:12]}; spec.path must name a folder")
    return oid
