"""What nginx answers, by the compiled rules: the reference for ``deploy/nginx/rules.lua``, which does the same. Pure.

A request comes as nginx has it: the path was checked (no ``..``, no encoded slash), the host is in lower case.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote, unquote

from syncer.content.rules.compiled import MUST_EXIST, PAGES_ONLY, Compiled, Entry, Index, PatternEntry
from syncer.content.rules.grammar import ACME
from syncer.content.rules.redirects import ERRORS, REDIRECTS
from syncer.content.rules.served import INDEX, PAGE, Hit, Served

# They are for a file that is there under the address, and for nothing that answers in its place.
FILE_HEADERS = ("cache-control", "cdn-cache-control", "content-type")
# The platform's own. Cache-Control is that of files whose names do not tell their content.
_PLATFORM = {
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
_IN_PATH = "-._~!$&'()*+,;=:@/"
_IN_QUERY = "-._~/:@"
_PART = re.compile(
    r"(?i)\.(?:m?jsx?|cjs|m?tsx?|css|less|s[ac]ss|styl|map|vue|svelte|wasm|json5?|jsonld|jsonc|ndjson|geojson|topojson"
    r"|jsonfeed|webmanifest|schema|ya?ml|toml|xml|xsd|xslt?|atom|rss|rdf|gpx|km[lz]|graphql|gql|sql|sqlite3?|txt|log"
    r"|conf|md|markdown|mdx|csv|tsv|ics|vcf|vtt|srt|adoc|asciidoc|rst|avif|a?png|bmp|gif|hei[cf]|jpe?g|jfif|jxl|jp2"
    r"|svgz?|tiff?|webp|ico|cur|gltf|glb|obj|stl|usdz|tt[cf]|otf|woff2?|eot|aac|flac|midi?|m4a|mp3|ogg|oga|opus|wav"
    r"|weba|3gpp?|m2ts|mp4|m4[sv]|mpe?g|ogv|mov|webm|mkv|avi|m3u8|mpd|pdf|epub|e?ps|ai|rtf|docx?|xlsx?|pptx?|od[stp]"
    r"|zip|gz|tgz|bz2|br|xz|zst|tar|7z|rar|jar|apk|deb|rpm|der|pem|crt|asc|sig|gpg|bin|data|exe|dll|dmg|iso|img|msi"
    r"|swf|php|aspx?|jsp|cgi)"
)
_DESTINATIONS = re.compile(r"document|i?frame|embed|object")


@dataclass(frozen=True)
class Request:
    """What a visitor asks for: ``path`` and ``query`` as they were sent, below the prefix that Traefik took off.

    ``home`` is where an alias leads, such as ``https://www.example.com/docs``; nothing at the site's own domain.
    """

    path: str
    query: str | None = None
    host: str = ""
    method: str = "GET"
    path_prefix: str = ""
    home: str = ""
    accept: str = ""
    fetch_dest: str = ""

    @property
    def decoded(self) -> str:
        """The path as nginx looks for it; at an alias, without the prefix of its home."""
        return _below(self.home, decoded(self.path))

    @property
    def wants_page(self) -> bool:
        """Whether it is a page that is asked for, not a part of one."""
        if _PART.fullmatch(_extension(self.decoded)):
            return False
        if _DESTINATIONS.fullmatch(self.fetch_dest):
            return True
        if self.fetch_dest not in {"", "empty"}:
            return False
        if re.search(r"\btext/html\b", self.accept):
            return True
        return not self.fetch_dest and (not self.accept or "*/*" in self.accept)


def _extension(path: str) -> str:
    name = path.rpartition("/")[2]
    return name[name.rindex(".") :] if "." in name else ""


@dataclass
class Answer:
    """What the visitor gets. ``file`` is of the release; ``place`` is where the rule stands that decided."""

    status: int
    location: str = ""
    file: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    place: str = ""


class Match(NamedTuple):
    """A rule that matches, with what its placeholders stand for."""

    number: int
    rule: Entry
    captures: list[str]

    @property
    def place(self) -> str:
        """Where the rule stands."""
        return str(self.rule[9])

    @property
    def is_redirect(self) -> bool:
        """Whether it sends the visitor elsewhere."""
        return self.rule[0] in REDIRECTS


def evaluate(compiled: Compiled, served: Served, request: Request) -> Answer:
    """The answer to a request that nginx did not refuse for its path."""
    if request.method not in {"GET", "HEAD"}:
        return Answer(405, headers={"Allow": "GET, HEAD"})
    answer = _Evaluation(compiled, served, request).answer()
    answer.headers = headers(compiled, request, _is_own_file(answer, request))
    return answer


class _Evaluation:
    def __init__(self, compiled: Compiled, served: Served, request: Request) -> None:
        self._compiled = compiled
        self._served = served
        self._request = request
        self._path = request.decoded

    def answer(self) -> Answer:
        hit = self._served.at(self._path)
        reserved = f"{self._path}/".startswith(f"{ACME}/")
        match = None if reserved else first_match(self._compiled.redirects, self._request, self._path)
        if match and not self._holds(match):
            match = None
        if match and hit and not match.rule[1]:
            match = None  # the file comes first
        if self._request.home and not reserved:
            return self._alias(match)
        if match:
            return self._act(match)
        return self._hit(hit) if hit else self._missing()

    def _hit(self, hit: Hit) -> Answer:
        return Answer(301, location=self._moved(hit.moved)) if hit.moved else Answer(200, file=hit.file)

    def _missing(self) -> Answer:
        if self._served.is_folder(self._path):
            return Answer(301, location=self._moved(f"{self._path}/"))
        if "200.html" in self._served and self._request.wants_page:
            return Answer(200, file="200.html")
        return self._error()

    def _holds(self, match: Match) -> bool:
        """Whether a rule that matches is followed: it never leads to itself, nor to nothing where it might."""
        if not match.is_redirect:
            return True
        target = target_path(match)
        if not match.rule[5] and target.rstrip("/") == self._path.rstrip("/"):
            return False
        return match.rule[4] != MUST_EXIST or self._served.at(target) is not None

    def _alias(self, match: Match | None) -> Answer:
        request = self._request
        if match and match.is_redirect:
            location = _location(match, request, request.home)
            return Answer(match.rule[0], location=location, place=match.place)
        path = _below(request.home, re.sub("^/+", "/", request.path))
        return Answer(301, location=f"{request.home}{path}{_query(request)}")

    def _act(self, match: Match) -> Answer:
        status, check = match.rule[0], match.rule[4]
        if match.is_redirect:
            location = _location(match, self._request, self._request.path_prefix)
            return Answer(status, location=location, place=match.place)
        if status in ERRORS:
            return self._error(status, match)
        hit = self._served.at(target_path(match))
        if hit is None or (check == PAGES_ONLY and not self._request.wants_page):
            return self._error(place=match.place if hit is None else "")
        return Answer(status, file=hit.file, place=match.place)

    def _error(self, status: int = 404, match: Match | None = None, place: str = "") -> Answer:
        hit = self._served.at(target_path(match)) if match else None
        file = hit.file if hit else self._served.error_page(self._path)
        return Answer(status, file=file, place=match.place if match else place)

    def _moved(self, path: str) -> str:
        """A redirect of nginx's own keeps the spelling of the address."""
        raw = re.sub("^/+", "", self._request.path).rstrip("/")
        ending = path[len(path.rstrip("/")) :] or (PAGE if path.endswith(PAGE) else "")
        return f"{self._request.path_prefix}/{raw}{ending}{_query(self._request)}"


