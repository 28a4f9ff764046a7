"""The addresses at which nginx serves the files of a release, to find redirects that hide files. Pure."""

import re
from collections.abc import Collection
from urllib.parse import unquote

from pages import rule_syntax

_INDEX = "index.html"
_PAGE = ".html"


class Served:
    """The files of a release by address: ``/team/`` and ``/team`` are the same, and may be ``team.html``."""

    def __init__(self, paths: Collection[str]) -> None:
        self._files = {f"/{path}": path for path in paths}
        for path in paths:
            folder, _, name = path.rpartition("/")
            if name == _INDEX:
                self._files.setdefault(f"/{folder}", path)
            if name.endswith(_PAGE):
                self._files.setdefault(f"/{path.removesuffix(_PAGE)}", path)

    def file(self, address: str) -> str | None:
        """The file at an address."""
        return self._files.get(unquote(address).rstrip("/") or "/")

    def hidden(self, from_: str) -> str | None:
        """The address of a file that a redirect with that ``from`` hides, if it hides any."""
        segments = rule_syntax.segments(from_)
        if not (rule_syntax.has_splat(from_) or any(each.is_name for each in segments)):
            return from_ if self.file(from_) else None
        path = "".join("/[^/]+" if each.is_name else f"/{re.escape(unquote(each.text))}" for each in segments)
        pattern = re.compile(path + ("(/.*)?" if rule_syntax.has_splat(from_) else ""))
        return next(filter(pattern.fullmatch, self._files), None)
