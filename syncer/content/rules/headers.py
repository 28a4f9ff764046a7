"""``_headers``, in Netlify's syntax: below a path ``Name: value`` or ``! Name``; spec.headers say the same. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pages.api.rules import MAX_HEADER_NAME_LENGTH, MAX_HEADER_NAMES, MAX_HEADER_VALUE_LENGTH
from syncer.content.rules import grammar
from syncer.content.rules.findings import Findings, Place
from syncer.content.rules.grammar import BadRule, Source
from syncer.content.rules.hosts import Hosts

FILE = "_headers"
SPEC = "spec.headers"
_HSTS = "strict-transport-security"
_PATH = re.compile(r"/|(?i:https?://)")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_VALUE = re.compile(r"[!-~]([ -~\t]*[!-~])?")

# What a site may not set, by the reason for that.
_FRAMES = "it frames the answer, which nginx does"
_OTHERS = "it speaks for more than this site"
REFUSED = {
    **dict.fromkeys(
        (
            *("accept-ranges", "age", "connection", "content-encoding", "content-length", "content-range", "date"),
            *("etag", "forwarded", "host", "keep-alive", "last-modified", "server", "te", "trailer"),
            *("transfer-encoding", "upgrade", "vary", "via", "x-sendfile"),
        ),
        _FRAMES,
    ),
    **dict.fromkeys(
        (
            *("alt-svc", "clear-site-data", "expect-ct", "nel", "public-key-pins", "public-key-pins-report-only"),
            *("report-to", "service-worker-allowed", "set-cookie", "set-cookie2"),
        ),
        _OTHERS,
    ),
    **dict.fromkeys(("location", "refresh"), "it redirects; write a rule in _redirects"),
    **dict.fromkeys(("basic-auth", "www-authenticate"), "use spec.basicAuth; the line is not sent to visitors"),
}
REFUSED_PREFIXES = {
    "proxy-": _FRAMES,
    "x-accel-": "it steers the server",
    "x-forwarded-": _FRAMES,
    "x-pages-": "it steers the server",
}
# What the platform sets and a site may replace, but not take away.
_KEPT = {"x-content-type-options"}


class Op(NamedTuple):
    """Sets a header, or with ``value`` None takes it away."""

    name: str
    value: str | None


@dataclass(frozen=True)
class Block:
    """The headers of a path. ``over``: they replace those of other blocks, as the StaticSite's do."""

    place: Place
    source: Source
    over: bool = False
    ops: list[Op] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes that they add to an answer."""
        return sum(len(each.name) + len(each.value or "") + 4 for each in self.ops)


def parse(lines: Iterable[tuple[Place, str]], hosts: Hosts | None, findings: Findings) -> list[Block]:
    """The blocks of the file's lines."""
    reader = Reader(hosts, findings)
    for place, line in lines:
        if _PATH.match(line):
            reader.path(place, line)
        else:
            reader.header(place, line)
    return reader.finish()


class Reader:
    """Makes blocks of lines, or of a StaticSite's entries."""

    def __init__(self, hosts: Hosts | None, findings: Findings, *, over: bool = False) -> None:
        self._hosts = hosts
        self._findings = findings
        self._over = over
        self._blocks: list[Block] = []
        self._lost: tuple[Place, str] | None = None
        self._below: Counter[Place] = Counter()

    def path(self, place: Place, text: str) -> None:
        """A block begins."""
        self._report_lost()
        try:
            source = self._source(text)
        except BadRule as error:
            self._lost = place, str(error)
            return
        self._blocks.append(Block(place, source, self._over))

    def header(self, place: Place, line: str) -> None:
        """One line below a path."""
        if self._lost:
            self._below[self._lost[0]] += 1
            return
        if not self._blocks:
            self._findings.refuse(place, "a header follows the path that it is for, and there is no path above")
            return
        try:
            self._add(place, self._blocks[-1].ops, _op(line))
        except BadRule as error:
            self._findings.refuse(place, str(error))

    def values(self, place: Place, values: Mapping[str, str]) -> None:
        """The headers of an entry of the StaticSite."""
        for name, value in values.items():
            self.header(place, name if name.startswith("!") else f"{name}: {value}")

    def finish(self) -> list[Block]:
        """The blocks that hold something."""
        self._report_lost()
        return [each for each in self._blocks if each.ops]

    def _source(self, text: str) -> Source:
        words = text.split()
        if len(words) > 1 and not words[1].startswith("#"):
            raise BadRule("a line that begins with '/' or 'http' is one path")
        source = grammar.source(words[0])
        if self._hosts is not None and source.host and source.host not in self._hosts:
            raise BadRule(
                f"{source.host[:80]} is neither the site's domain nor one of its aliases; name it in spec.aliases"
            )
        return source

    def _add(self, place: Place, ops: list[Op], op: Op) -> None:
        names = {each.name.lower() for each in ops}
        if op.name.lower() not in names and len(names) >= MAX_HEADER_NAMES:
            raise BadRule(f"a path has at most {MAX_HEADER_NAMES} headers; this one is left out")
        message = ""
        if op.name.lower() == _HSTS and op.value is not None:
            op, message = self._hsts(op.name, op.value)
        ops.append(op)
        self._findings.live(place, message)

    def _hsts(self, name: str, value: str) -> tuple[Op, str]:
        """Other hosts are not for a site to decide on that has its domain from the platform, or shares it."""
        if self._hosts is None or self._hosts.is_own:
            return Op(name, value), ""
        parts = [each.strip() for each in value.split(";") if each.strip()]
        cut = [each for each in parts if each.lower() in {"includesubdomains", "preload"}]
        if not cut:
            return Op(name, value), ""
        kept = "; ".join(each for each in parts if each not in cut)
        if not kept:
            raise BadRule(f"{name} has no max-age, and {' and '.join(cut)} would speak for other hosts")
        return Op(name, kept), f"{' and '.join(cut)} would speak for other hosts and is cut; {kept} is sent"

    def _report_lost(self) -> None:
        if self._lost:
            place, message = self._lost
            count = self._below[place]
            below = f"; the {count} header{'s' if count > 1 else ''} below it {'are' if count > 1 else 'is'} left out"
            self._findings.refuse(place, message + (below if count else ""))
        self._lost = None


def _op(line: str) -> Op:
    if line.startswith("!"):
        name = _checked_name(line[1:].strip())
        if name.lower() in _KEPT:
            raise BadRule(f"{name} is set by the platform and stays; it can be replaced by `{name}: value`")
        return Op(name, None)
    name, colon, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not colon:
        raise BadRule("a header is written `Name: value`")
    _checked_name(name)
    if not value:
        raise BadRule(f"{name} has no value; write `! {name}` to take the header away")
    if len(value) > MAX_HEADER_VALUE_LENGTH:
        raise BadRule(f"{name} has a value of {len(value):,} characters; the limit is {MAX_HEADER_VALUE_LENGTH:,}")
    if not _VALUE.fullmatch(value):
        raise BadRule(f"{name} has a value that is not printable ASCII")
    return Op(name, value)


def _checked_name(name: str) -> str:
    if len(name) > MAX_HEADER_NAME_LENGTH or not _NAME.fullmatch(name):
        raise BadRule(f"{name[:MAX_HEADER_NAME_LENGTH]!r} is not the name of a header: letters, digits and '-'")
    lower = name.lower()
    if reason := REFUSED.get(lower):
        raise BadRule(f"{name} is not a header that a site may set: {reason}")
    for prefix, reason in REFUSED_PREFIXES.items():
        if lower.startswith(prefix):
            raise BadRule(f"{name} is not a header that a site may set: {reason}")
    return name
