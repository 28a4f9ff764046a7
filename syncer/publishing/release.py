"""A commit becomes what visitors of a site see: from the mirror, or from the volume where that still has it."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from pages.api import SiteRules, StaticSite
from syncer.content import lfs, rule_files, symlinks, tree, walk
from syncer.content.rule_files import WithRules
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
from syncer.volume.records import Release, SiteKey, key_of
from syncer.volume.releases import Releases
from syncer.volume.writing import Changes

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
        release = wanted(site, source, tip)
        live = current.get(site.metadata.uid)
        if live and live.answers(release):
            return Published(live, changed=False)
        key = key_of(site)
        with self._recalling[key]:
            live = self._releases.current(key)
            if live and live.answers(release):  # by another thread
                return Published(live, changed=False)
            recalled = self._releases.recall(key, release, lambda: self._confirm(site))
        return Published(recalled, changed=True) if recalled else None

    def publish(self, site: StaticSite, source: Source, commit: str, objects: Objects) -> Published:
        """Make the commit live from the mirror. Raises a SyncError; the release that was live stays so."""
        key = key_of(site)
        current = self._releases.current(key)
        self._begin(site, commit)
        draft = _draft(site, source, commit, objects)
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
        return Published(self._releases.restate(key_of(site), draft), changed=False)

    def _read(self, site: StaticSite, draft: Release, objects: Objects) -> WithRules:
        """What is published of the folder, and its rules."""
        listing = tree.read(walk.listing(objects, draft.tree), self._limits)
        listing = symlinks.follow(listing, objects.contents, self._limits)
        listing = lfs.leave_out(listing, self._releases.blobs(key_of(site)), objects.contents)
        content = rule_files.compile_into(listing, site, objects.contents)
        if not content.listing.files and content.rules == SiteRules():
            raise NothingToPublish(_explain_emptiness(draft, content.listing))
        return content

    def _confirm(self, site: StaticSite) -> None:
        if not self._still_there(site):
            raise SiteDeleted("the site was deleted or changed while it was being synced; nothing of that is published")


def wanted(site: StaticSite, source: Source, commit: str) -> Release:
    """The release that the site should have, as far as that is known before a look at the commit."""
    return Release(
        *(site.metadata.uid, source.repo, source.branch, commit, site.spec.path.strip("/")),
        tree="",
        has_rules=bool(site.spec.redirects or site.spec.headers),
        rules_digest=rule_files.digest(site),
    )


def _draft(site: StaticSite, source: Source, commit: str, objects: Objects) -> Release:
    told = _read_commit(objects, commit, source)
    release = wanted(site, source, commit)
    found = _find_tree(objects, commit, release.path)
    return replace(release, tree=found, authored=told.authored, subject=told.subject)


def _read_commit(objects: Objects, commit: str, source: Source) -> commits.Told:
    content = objects.commit(commit)
    if content is None:  # anything has an id, and a tag may name anything
        what, check = (source.revision, "revision") if source.revision else (f"branch {source.branch}", "branch")
        raise RevisionNotFound(f"{what} is not a commit, nor a tag of one; check spec.{check}")
    return commits.read(content)


def _explain_emptiness(draft: Release, listing: Listing) -> str:
    left_out = tree.describe(listing.skipped)
    has = f"nothing but what is left out: {left_out}" if left_out else "no files"
    return f"folder /{draft.path} of commit {draft.commit[:12]} has {has}; push a page, or check spec.path"


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
