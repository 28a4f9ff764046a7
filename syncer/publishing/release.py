"""A commit becomes what visitors of a site see: from the mirror, or from the volume if the commit is still there."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pages.api import SiteKey, SiteRules, StaticSite
from syncer.content import lfs, rule_files, symlinks, tree, walk
from syncer.content.rule_files import WithRules
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
from syncer.volume.records import Release
from syncer.volume.releases import Releases

if TYPE_CHECKING:
    from syncer.volume.writing import Changes


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
        release = desired_release(site, source, tip)
        live = current.get(site.metadata.uid)
        if live and live.answers(release):
            return Published(live, changed=False)
        key = site.site_key
        with self._recalling[key]:
            live = self._releases.current(key)
            if live and live.answers(release):  # by another thread
                return Published(live, changed=False)
            recalled = self._releases.recall(key, release, partial(self._confirm, site))
        return Published(recalled, changed=True) if recalled else None

    def publish(self, site: StaticSite, source: Source, commit: str, objects: Objects) -> Published:
        """Make the commit live from the mirror. Raises a SyncError; the release that was live stays so."""
        key = site.site_key
        current = self._releases.current(key)
        self._recorder.sync_started(site, commit)
        draft = draft_release(site, source, commit, objects)
        if current and current.tree == draft.tree and current.has_rules_of(draft):
            return self._restate(site, replace(draft, has_rules=current.has_rules))
        content = self._read(site, draft, objects)
        draft = replace(draft, rules=content.rules.dump(), has_rules=content.has_rules)
        changes: list[Changes] = []
        confirm = partial(self._confirm, site)
        release = self._releases.publish(key, draft, content.listing, content.blobs, confirm, tell=changes.append)
        return Published(release, changed=True, changes=changes[0])

    def _restate(self, site: StaticSite, draft: Release) -> Published:
        self._confirm(site)
        return Published(self._releases.restate(site.site_key, draft), changed=False)

    def _read(self, site: StaticSite, draft: Release, objects: Objects) -> WithRules:
        """The files to publish from the folder, and the site's rules."""
        listing = tree.read(walk.listing(objects, draft.tree), self._limits)
        listing = symlinks.follow(listing, objects.contents, self._limits)
        listing = lfs.leave_out(listing, self._releases.blobs(site.site_key), objects.contents)
        content = rule_files.compile_into(listing, site, objects.contents)
        if not content.listing.files and content.rules == SiteRules():
            ignored = tree.describe(listing.skipped)
            has = f"only ignored files: {ignored}" if ignored else "no files"
            folder = f"folder /{draft.path} of commit {draft.commit[:12]}"
            raise NothingToPublish(f"{folder} has {has}; push a page, or check spec.path")
        return content

    def _confirm(self, site: StaticSite) -> None:
        if not self._sites.may_publish(site):
            raise SiteDeleted("the site was deleted or changed during the sync; nothing was published")


def desired_release(site: StaticSite, source: Source, commit: str) -> Release:
    """The release that the site should have, as far as that is clear before the commit is read."""
    return Release(
        *(site.metadata.uid, source.repo, source.branch, commit, site.spec.path.strip("/")),
        tree="",
        has_rules=bool(site.spec.redirects or site.spec.headers),
        rules_digest=rule_files.digest(site),
    )


def draft_release(site: StaticSite, source: Source, commit: str, objects: Objects) -> Release:
    """The desired release with what the commit says. Raises RevisionNotFound and what ``find_tree`` raises."""
    content = objects.commit(commit)
    if content is None:  # every object has an id, and a tag may name any object
        name, field = (source.revision, "revision") if source.revision else (f"branch {source.branch}", "branch")
        raise RevisionNotFound(f"{name} is neither a commit nor a tag of one; check spec.{field}")
    described = commits.read(content)
    release = desired_release(site, source, commit)
    tree_id = find_tree(objects, commit, release.path)
    return replace(release, tree=tree_id, authored=described.authored, subject=described.subject)


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
