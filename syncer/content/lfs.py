"""Git LFS pointers: small texts that stand in a repository for a content which is elsewhere (C3).

We do not fetch from there, and a visitor has no use for the text: they are left out and counted.
"""

from collections.abc import Collection
from dataclasses import replace

from syncer.content.tree import Listing, ReadBlobs

_BEGINNING = b"version https://git-lfs.github.com/spec/v1"
_MAX_BYTES = 1024  # by the specification


def leave_out(listing: Listing, published: Collection[str], blobs: ReadBlobs) -> Listing:
    """The listing without pointers. ``published``: blobs that are live, and so are known to be something else."""
    small = {file.oid for file in listing.files if len(_BEGINNING) <= file.size < _MAX_BYTES}
    unknown = sorted(small.difference(published))
    pointers = {oid for oid, size, stream in blobs(unknown) if stream.read(size).startswith(_BEGINNING)}
    if not pointers:
        return listing
    files = [file for file in listing.files if file.oid not in pointers]
    skipped = listing.skipped.copy()
    skipped["Git LFS pointer"] += len(listing.files) - len(files)
    return replace(listing, files=files, skipped=skipped)
