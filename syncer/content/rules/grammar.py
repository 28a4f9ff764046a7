"""The one grammar of rules, in files and in a StaticSite: what a path matches, and where a target leads. Pure.

A pattern is made of segments, ``:name`` segments and one ``*`` that stands for any text. Nothing a tenant writes is
ever an expression, so that matching takes one look at each segment.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from pages.api.rules import MAX_FROM_LENGTH, MAX_TO_LENGTH

MAX_SEGMENTS = 32
ACME = "/.well-known/acme-challenge"
SPLAT = "splat"

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PLACEHOLDER = re.compile(rf":({_NAME})")
_HOST_RULE = re.compile(r"(?:(?i:https?):)?//([^/?#]*)(.*)", re.DOTALL)
_URL = re.compile(r"(?i:(https?))://([^/?#\\]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_PATH = re.compile(r"(/[^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_HOST = re.compile(r"([a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)(:[0-9]{1,5})?")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What may stand in a path, a query and a fragment as it is.
_PLAIN = "-._~!$&'()*+,;=:@/%"


class BadRule(ValueError):
    """A rule that cannot be followed; the text says why."""


class Star(NamedTuple):
    """The ``*`` of a pattern, with what stands before and after it in its segment."""

    before: str
    after: str


class Pattern(NamedTuple):
    """What a path has to be: ``head``, then any text where there is a ``star``, then ``tail``.

    A segment is its text, decoded, or None for a placeholder. ``names`` are those of the captures, in their order.
    """

    head: tuple[str | None, ...]
    star: Star | None
    tail: tuple[str | None, ...]
    names: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        """Whether one path alone matches."""
        return self.star is None and None not in self.head

    @property
    def prefix(self) -> str:
        """The folder that everything that matches lies in, or the exact path; nothing for the root."""
        literal = []
        for segment in self.head:
            if segment is None:
                break
            literal.append(segment)
        return "".join(f"/{each}" for each in literal)

    @property
    def is_folder(self) -> bool:
        """Whether it ends with a segment ``*``: the folder and all below it match."""
        return self.star == Star("", "") and not self.tail


class Source(NamedTuple):
    """A pattern, the host it is for (or nothing), and whether that host is any host: ``http://*``."""

    pattern: Pattern
    host: str = ""
    any_host: bool = False


Parts = tuple[str | int, ...]


class Target(NamedTuple):
    """Where a rule leads: texts, and numbers of captures between them. ``origin`` is nothing for a path of the site."""

    origin: str
    path: Parts
    query: Parts
    fragment: Parts

    @property
    def is_literal(self) -> bool:
        """Whether it is the same for every visitor."""
        return all(isinstance(each, str) for each in (*self.path, *self.query, *self.fragment))

    @property
    def host(self) -> str:
        """The origin's host, without its port; nothing for a path of the site."""
        return self.origin.partition("://")[2].partition(":")[0]


def source(text: str) -> Source:
    """What stands on the left of a rule, or at the head of a block of headers. Raises BadRule."""
    if len(text) > MAX_FROM_LENGTH:
        raise BadRule(f"the path has {len(text):,} characters; the limit is {MAX_FROM_LENGTH:,}")
    host, path = "", text
    if match := _HOST_RULE.fullmatch(text):
        host, path = match[1].lower(), match[2] or "/"
        if not host:
            raise BadRule("there is no host between '//' and the path")
    if "#" in path:
        raise BadRule("a '#' and what follows it never reach a server; take it off")
    if "?" in path:
        where, query = path.split("?", 1)
        raise BadRule(f"write the query as words of its own: `{(where or '/')[:80]} {query[:80]} …`")
    if not path.startswith("/"):
        raise BadRule(f"{text[:80]!r} is not a path; it has to begin with '/'")
    if host == "*":
        return Source(pattern(path), any_host=True)
    return Source(pattern(path), host)


def pattern(path: str) -> Pattern:
    """A path with placeholders and at most one ``*``. Raises BadRule."""
    if path.startswith(ACME):
        raise BadRule(f"paths below {ACME} belong to certificate authorities")
    if path.count("*") > 1:
        raise BadRule("a path may hold one '*' only")
    segments = [each for each in path.split("/") if each]
    if len(segments) > MAX_SEGMENTS:
        raise BadRule(f"the path is {len(segments):,} names deep; the limit is {MAX_SEGMENTS}")
    starred = next((number for number, each in enumerate(segments) if "*" in each), None)
    if starred is None:
        head = _segments(segments)
        return Pattern(head, None, (), _names(segments))
    before, after = segments[starred].split("*")
    if _PLACEHOLDER.match(before):
        raise BadRule(f"a placeholder is a whole segment, which {segments[starred][:80]!r} is not")
    star = Star(_literal(before, first=starred == 0), _text(after))
    left, right = segments[:starred], segments[starred + 1 :]
    names = (*_names(left), SPLAT, *_names(right))
    return Pattern(_segments(left), star, _segments(right, first=False), _distinct(names))


