"""Follows the symlinks of a repository inside its tree, so that the volume contains only files (C1).

A link to published files becomes a copy of them, under the link's name. A link that leads out of the published folder,
to something unpublished, into a loop or nowhere is skipped and counted. Nothing is looked up on the disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from syncer.content.tree import Budget, File, Listing, ReadBlobs
from syncer.errors import LimitExceeded
from syncer.limits import SiteLimits

_MAX_TARGET_BYTES = 1024
_MAX_HOPS = 40  # as in Linux
_MAX_STEPS = 200_000  # for all links of a site together, which bounds the work for hostile input


@dataclass(eq=False)
class _Folder:
    """A folder by the names in it. ``parent`` is None at the top, which no link may leave."""

    parent: Self | None = None
    children: dict[str, "File | _Folder | _Link"] = field(default_factory=dict)

    def of(self, path: str) -> "_Folder":
        """The folder of a path, created if necessary."""
        folder = self
        for name in path.split("/")[:-1]:
            child = folder.children.setdefault(name, _Folder(folder))
            if not isinstance(child, _Folder):  # the name of a file as well, which git refuses
                return _Folder(folder)
            folder = child
        return folder


@dataclass(eq=False)
class _Link:
    """A link in its folder, and the names of its target; None where it cannot lead anywhere."""

    path: str
    folder: _Folder
    names: list[str] | None


def follow(listing: Listing, blobs: ReadBlobs, limits: SiteLimits) -> Listing:
    """The listing with the targets of its links in their place. Raises LimitExceeded."""
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
    """Collects copies of the links' targets."""

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
        """The files with the copies; links that lead nowhere are counted as skipped."""
        skipped = self._original.skipped.copy()
        if self._skipped:
            skipped["symlink"] += len(self._skipped)
        return Listing([*self._original.files, *self._files], skipped)

    def add(self, link: _Link) -> None:
        """Copy the target of the link."""
        around = {link.folder}
        above = link.folder.parent
        while above:
            around.add(above)
            above = above.parent
        self._copy(link, link.path, frozenset(around))

    def _copy(self, node: File | _Folder | _Link, path: str, around: frozenset[_Folder]) -> None:
        """Copy a node to a path. ``around`` are the folders being copied, which must not contain themselves."""
        self._step()
        self._budget.path(path)
        target = self._target(node) if isinstance(node, _Link) else node
        if isinstance(target, File):
            copy = target._replace(path=path)
            self._budget.entry()
            self._budget.file(copy)
            self._files.append(copy)
        elif target is None or target in around:
            self._skipped.add(node.path if isinstance(node, _Link) else path)
        else:
            for name, child in target.children.items():
                self._copy(child, f"{path}/{name}", around | {target})

    def _target(self, link: _Link) -> File | _Folder | None:
        """The file or folder at the end of the link, as an operating system would resolve it."""
        at: File | _Folder = link.folder
        hops, ahead = 0, link.names and link.names[::-1]
        while ahead:
            self._step()
            name = ahead.pop()
            if not isinstance(at, _Folder):
                return None
            step = _enter(at, name)
            if isinstance(step, _Link):
                hops += 1
                if hops == _MAX_HOPS or not step.names:
                    return None
                ahead += step.names[::-1]
            elif step is None:
                return None
            else:
                at = step
        return at if link.names else None

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise LimitExceeded("the symlinks of the published folder are nested too deeply or too often; remove some")


def _enter(folder: _Folder, name: str) -> File | _Folder | _Link | None:
    """What a name means in a folder."""
    if name in {"", "."}:
        return folder
    return folder.parent if name == ".." else folder.children.get(name)


def _read_targets(links: Sequence[File], blobs: ReadBlobs) -> dict[str, list[str]]:
    """The names in each link's target, by the link's blob."""
    oids = {link.oid for link in links if 0 < link.size <= _MAX_TARGET_BYTES}
    texts = {oid: stream.read(size).decode("utf-8", "replace") for oid, size, stream in blobs(sorted(oids))}
    return {oid: text.split("/") for oid, text in texts.items() if not text.startswith("/")}


def _name(path: str) -> str:
    return path.rpartition("/")[2]
