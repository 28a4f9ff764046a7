"""``_redirects``, in Netlify's syntax: ``from [name=value …] to [status]``; spec.redirects say the same. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from syncer.content.rules import grammar
from syncer.content.rules.findings import Findings, Place
from syncer.content.rules.grammar import BadRule, Source, Target
from syncer.content.rules.hosts import Hosts
from syncer.content.rules.served import Served

FILE = "_redirects"
SPEC = "spec.redirects"
REDIRECTS = (301, 302, 303, 307, 308)
ERRORS = (404, 410)
_STATUSES = (*REDIRECTS, 200, *ERRORS)
_MAX_PARAMS = 8
_STATUS = re.compile(r"([0-9]{3})(!?)")
_CONDITION = re.compile(r"(?i)(country|language|role|cookie|signed)=")
_PARAM = re.compile(r"([^=]+)=(.*)")
_TO_HTTPS = re.compile(r"(?i:https?)://:splat/?")
_CONDITIONS = "conditions such as Country=, Language= and Role= are not supported"


class Param(NamedTuple):
    """A query parameter that has to be there: with this value, or with any, which is a capture's."""

    name: str
    value: str | int


@dataclass(frozen=True)
class Redirect:
    """A rule as it is written. ``forced``: it comes before the files."""

    place: Place
    source: Source
    params: tuple[Param, ...]
    target: Target
    status: int
    forced: bool

    @property
    def is_plain(self) -> bool:
        """Whether its path alone decides."""
        return self.source.pattern.is_exact and not self.source.host and not self.params


class Draft(NamedTuple):
    """The words of a rule."""

    from_: str
    params: Sequence[str]
    to: str
    status: int
    forced: bool


class NoOp(ValueError):
    """The rule says what is done without it; the text says by whom."""


def parse(lines: Iterable[tuple[Place, str]], reader: "Reader") -> Iterator[Redirect]:
    """The rules of the file's lines."""
    for place, line in lines:
        try:
            draft = _draft(list(_words(line)))
        except BadRule as error:
            reader.findings.refuse(place, str(error))
            continue
        yield from reader.read(place, draft)


def _words(line: str) -> Iterator[str]:
    for word in line.split():
        if word.startswith("#"):
            return
        yield word


def _draft(words: Sequence[str]) -> Draft:
    from_, *rest = words
    params = []
    while rest and "=" in rest[0] and not re.match(r"/|(?i:https?:)", rest[0]) and not _CONDITION.match(rest[0]):
        params.append(rest.pop(0))
    if not rest or _STATUS.fullmatch(rest[0]) or _CONDITION.match(rest[0]):
        raise BadRule("there is no target; a line is `from to [status]`")
    to, *rest = rest
    status, forced = _status(rest)
    return Draft(from_, params, to, status, forced)


def _status(words: Sequence[str]) -> tuple[int, bool]:
    if not words:
        return int(HTTPStatus.MOVED_PERMANENTLY), False
    if any(map(_CONDITION.match, words)):
        raise BadRule(_CONDITIONS)
    match = _STATUS.fullmatch(words[0])
    if match is None:
        raise BadRule(f"{words[0][:40]!r} is not a status; a line is `from to [status]`")
    if len(words) > 1:
        raise BadRule(f"{words[1][:40]!r} follows the status; a line is `from to [status]`")
    return int(match[1]), bool(match[2])


