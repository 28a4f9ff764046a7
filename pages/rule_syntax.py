"""The grammar of redirects and headers, whether in a StaticSite, in ``_redirects`` or in ``_headers``.

As in ``validation.py``, plain functions return the value or raise ValueError. Tenants never write regular expressions:
a path consists of literal segments, ``:placeholders`` and an optional ``*`` at its end.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pages.validation import at_most

MAX_ALIASES = 10
MAX_REDIRECTS = 50
MAX_FILE_REDIRECTS = 100
MAX_HEADERS = 20
MAX_HEADER_VALUES = 10
MAX_FROM_LENGTH = 256
MAX_TO_LENGTH = 1024
MAX_HEADER_NAME_LENGTH = 64
MAX_HEADER_VALUE_LENGTH = 2048
MAX_PLACEHOLDERS = 6
STATUSES = (301, 302, 303, 307, 308)
PERMANENT = (301, 308)
ACME = "/.well-known/acme-challenge"

_LITERAL = r"(?:[A-Za-z0-9._~!$&'()+,;=@-]|%[0-9A-Fa-f]{2})+"
_NAME = r":[A-Za-z_][A-Za-z0-9_]{0,31}"
_FROM = re.compile(rf"(?:/(?:{_NAME}|{_LITERAL}))*/\*?|(?:/(?:{_NAME}|{_LITERAL}))+")
_TARGET = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})*"
_RELATIVE = re.compile(rf"/(?!/){_TARGET}")
_URL = re.compile(rf"(https?)://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{{1,5}})?((?:[/?#]{_TARGET})?)")
_FOR_SEGMENT = r"/[A-Za-z0-9._~@+,=-]+"
_FOR = re.compile(rf"(?:{_FOR_SEGMENT})*/\*?|(?:{_FOR_SEGMENT})+")
_PLACEHOLDER = re.compile(_NAME)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")

# Headers that frame the message, that Traefik and nginx set themselves, or that affect more than this one site: the
# whole origin, which other sites may share, or sibling domains and subdomains.
REFUSED_HEADERS = (
    *("accept-ranges", "age", "alt-svc", "clear-site-data", "connection", "content-encoding", "content-length"),
    *("content-range", "date", "etag", "expect-ct", "forwarded", "host", "keep-alive", "last-modified", "location"),
    *("nel", "public-key-pins", "public-key-pins-report-only", "refresh", "report-to", "server"),
    *("service-worker-allowed", "set-cookie", "set-cookie2", "te", "trailer", "transfer-encoding", "upgrade", "vary"),
    *("via", "www-authenticate", "x-sendfile"),
)
REFUSED_PREFIXES = ("proxy-", "x-accel-", "x-forwarded-", "x-pages-")


class Segment(NamedTuple):
    """A part of a path: literal text or, if ``is_name``, the name of a placeholder."""

    text: str
    is_name: bool


class Home(NamedTuple):
    """Where a site is served, and the aliases that redirect to it."""

    domain: str
    path_prefix: str
    aliases: tuple[str, ...] = ()


NOWHERE = Home("", "")


def redirect_from(value: str) -> str:
    """The path of a redirect."""
    at_most(value, MAX_FROM_LENGTH)
    if not _FROM.fullmatch(value):
        raise ValueError(
            "must be a path such as /old, /blog/:year/:title or /news/*; begin it with '/', use '*' only as the last "
            "segment, and percent-encode special characters"
        )
    _reject_acme(value)
    names = [each.text for each in segments(value) if each.is_name]
    if len(names) > MAX_PLACEHOLDERS:
        raise ValueError(f"must have at most {MAX_PLACEHOLDERS} placeholders")
    return value


def redirect_to(value: str) -> str:
    """The target of a redirect: a path of the site or an http(s) URL, never another scheme and never ``//host``."""
    at_most(value, MAX_TO_LENGTH)
    if not (_RELATIVE.fullmatch(value) or _URL.fullmatch(value)):
        raise ValueError(
            "must be a path such as /new or a URL such as https://www.example.com/new, without placeholders in the host"
        )
    if re.match(r"/:splat[^?#]", value):
        raise ValueError("must not have text after a leading '/:splat'")  # with an empty splat it would be //host
    return value


