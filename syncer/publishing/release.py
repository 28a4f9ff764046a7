"""A commit becomes what visitors of a site see: from the mirror, or from the volume where that still has it."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pages.api import SiteKey, SiteRules, StaticSite
from syncer.content import lfs, rules, symlinks, tree, walk
from syncer.content.tree import Listing
from syncer.errors import (
    GitFailed,
    NotADirectory,
    NothingToPublish,
    RevisionNotFound,
    SiteDeleted,
    SubpathNotFound,
    SyncError,
)
from syncer.git import commits
from syncer.git.object_reader import Objects
from syncer.limits import SiteLimits
from syncer.sources import Source
from syncer.volume.records import Origin, Release
from syncer.volume.releases import Releases
from syncer.volume.writing import Changes, Draft

# Takes note that a commit, which is not live yet, begins to be published.
Begin = Callable[[StaticSite, str], None]
# Whether the site is still there, and made of the same.
StillThere = Callable[[StaticSite], bool]


@dataclass(frozen=True)
class Published:
    """The site is live with this release; ``changed`` where visitors see something new, and which ``changes``."""

    release: Release
    changed: bool
    changes: Changes | None = None


Outcome = Published | SyncError


class Publishing:
    """Publishes. At most one thread may ``publish`` the same site at a time; any may ask ``from_volume``."""

    def __init__(self, releases: Releases, limits: SiteLimits, begin: Begin) -> None:
        self._releases = releases
        self._limits = limits
        self._begin = begin
        self._still_there: StillThere = lambda _site: True
        self._recalling: defaultdict[SiteKey, threading.Lock] = defaultdict(threading.Lock)

    def confirm_by(self, still_there: StillThere) -> None:
        """Ask once more right before visitors see something new: a site may go or change meanwhile (F26)."""
        self._still_there = still_there

    def from_volume(
        self, site: StaticSite, source: Source, tip: str, current: Mapping[str, Release]
    ) -> Published | None:
        """The site as it is live or can be at once, for its commit is on the volume; None where git has to be asked.

        ``current`` are the live releases that are sound, by their site's uid.
        """
        origin = desired_origin(site, source, tip)
        live = current.get(site.metadata.uid)
        if live and _is_of(live, origin):
            return Published(live, changed=False)
        key = site.site_key
        with self._recalling[key]:
            live = self._releases.current(key)
            if live and _is_of(live, origin):  # by another thread
                return Published(live, changed=False)
            recalled = self._releases.recall(key, origin, self._permit(site))
        return Published(recalled, changed=True) if recalled else None

    def publish(self, site: StaticSite, source: Source, commit: str, objects: Objects) -> Published:
        """Make the commit live from the mirror. Raises a SyncError; the release that was live stays so."""
        key = site.site_key
        current = self._releases.current(key)
        self._begin(site, commit)
        origin = _read_origin(site, source, commit, objects)
        oid = _find_tree(objects, commit, origin.path)
        same = current if current and current.content.tree == oid else None
        if same and same.content.rules is not None:
            return self._restate(site, origin, oid)
        listing, site_rules = self._read(key, origin, oid, objects)
        if same and same.content.files == len(listing.files):  # it is older than the rules, and has none
            return self._restate(site, origin, oid, site_rules.dump())
        draft = Draft(origin, oid, listing, site_rules.dump())
        release, changes = self._releases.publish(key, draft, objects.contents, self._permit(site))
        return Published(release, changed=True, changes=changes)

    def _restate(
        self, site: StaticSite, origin: Origin, oid: str, site_rules: dict[str, Any] | None = None
    ) -> Published:
        self._permit(site).check()
        return Published(self._releases.restate(site.site_key, origin, oid, site_rules), changed=False)

    def _read(self, key: SiteKey, origin: Origin, oid: str, objects: Objects) -> tuple[Listing, SiteRules]:
        """What is published of the folder, and its rules."""
        listing = tree.read(walk.entries(objects, oid), self._limits)
        listing = symlinks.follow(listing, objects.contents, self._limits)
        listing = lfs.leave_out(listing, self._releases.blobs(key), objects.contents)
        listing, site_rules = rules.take_out(listing, objects.contents)
        if not listing.files and site_rules == SiteRules():
            raise NothingToPublish(_explain_emptiness(origin, listing))
        return listing, site_rules

    def _permit(self, site: StaticSite) -> "_Permit":
        return _Permit(site, self._still_there)


@dataclass(frozen=True)
class _Permit:
    """Holds as long as the site is there and made of the same."""

    site: StaticSite
    still_there: StillThere

    def check(self) -> None:
        """Raise SiteDeleted where a release of the site must not go live."""
        if not self.still_there(self.site):
            raise SiteDeleted("the site was deleted or changed during the sync; nothing of that sync is published")


def desired_origin(site: StaticSite, source: Source, commit: str) -> Origin:
    """The origin that the site's release should have, as far as the commit need not be read."""
    return Origin(site.metadata.uid, source.repo, source.branch, commit, site.spec.path.strip("/"))


def _is_of(live: Release, origin: Origin) -> bool:
    return live.origin.matches(origin) and live.content.rules is not None


def _read_origin(site: StaticSite, source: Source, commit: str, objects: Objects) -> Origin:
    header = _read_commit(objects, commit, source)
    return replace(desired_origin(site, source, commit), authored=header.authored, subject=header.subject)


def _read_commit(objects: Objects, commit: str, source: Source) -> commits.CommitHeader:
    content = objects.commit(commit)
    if content is None:  # anything has an id, and a tag may name anything
        what, check = (source.revision, "revision") if source.revision else (f"branch {source.branch}", "branch")
        raise RevisionNotFound(f"{what} is not a commit, nor a tag of one; check spec.{check}")
    return commits.read(content)


def _explain_emptiness(origin: Origin, listing: Listing) -> str:
    left_out = tree.describe(listing.skipped)
    has = f"nothing but what is left out: {left_out}" if left_out else "no files"
    return f"folder /{origin.path} of commit {origin.commit[:12]} has {has}; push a page, or check spec.path"


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