def _is_own_file(answer: Answer, request: Request) -> bool:
    if answer.status != HTTPStatus.OK or answer.file is None:
        return False
    path = request.decoded.lstrip("/")
    return answer.file in {path, f"{path}{PAGE}", f"{path}{INDEX}"}


def first_match(index: Index, request: Request, path: str) -> Match | None:
    """The first rule that matches the decoded path, the host and the query."""
    args = _args(request.query or "")
    for number, captures in sorted(_candidates(index, path), key=lambda each: each[0]):
        rule = index.entries[number - 1]
        if rule[2] and rule[2] != request.host:
            continue
        values = _captured(rule[3], args)
        if values is not None:
            return Match(number, rule, [*captures, *values])
    return None


def target_path(match: Match) -> str:
    """The decoded path that a rule leads to."""
    text = _fill(match.rule[6], match.captures, _IN_PATH)
    return decoded(text)


def decoded(path: str) -> str:
    """A path as nginx looks for it: decoded, with single slashes."""
    return re.sub("/+", "/", unquote(path, errors="surrogateescape")) or "/"


def headers(compiled: Compiled, request: Request, is_own_file: bool) -> dict[str, str]:
    """The headers of the answer, the platform's among them; ``is_own_file``: it is a file of that path."""
    set_by: list[dict[str, tuple[str, str]]] = [{}, {}]
    dropped: set[str] = set()
    index = compiled.headers
    for number, _ in sorted(_candidates(index, request.decoded), key=lambda each: each[0]):
        host, over, ops, _place = index.entries[number - 1]
        if host and host != request.host:
            continue
        for name, *value in ops:
            lower = name.lower()
            if not is_own_file and lower in FILE_HEADERS:
                continue
            if not value:
                dropped.add(lower)
                set_by[0].pop(lower, None)
                set_by[1].pop(lower, None)
                continue
            spelling, before = set_by[over].get(lower, (name, ""))
            set_by[over][lower] = (spelling, f"{before}, {value[0]}" if before else value[0])
    result = {name: value for name, value in _PLATFORM.items() if name.lower() not in dropped}
    for spelling, value in (set_by[0] | set_by[1]).values():
        result = {name: each for name, each in result.items() if name.lower() != spelling.lower()}
        result[spelling] = value
    return result


