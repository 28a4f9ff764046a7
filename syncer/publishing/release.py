"""A commit becomes what visitors of a site see: from the mirror, or from the volume if the commit is still there."""

import threading
from collections import defaultdict
from collections.abc import Mapping
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
)
from syncer.git import commits
from syncer.git.object_reader import Objects
from syncer.limits import SiteLimits
from syncer.outcome import Published
from syncer.recorder import Recorder
from syncer.sources import Source
from syncer.volume.records import Origin, Release
from syncer.volume.releases import Releases
from syncer.volume.writing import Draft


class CurrentSites:
    """The StaticSites as they are now; these never change. Inherit from it where they do."""

    def may_publish(self, site: StaticSite) -> bool:  # noqa: ARG002 - for those who know the sites
        """Whether the site still exists with the same source, and is not suspended."""
        return True


class Publishing:
    """Publishes. At most one thread may ``publish`` the same site at a time; any may ask ``from_volume``.

    Right before visitors see something new, the sites are asked once more: one may go or change meanwhile (F26).
    """

    def __init__(self, releases: Releases, limits: SiteLimits, sites: CurrentSites, recorder: Recorder) -> None:
        self._releases = releases
        self._limits = limits
        self._sites = sites
        self._recorder = recorder
        self._recalling: defaultdict[SiteKey, threading.Lock] = defaultdict(threading.Lock)

    def from_volume(
        self, site: StaticSite, source: Source, tip: str, current: Mapping[str, Release]
    ) -> Published | None:
        """Publish the tip if it is live already or still on the volume; None if git has to be asked.

        ``current`` are the sound live releases, by their site's uid.
        """
        origin = desired_origin(site, source, tip)
        live = current.get(site.metadata.uid)
        if live and is_up_to_date(live, origin):
            return Published(live, changed=False)
        key = site.site_key
        with self._recalling[key]:
            live = self._releases.current(key)
            if live and is_up_to_date(live, origin):  # by another thread
                return Published(live, changed=False)
            recalled = self._releases.recall(key, origin, _Permit(site, self._sites))
        return Published(recalled, changed=True) if recalled else None

    def publish(self, site: StaticSite, source: Source, commit: str, objects: Objects) -> Published:
        """Make the commit live from the mirror. Raises a SyncError; the release that was live stays so."""
        key = site.site_key
        current = self._releases.current(key)
        self._recorder.sync_started(site, commit)
        origin = read_origin(site, source, commit, objects)
        oid = find_tree(objects, commit, origin.path)
        same = current.content if current and current.content.tree == oid else None
        if same and same.rules is not None:
            return self._restate(site, origin, oid)
        listing, site_rules = self._read(key, origin, oid, objects)
        if same and same.files == len(listing.files):  # written before rules existed, and it has none
            return self._restate(site, origin, oid, site_rules.dump())
        draft = Draft(origin, oid, listing, site_rules.dump())
        release, changes = self._releases.publish(key, draft, objects.contents, _Permit(site, self._sites))
        return Published(release, changed=True, changes=changes)

    def _restate(
        self, site: StaticSite, origin: Origin, oid: str, site_rules: dict[str, Any] | None = None
    ) -> Published:
        _Permit(site, self._sites).check()
        return Published(self._releases.restate(site.site_key, origin, oid, site_rules), changed=False)

    def _read(self, key: SiteKey, origin: Origin, oid: str, objects: Objects) -> tuple[Listing, SiteRules]:
        """The files to publish from the folder, and the site's rules."""
        listing = tree.read(walk.entries(objects, oid), self._limits)
        listing = symlinks.follow(listing, objects.contents, self._limits)
        listing = lfs.leave_out(listing, self._releases.blobs(key), objects.contents)
        listing, site_rules = rules.take_out(listing, objects.contents)
        if not listing.files and site_rules == SiteRules():
            ignored = tree.describe(listing.skipped)
            content = f"only ignored files: {ignored}" if ignored else "no files"
            folder = f"folder /{origin.path} of commit {origin.commit[:12]}"
            raise NothingToPublish(f"{folder} has {content}; push a page, or check spec.path")
        return listing, site_rules


@dataclass(frozen=True)
class _Permit:
    """Holds as long as the site exists with the same source."""

    site: StaticSite
    sites: CurrentSites

    def check(self) -> None:
        """Raise SiteDeleted if a release of the site must not go live."""
        if not self.sites.may_publish(self.site):
            raise SiteDeleted("the site was deleted or changed during the sync; nothing was published")


def desired_origin(site: StaticSite, source: Source, commit: str) -> Origin:
    """The origin that the site's release should have, as far as that is clear before the commit is read."""
    return Origin(site.metadata.uid, source.repo, source.branch, commit, site.spec.path.strip("/"))


def is_up_to_date(live: Release, origin: Origin) -> bool:
    """Whether nothing needs to be written to have a release of this origin live."""
    return live.origin.matches(origin) and live.content.rules is not None


def read_origin(site: StaticSite, source: Source, commit: str, objects: Objects) -> Origin:
    """The desired origin with what the commit says. Raises RevisionNotFound."""
    content = objects.commit(commit)
    if content is None:  # every object has an id, and a tag may name any object
        name, field = (source.revision, "revision") if source.revision else (f"branch {source.branch}", "branch")
        raise RevisionNotFound(f"{name} is neither a commit nor a tag of one; check spec.{field}")
    described = commits.read(content)
    return replace(desired_origin(site, source, commit), authored=described.authored, subject=described.subject)


def find_tree(objects: Objects, commit: str, path: str) -> str:
    """The id of the folder's tree. Raises SubpathNotFound, NotADirectory, and GitFailed if the mirror is broken."""
    entry = objects.find(f"{commit}:{path}")
    if entry is None:
        if objects.find(commit) is None:
            raise GitFailed(f"the mirror lacks commit {commit}; it is fetched again")
        raise SubpathNotFound(
            f"commit {commit[:12]} has no folder /{path}; check spec.path, or push the folder "
            "(the content of submodules is not fetched)"
        )
    oid, kind = entry
    if kind != "tree":
        raise NotADirectory(f"/{path} is not a folder in commit {commit[:12]}; spec.path must name a folder")
    return oid
