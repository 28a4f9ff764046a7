"""By which addresses visitors get the files of a release. Pure."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

INDEX = "index.html"
PAGE = ".html"


class Hit(NamedTuple):
    """What nginx finds at a path: a file, or where ``moved`` the address of one, as ``/team/`` for ``/team``."""

    file: str
    moved: str = ""


class Served:
    """The files of a release, by address: ``/team`` may be ``team``, ``team.html`` or ``team/index.html``."""

    def __init__(self, paths: Collection[str]) -> None:
        self._files = frozenset(paths)
        self._folders = {folder for path in paths for folder in _folders(path)}

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def at(self, path: str) -> Hit | None:
        """What nginx finds at a decoded path, in the order in which it looks."""
        name = path.lstrip("/")
        if not name or name.endswith("/"):
            return self._folder(name)
        if name in self._files:
            return Hit(name)
        index, page = f"{name}/{INDEX}", f"{name}{PAGE}"
        if self.is_folder(name) and "." in name.rpartition("/")[2]:  # nobody looks for v1.2.html first
            file = next((each for each in (index, page) if each in self._files), None)
            return Hit(file, moved=f"/{name}/") if file else None
        if page in self._files:
            return Hit(page)
        if name.endswith(".gz"):
            return None
        return Hit(index, moved=f"/{name}/") if index in self._files else None

    def is_folder(self, path: str) -> bool:
        """Whether nginx finds a folder at a decoded path without a slash at its end; it looks for no ``x.gz``."""
        return not path.endswith(".gz") and path.lstrip("/") in self._folders

    def _folder(self, name: str) -> Hit | None:
        if f"{name}{INDEX}" in self._files:
            return Hit(f"{name}{INDEX}")
        page = name.rstrip("/")
        if page and f"{page}{PAGE}" in self._files:
            dotted = "." in page.rpartition("/")[2]
            return Hit(f"{page}{PAGE}", moved=f"/{page}{PAGE if dotted else ''}")
        return None

    def file(self, path: str) -> str | None:
        """The file that a visitor gets there, maybe by way of a redirect."""
        hit = self.at(path)
        return hit.file if hit else None

    def error_page(self, path: str) -> str | None:
        """The nearest 404.html, as nginx looks for it: in the first three folders of the path, then at the top."""
        folders = path.split("/")[1:-1][:3]
        for depth in range(len(folders), -1, -1):
            file = "/".join([*folders[:depth], "404.html"])
            if file in self._files:
                return file
        return None


def _folders(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