def _candidates(index: Index, path: str) -> Iterator[tuple[int, list[str]]]:
    stripped = path.rstrip("/")
    for number in index.exact.get(stripped, ()):
        yield number, []
    segments = stripped.split("/")[1:]
    for depth in range(min(len(segments), index.depth) + 1):
        prefix = "".join(f"/{each}" for each in segments[:depth])
        for pattern in index.patterns.get(prefix, ()):
            captures = match_pattern(pattern, segments, path)
            if captures is not None:
                yield pattern[0], captures


def match_pattern(pattern: PatternEntry, segments: list[str], path: str) -> list[str] | None:
    """What the placeholders stand for, or None where the path does not match."""
    head = pattern[1]
    if len(segments) < len(head) or any(each not in {0, part} for each, part in zip(head, segments, strict=False)):
        return None
    captures = [part for each, part in zip(head, segments, strict=False) if each == 0]
    if len(pattern) == 2:  # noqa: PLR2004 - number and head
        return captures if len(segments) == len(head) else None
    before, after, tail = pattern[2:]
    rest = segments[len(head) :]
    ending = rest[len(rest) - len(tail) :] if tail else []
    if len(ending) < len(tail) or any(each not in {0, part} for each, part in zip(tail, ending, strict=True)):
        return None
    middle = rest[: len(rest) - len(tail)]
    is_folder = not (before or after or tail)
    if not middle:
        return [*captures, ""] if is_folder else None
    text = "/".join(middle)
    if len(text) < len(before) + len(after) or not (text.startswith(before) and text.endswith(after)):
        return None
    splat = text[len(before) : len(text) - len(after)]
    if splat and not (after or tail) and path.endswith("/"):
        splat += "/"
    return [*captures, splat, *(part for each, part in zip(tail, ending, strict=True) if each == 0)]


def _args(query: str) -> dict[str, str]:
    args: dict[str, str] = {}
    for each in query.replace("+", " ").split("&"):
        name, _, value = each.partition("=")
        args.setdefault(unquote(name, errors="surrogateescape"), unquote(value, errors="surrogateescape"))
    return args


def _captured(params: list[list[str | int]], args: dict[str, str]) -> list[str] | None:
    values = []
    for name, value in params:
        actual = args.get(str(name))
        if actual is None or (isinstance(value, str) and value != actual):
            return None
        if not isinstance(value, str):
            values.append(actual)
    return values


def _location(match: Match, request: Request, prefix: str) -> str:
    """Where a redirect leads. What comes of a visitor's path never makes it another host's."""
    rule = match.rule
    origin, path, query, fragment = rule[5:9]
    location = _fill(path, match.captures, _IN_PATH)
    location = origin + location if origin else f"{prefix}/{location.lstrip('/')}"
    if query:
        location += "?" + _fill(query, match.captures, _IN_QUERY)
    elif not rule[3]:
        location += _query(request)
    if fragment:
        location += "#" + _fill(fragment, match.captures, _IN_QUERY)
    return location


def _fill(parts: str | list[str | int], captures: list[str], safe: str) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(
        each if isinstance(each, str) else quote(captures[each - 1], safe=safe, errors="surrogateescape")
        for each in parts
    )


def _query(request: Request) -> str:
    return "" if request.query is None else f"?{request.query}"


def _below(home: str, path: str) -> str:
    """The path below the address that an alias leads to, also where it has the prefix already."""
    prefix = re.sub(r"^https?://[^/]*", "", home)
    return path[len(prefix) :] or "/" if prefix and f"{path}/".startswith(f"{prefix}/") else path
