"""Symlinks of a repository, followed inside its tree: on the volume there are only files (C1).

A link to something that is published becomes a copy of it, under the link's name. One that leads out of the published
folder, to something that is not published, into a loop or nowhere is skipped and counted. Nothing is looked up on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from syncer.content.tree import Budget, File, Listing, ReadBlobs
from syncer.errors import LimitExceeded
from syncer.limits import SiteLimits

_MAX_TARGET_BYTES = 1024
_MAX_HOPS = 40  # as in Linux
_MAX_STEPS = 200_000  # for all links of a site together: no riddle takes us more than a moment


@dataclass(eq=False)
class _Folder:
    """What its names stand for. ``parent`` is None at the top, which no link leaves."""

    parent: Self | None = None
    children: dict[str, "File | _Folder | _Link"] = field(default_factory=dict)

    def of(self, path: str) -> "_Folder":
        """The folder in which a path stands; made where it is not there yet."""
        folder = self
        for name in path.split("/")[:-1]:
            child = folder.children.setdefault(name, _Folder(folder))
            if not isinstance(child, _Folder):  # a name that is a file as well: git refuses such a tree
                return _Folder(folder)
            folder = child
        return folder


@dataclass(eq=False)
class _Link:
    """Where it stands, and the names that it is to be followed along; None where it leads nowhere in any case."""

    path: str
    folder: _Folder
    names: list[str] | None


def follow(listing: Listing, blobs: ReadBlobs, limits: SiteLimits) -> Listing:
    """The listing with what its links lead to in their place. Raises LimitExceeded."""
    if not listing.links:
        return listing
    root = _Folder()
    for file in listing.files:
        root.of(file.path).children[_name(file.path)] = file
    names = _read_targets(listing.links, blobs)
    links = [_Link(link.path, root.of(link.path), names.get(link.oid)) for link in listing.links]
    for link in links:
        link.folder.children[_name(link.path)] = link
    followed = _Followed(listing, limits)
    for link in links:
        followed.add(link)
    return followed.listing()


class _Followed:
    """Collects the copies."""

    def __init__(self, listing: Listing, limits: SiteLimits) -> None:
        self._original = listing
        self._files: list[File] = []
        self._skipped: set[str] = set()
        self._steps = 0
        self._budget = Budget(limits)
        for file in listing.files:
            self._budget.entry()
            self._budget.file(file)

    def listing(self) -> Listing:
        """All files, and the links that lead nowhere among what is skipped."""
        skipped = self._original.skipped.copy()
        if self._skipped:
            skipped["symlink"] += len(self._skipped)
        return Listing([*self._original.files, *self._files], skipped)

    def add(self, link: _Link) -> None:
        """Copy what the link leads to."""
        around = {link.folder}
        above = link.folder.parent
        while above:
            around.add(above)
            above = above.parent
        self._copy(link, link.path, frozenset(around))

    def _copy(self, node: File | _Folder | _Link, path: str, around: frozenset[_Folder]) -> None:
        """Copy a node to a path. ``around``: the folders that are being copied, which none of them can hold again."""
        self._step()
        self._budget.path(path)
        found = self._target(node) if isinstance(node, _Link) else node
        if isinstance(found, File):
            copy = found._replace(path=path)
            self._budget.entry()
            self._budget.file(copy)
            self._files.append(copy)
        elif found is None or found in around:
            self._skipped.add(node.path if isinstance(node, _Link) else path)
        else:
            for name, child in found.children.items():
                self._copy(child, f"{path}/{name}", around | {found})

    def _target(self, link: _Link) -> File | _Folder | None:
        """The file or folder that the link leads to in the end, as an operating system would follow it."""
        at: File | _Folder = link.folder
        hops, ahead = 0, link.names and link.names[::-1]
        while ahead:
            self._step()
            name = ahead.pop()
            if not isinstance(at, _Folder):
                return None
            found = at if name in {"", "."} else at.parent if name == ".." else at.children.get(name)
            if isinstance(found, _Link):
                hops += 1
                if hops == _MAX_HOPS or not found.names:
                    return None
                ahead += found.names[::-1]
            elif found is None:
                return None
            else:
                at = found
        return at if link.names else None

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise LimitExceeded("the symlinks of the published folder lead into each other too often; remove some")


def _read_targets(links: Sequence[File], blobs: ReadBlobs) -> dict[str, list[str]]:
    """The names along which each link is to be followed, by the blob that holds them."""
    oids = {link.oid for link in links if 0 < link.size <= _MAX_TARGET_BYTES}
    texts = {oid: stream.read(size).decode("utf-8", "replace") for oid, size, stream in blobs(sorted(oids))}
    return {oid: text.split("/") for oid, text in texts.items() if not text.startswith("/")}


def _name(path: str) -> str:
    return path.rpartition("/")[2]