def header_for(value: str) -> str:
    """The paths that get a header: one path or, with ``/*`` at its end, everything below it."""
    at_most(value, MAX_FROM_LENGTH)
    if not _FOR.fullmatch(value):
        raise ValueError(
            "must be a path such as /index.html, or end with /* as in /assets/*; begin it with '/', and use only "
            "letters, digits and . _ ~ @ + , = - between slashes"
        )
    _reject_acme(value)
    return value


def plain_path(value: str) -> str:
    """A path in which no character needs escaping, as for headers and prefixes."""
    if not re.fullmatch(rf"(?:{_FOR_SEGMENT})+", value):
        raise ValueError("must use only letters, digits and . _ ~ @ + , = - between slashes")
    return value


def header_name(value: str) -> str:
    """The name of a header that a site may set."""
    at_most(value, MAX_HEADER_NAME_LENGTH)
    if not _HEADER_NAME.fullmatch(value):
        raise ValueError("must be the name of a header; use only letters, digits and '-'")
    lower = value.lower()
    if lower in REFUSED_HEADERS or lower.startswith(REFUSED_PREFIXES):
        raise ValueError(f"{value} cannot be set by a site")
    return value


def header_value(value: str) -> str:
    """A header's value: printable ASCII on one line."""
    at_most(value, MAX_HEADER_VALUE_LENGTH)
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError("must be printable ASCII on one line, not empty, without leading or trailing spaces")
    return value


def header(name: str, value: str) -> None:
    """Check a header's name and value together: HSTS must not apply to other hosts."""
    if name.lower() == "strict-transport-security" and re.search("(?i)includesubdomains|preload", value):
        raise ValueError(
            "Strict-Transport-Security may only set max-age; includeSubDomains and preload would affect other hosts"
        )


def _reject_acme(value: str) -> None:
    if value.startswith(ACME):
        raise ValueError(f"must not be below {ACME}, which certificate authorities use")


def segments(path: str) -> list[Segment]:
    """The segments of a ``from``, without an ending slash or ``*``."""
    parts = [part for part in path.split("/") if part and part != "*"]
    return [Segment(part.removeprefix(":"), part.startswith(":")) for part in parts]


def has_splat(path: str) -> bool:
    """Whether the path also matches everything below it."""
    return path.endswith("/*")


def names_in(path: str) -> set[str]:
    """The names that the target of a redirect with this ``from`` may refer to."""
    return {each.text for each in segments(path) if each.is_name} | ({"splat"} if has_splat(path) else set())


def pieces(to: str) -> Iterator[Segment]:
    """Split a target into literal text and references. The host of a URL never contains references."""
    url = _URL.fullmatch(to)
    start = url.start(3) if url else 0
    if start:
        yield Segment(to[:start], is_name=False)
    for match in _PLACEHOLDER.finditer(to, start):
        if match.start() > start:
            yield Segment(to[start : match.start()], is_name=False)
        yield Segment(match[0][1:], is_name=True)
        start = match.end()
    if start < len(to):
        yield Segment(to[start:], is_name=False)


def unknown_names(from_: str, to: str) -> list[str]:
    """The names in a target that its ``from`` does not define."""
    defined = names_in(from_)
    return [each.text for each in pieces(to) if each.is_name and each.text not in defined]


def leads_to_itself(from_: str, to: str, home: Home = NOWHERE) -> bool:
    """Whether a redirect matches its own target, directly or through an alias."""
    example = "".join("x" if each.is_name else each.text for each in pieces(to))
    path = _path_on_site(example, home)
    return path is not None and _matches(from_, re.split("[?#]", path, maxsplit=1)[0])


def _path_on_site(target: str, home: Home) -> str | None:
    """The target as a path of the site; None if it leads to another site."""
    url = _URL.fullmatch(target)
    if url is None:
        return target
    domain, path = url[2].lower(), url[3]
    below = f"{path}/".startswith(f"{home.path_prefix}/")
    if domain not in home.aliases and not (below and domain == home.domain.lower()):
        return None
    return path.removeprefix(home.path_prefix) if below else path


def _matches(from_: str, path: str) -> bool:
    expected, actual = segments(from_), [part for part in path.split("/") if part]
    if len(actual) < len(expected) or (len(actual) > len(expected) and not has_splat(from_)):
        return False
    return all(each.is_name or each.text == part for each, part in zip(expected, actual, strict=False))