def _segments(segments: Sequence[str], *, first: bool = True) -> tuple[str | None, ...]:
    return tuple(
        None if _placeholder(each) else _literal(each, first=first and number == 0)
        for number, each in enumerate(segments)
    )


def _placeholder(segment: str) -> str | None:
    match = _PLACEHOLDER.match(segment)
    if match is None:
        return None
    if match.end() != len(segment):
        raise BadRule(f"a placeholder is a whole segment, which {segment[:80]!r} is not")
    if match[1] == SPLAT:
        raise BadRule("':splat' stands for what '*' matches; write '*' here, or choose another name")
    return match[1]


def _names(segments: Sequence[str]) -> tuple[str, ...]:
    return _distinct([name for each in segments if (name := _placeholder(each))])


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise BadRule(f"the placeholder ':{name}' occurs twice")
    return tuple(names)


def _literal(segment: str, *, first: bool = False) -> str:
    """The text that a segment begins with, as nginx sees it. Raises BadRule where no request ever holds it."""
    text = _text(segment)
    if text.startswith(".") and not (first and text.startswith(".well-known")):
        raise BadRule(f"{segment[:80]!r} begins with a dot, and nothing that does is served")
    return text


def _text(segment: str) -> str:
    try:
        text = decoded(segment)
    except UnicodeDecodeError:
        raise BadRule(f"{segment[:80]!r} is not UTF-8 once it is decoded") from None
    if "/" in text or "\\" in text or any(each < " " or each == "\x7f" for each in text):
        raise BadRule(f"{segment[:80]!r} holds a character that nginx rejects in a path")
    return text


def decoded(text: str) -> str:
    """Percent escapes as the characters that they stand for. Raises UnicodeDecodeError."""
    return unquote_to_bytes(text).decode()


def target(text: str, names: Sequence[str]) -> Target:
    """Where a rule leads; ``names`` are those of its captures. Raises BadRule."""
    if len(text) > MAX_TO_LENGTH:
        raise BadRule(f"the target has {len(text):,} characters; the limit is {MAX_TO_LENGTH:,}")
    if match := _URL.fullmatch(text):
        scheme, host, path, query, fragment = match.groups()
        origin = f"{scheme.lower()}://{_host(host)}"
    elif (match := _PATH.fullmatch(text)) and not text.startswith(("//", "/\\")):
        origin, (path, query, fragment) = "", match.groups()
    elif text.startswith(("//", "/\\")):
        raise BadRule(f"the target {text[:80]!r} names a host without a scheme; begin it with https://")
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        raise BadRule(f"the target {text[:80]!r} has a scheme that is neither http nor https")
    else:
        raise BadRule(f"the target {text[:80]!r} begins with neither '/' nor 'https://'")
    return Target(
        origin,
        tuple(_parts(path, names)),
        tuple(_parts((query or "")[1:], names, more="?")),
        tuple(_parts((fragment or "")[1:], names, more="?#")),
    )


def _host(text: str) -> str:
    if _PLACEHOLDER.search(text.partition(":")[0]) or re.search(rf":{_NAME}", text):
        raise BadRule("a target cannot have a placeholder in its host")
    if "@" in text:
        raise BadRule("a target cannot hold a user name")
    name, colon, port = text.lower().partition(":")
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        ascii_name = name
    if not _HOST.fullmatch(host := f"{ascii_name}{colon}{port}"):
        bad = next((each for each in host if not re.match(r"[a-z0-9._:-]", each)), None)
        what = f"the sign {bad!r} in its host" if bad else "no valid host"
        raise BadRule(f"the target has {what}")
    return host


def _parts(text: str, names: Sequence[str], more: str = "") -> Iterator[str | int]:
    """Texts and numbers of captures, from 1. A word that is no capture's name stands for itself."""
    start = 0
    literal = ""
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in names:
            continue
        literal += text[start : match.start()]
        if literal:
            yield escaped(literal, more)
        yield names.index(match[1]) + 1
        start, literal = match.end(), ""
    if start < len(text):
        yield escaped(text[start:], more)


def escaped(text: str, more: str = "") -> str:
    """A text that may stand in a URL: what is escaped stays so."""
    return quote(_ESCAPE.sub("%25", text), safe=_PLAIN + more)
