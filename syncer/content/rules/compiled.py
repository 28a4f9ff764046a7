"""What nginx evaluates: the file ``.own-rules.json`` of a release. Its format is described here and nowhere else.

One JSON object, which ``deploy/nginx/rules.lua`` and ``evaluate.py`` read::

    {"version": 1, "forced": bool, "redirects": INDEX of RULE, "headers": INDEX of BLOCK}

``forced``: some rule comes before the files. Numbers count from 1, which is also the order of the rules.

INDEX  {"entries": [...], "exact": {path: [number, ...]}, "patterns": {prefix: [PATTERN, ...]}, "depth": int}
    A path is decoded and has no slash at its end; the root is "". ``patterns`` are found by the folder that all that
    matches lies in; the deepest of these has ``depth`` segments. Lists are in the order of their numbers.
PATTERN  [number, head] or [number, head, before, after, tail]
    ``head`` and ``tail`` are lists of segments, 0 for a placeholder. With a ``*``: what stands before and after it in
    its segment. It stands for any text, slashes too; where both are empty and there is no tail, for nothing as well.
RULE  [status, forced, host, params, check, origin, path, query, fragment, place]
    ``forced`` 0 or 1. ``host``: "" for any. ``params``: [[name, value], ...], the value a text or the number of a
    capture. ``check``: 0; 1, the rule holds only where its target is a page of the site; 2, it answers only where a
    page is asked for, not a part of one. ``path``, ``query``, ``fragment``: a text, or a list of texts and numbers of
    captures.
BLOCK  [host, over, ops, place]
    ``ops``: [[name, value] or [name], ...]; a name alone takes the header away. ``over`` 1: what it sets replaces what
    blocks without it set.

Captures are those of the path in its order, then those of the parameters.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from syncer.content.rules.grammar import Parts, Pattern

VERSION = 1
NAME = ".own-rules.json"
MUST_EXIST = 1
PAGES_ONLY = 2

Entry = list[Any]
PatternEntry = list[Any]


@dataclass
class Index:
    """Entries, found by path."""

    entries: list[Entry] = field(default_factory=list)
    exact: dict[str, list[int]] = field(default_factory=dict)
    patterns: dict[str, list[PatternEntry]] = field(default_factory=dict)
    depth: int = 0

    def add(self, pattern: Pattern, entry: Entry) -> None:
        """One more, after all others."""
        self.entries.append(entry)
        number, prefix = len(self.entries), pattern.prefix
        if pattern.is_exact:
            self.exact.setdefault(prefix, []).append(number)
            return
        self.patterns.setdefault(prefix, []).append(entry_of(number, pattern))
        self.depth = max(self.depth, prefix.count("/"))


@dataclass
class Compiled:
    """The rules of a release."""

    version: int = VERSION
    forced: bool = False
    redirects: Index = field(default_factory=Index)
    headers: Index = field(default_factory=Index)

    def __bool__(self) -> bool:
        return bool(self.redirects.entries or self.headers.entries)

    def dump(self) -> bytes:
        """The file's content."""
        return msgspec.json.encode(self)


def load(content: bytes) -> Compiled:
    """What a file holds. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(content, type=Compiled)


def entry_of(number: int, pattern: Pattern) -> PatternEntry:
    """A pattern as it is listed."""
    entry: PatternEntry = [number, _segments(pattern.head)]
    return [*entry, *pattern.star, _segments(pattern.tail)] if pattern.star else entry


def _segments(segments: tuple[str | None, ...]) -> list[str | int]:
    return [0 if each is None else each for each in segments]


def parts(parts_: Parts) -> str | list[str | int]:
    """A text where it is one."""
    if not parts_:
        return ""
    if len(parts_) == 1 and isinstance(parts_[0], str):
        return parts_[0]
    return list(parts_)
