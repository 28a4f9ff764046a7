"""The release history of a site: the releases on the volume, and earlier ones that its status remembers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pages.api import ReleaseStatus, StaticSite
from syncer.errors import SyncError
from syncer.sources import source_of
from syncer.volume.records import Release
from syncer.volume.releases import Releases

MOST = 10


def is_of_another_spec(site: StaticSite) -> bool:
    """Whether the status is about an earlier generation of the site."""
    return site.status is not None and site.status.observed_generation != site.metadata.generation


def read(releases: Releases, site: StaticSite, commit: str | None = None) -> list[ReleaseStatus]:
    """The current history of a site with its status from before; ``commit`` is the live one, if that is clear.

    Records are read only if the names on the volume show a change, because most calls find nothing new.
    """
    before = site.status.releases if site.status else []
    key = site.site_key
    try:
        stamps, live = releases.stamps(key)
        available = {_stamp(each): each.live for each in before if each.available}
        unchanged = available == {each: each == live for each in stamps}
        if (
            unchanged
            and not is_of_another_spec(site)
            and commit in {None, *(each.commit for each in before if each.live)}
        ):
            return before
        return merge(before, releases.history(key), live, site)
    except SyncError:  # the volume cannot be read, which the sync reports
        return before


def merge(
    before: Sequence[ReleaseStatus], releases: Sequence[Release], live: int | None, site: StaticSite
) -> list[ReleaseStatus]:
    """The newest releases and the live one, newest first; ``live`` is the stamp of the live one."""
    origin = (site.metadata.uid, source_of(site).repo, site.spec.path.strip("/"))
    on_volume = {
        release.stamp: ReleaseStatus(
            commit=release.commit,
            author_date=None if release.authored is None else datetime.fromtimestamp(release.authored, UTC),
            subject=release.subject,
            time=datetime.fromtimestamp(release.stamp, UTC),
            files=release.files,
            bytes=release.size,
            live=release.stamp == live,
            available=(release.uid, release.repo, release.path) == origin,
        )
        for release in releases
        if release.uid == site.metadata.uid
    }
    gone = {_stamp(each): each.model_copy(update={"live": False, "available": False}) for each in before}
    ordered = [each for _, each in sorted((gone | on_volume).items(), reverse=True)]
    kept = ordered[:MOST]
    late = [each for each in ordered[MOST:] if each.live]
    return [*kept[: MOST - len(late)], *late]


def _stamp(release: ReleaseStatus) -> int:
    return int(release.time.timestamp())
