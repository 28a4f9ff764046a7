"""Leaves out Git LFS pointers: small texts in a repository whose content is on another server (C3).

The syncer does not fetch that content, and the text is of no use to visitors. Pointers are counted as skipped.
"""

from collections.abc import Collection
from dataclasses import replace

from syncer.content.tree import Listing, ReadBlobs

_BEGINNING = b"version https://git-lfs.github.com/spec/v1"
_MAX_BYTES = 1024  # as the specification says


def leave_out(listing: Listing, published: Collection[str], blobs: ReadBlobs) -> Listing:
    """The listing without pointers. ``published`` are live blobs, which need not be read: pointers never go live."""
    small = {file.oid for file in listing.files if len(_BEGINNING) <= file.size < _MAX_BYTES}
    unread = sorted(small.difference(published))
    pointers = {oid for oid, size, stream in blobs(unread) if stream.read(size).startswith(_BEGINNING)}
    if not pointers:
        return listing
    files = [file for file in listing.files if file.oid not in pointers]
    skipped = listing.skipped.copy()
    skipped["Git LFS pointer"] += len(listing.files) - len(files)
    return replace(listing, files=files, skipped=skipped)