@dataclass
class Reader:
    """Makes rules of words, for one site and the files of one release."""

    hosts: Hosts | None
    served: Served
    findings: Findings

    def read(self, place: Place, draft: Draft) -> Iterator[Redirect]:
        """The rule, or nothing where it is a no-op or refused."""
        try:
            rule = self._rule(place, draft)
            message = self._shadow(rule)
        except BadRule as error:
            self.findings.refuse(place, str(error))
        except NoOp as error:
            self.findings.no_op(place, str(error))
        else:
            if message:
                self.findings.refuse(place, message)
            yield rule

    def _rule(self, place: Place, draft: Draft) -> Redirect:
        if draft.status not in _STATUSES:
            supported = ", ".join(map(str, sorted(_STATUSES)))
            raise BadRule(f"status {draft.status} is not supported; use one of {supported}")
        source = grammar.source(draft.from_)
        if source.any_host:
            if _TO_HTTPS.fullmatch(draft.to):
                raise NoOp("the platform redirects http to https")
            raise BadRule("a rule for every host is not supported; leave the host out")
        self._check_host(source.host)
        params, names = _params(draft.params, source.pattern.names)
        target = _target(draft, names)
        rule = Redirect(place, source, params, target, draft.status, draft.forced)
        if draft.status in REDIRECTS:
            self._check_redirect(rule)
        else:
            self._check_page(rule)
        return rule

    def _check_host(self, host: str) -> None:
        if host and self.hosts is not None and host not in self.hosts:
            raise BadRule(f"{host[:80]} is neither the site's domain nor one of its aliases; name it in spec.aliases")

    def _is_own(self, host: str) -> bool:
        return not host or (self.hosts is not None and host in self.hosts)

    def _check_redirect(self, rule: Redirect) -> None:
        """What the platform does anyhow, and what leads in a circle."""
        source, target = rule.source, rule.target
        if rule.params or not self._is_own(target.host) or not _same_path(rule):
            return
        domain = self.hosts.domain if self.hosts else ""
        if target.query or target.fragment:
            if not target.host or target.host == source.host:
                raise BadRule("it leads to itself")
            return
        if target.host and target.host not in {domain, source.host}:
            raise BadRule(
                f"it leads to {target.host}, an alias, which leads back to {domain or 'the domain'}; "
                f"set spec.domain to {target.host} instead"
            )
        if target.host:
            raise NoOp("the platform redirects http to https, and aliases to the domain")
        if source.pattern.is_exact:
            raise NoOp("nginx adds or takes off the slash where that leads to a page")
        raise BadRule("it leads to itself")

    def _check_page(self, rule: Redirect) -> None:
        """Rewrites and error pages lead to a file of the site."""
        status, target = rule.status, rule.target
        if target.origin and not (target.host and self.hosts and target.host == self.hosts.domain):
            what = "a proxy" if status == HTTPStatus.OK else f"a page for {status} on another host"
            raise BadRule(f"{what} is not supported; the target has to be a path of the site")
        literal = "".join(each if isinstance(each, str) else "x" for each in target.path)
        if any(each.startswith(".") for each in literal.split("/")[1:] if each != ".well-known"):
            raise BadRule("the target has a name that begins with a dot, and nothing that does is served")
        if status == HTTPStatus.OK and _same_path(rule):
            raise NoOp("the file is served there without a rule")
        if not target.is_literal:
            return
        page = self.served.file(_decoded(literal))
        if page is None:
            raise BadRule(f"there is no page {literal[:80]}")
        if status == HTTPStatus.OK and rule.is_plain and self.served.file(_exact(rule)) == page:
            raise NoOp("the file is served there without a rule")

    def _shadow(self, rule: Redirect) -> str:
        """What to say of a rule that a file comes before."""
        if rule.forced or not rule.source.pattern.is_exact:
            return ""
        if not self.served.file(_exact(rule)):
            return ""
        return f"{_exact(rule)[:80]} is a file and comes first; write {rule.status}! to put the rule before it"


def _target(draft: Draft, names: Sequence[str]) -> Target:
    if ":splat" in draft.to and grammar.SPLAT not in names:
        raise BadRule("':splat' in the target stands for a '*', and there is none in the path")
    return grammar.target(draft.to, names)


def _params(words: Sequence[str], names: Sequence[str]) -> tuple[tuple[Param, ...], tuple[str, ...]]:
    """The parameters, and the names of all captures."""
    if len(words) > _MAX_PARAMS:
        raise BadRule(f"a rule may name {_MAX_PARAMS} query parameters, not {len(words)}")
    params, all_names = [], list(names)
    for word in words:
        match = _PARAM.fullmatch(word)
        if match is None:
            raise BadRule(f"{word[:40]!r} is not a query parameter such as id=:id")
        name, value = match.groups()
        if re.fullmatch(r":[A-Za-z_][A-Za-z0-9_]*", value):
            if value[1:] in all_names:
                raise BadRule(f"the placeholder {value[:80]!r} occurs twice")
            all_names.append(value[1:])
            params.append(Param(_decoded(name), len(all_names)))
        else:
            params.append(Param(_decoded(name), _decoded(value)))
    return tuple(params), tuple(all_names)


def _decoded(text: str) -> str:
    try:
        return grammar.decoded(text)
    except UnicodeDecodeError:
        raise BadRule(f"{text[:80]!r} is not UTF-8 once it is decoded") from None


def _exact(rule: Redirect) -> str:
    return rule.source.pattern.prefix or "/"


def _same_path(rule: Redirect) -> bool:
    """Whether the path of the target is the one that matches, but for slashes at the end."""
    pattern, path = rule.source.pattern, rule.target.path
    if pattern.is_exact:
        literal = "".join(map(str, path)) if rule.target.is_literal else "?"
        return [each for each in _decoded(literal).split("/") if each] == list(pattern.head)
    number = 0
    words: list[str] = []
    for each in pattern.head:
        number += each is None
        words.append(f"\0{number}" if each is None else each)
    if pattern.star is None or not pattern.is_folder:
        return pattern.star is None and _joined(path) == words
    return _joined(path) == [*words, f"\0{number + 1}"]


def _joined(path: grammar.Parts) -> list[str]:
    text = "".join(f"\0{each}" if isinstance(each, int) else _decoded(each) for each in path)
    return [each for each in text.split("/") if each]
