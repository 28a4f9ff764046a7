"""A site's release history: what is on the volume, and of what is not any more, what its status remembers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pages.api import ReleaseStatus, StaticSite
from syncer.errors import SyncError
from syncer.sources import source_of
from syncer.volume.records import Release
from syncer.volume.releases import Releases

MOST = 10


def is_of_another_spec(site: StaticSite) -> bool:
    """Whether the status speaks of the site as it was before it was changed."""
    return site.status is not None and site.status.observed_generation != site.metadata.generation


def read(releases: Releases, site: StaticSite, commit: str | None = None) -> list[ReleaseStatus]:
    """The site's history as it is now; its status is what it was before, ``commit`` is live, if that is known.

    Records are read only where the names on the volume say that something has changed: most looks find nothing new.
    """
    before = site.status.releases if site.status else []
    key = site.site_key
    try:
        stamps, live = releases.stamps(key)
        known = {_stamp(each): each.live for each in before if each.available}
        as_it_was = known == {each: each == live for each in stamps}
        if (
            as_it_was
            and not is_of_another_spec(site)
            and commit in {None, *(each.commit for each in before if each.live)}
        ):
            return before
        return merge(before, releases.history(key), live, site)
    except SyncError:  # the volume cannot be read, which is said elsewhere
        return before


def merge(
    before: Sequence[ReleaseStatus], found: Sequence[Release], live: int | None, site: StaticSite
) -> list[ReleaseStatus]:
    """The newest releases, newest first, and whatever is live; ``live`` is the stamp of that."""
    origin = (site.metadata.uid, source_of(site).repo, site.spec.path.strip("/"))
    on_volume = {
        release.stamp: ReleaseStatus(
            commit=release.origin.commit,
            author_date=None
            if release.origin.authored is None
            else datetime.fromtimestamp(release.origin.authored, UTC),
            subject=release.origin.subject,
            time=datetime.fromtimestamp(release.stamp, UTC),
            files=release.content.files,
            bytes=release.content.size,
            live=release.stamp == live,
            available=(release.origin.uid, release.origin.repo, release.origin.path) == origin,
        )
        for release in found
        if release.origin.uid == site.metadata.uid
    }
    gone = {_stamp(each): each.model_copy(update={"live": False, "available": False}) for each in before}
    ordered = [each for _, each in sorted((gone | on_volume).items(), reverse=True)]
    kept = ordered[:MOST]
    late = [each for each in ordered[MOST:] if each.live]
    return [*kept[: MOST - len(late)], *late]


def _stamp(release: ReleaseStatus) -> int:
    return int(release.time.timestamp())
