"""``_redirects``, in Netlify's syntax: a line is ``from to [status]``. Pure; the text is a stranger's.

What we have no counterpart for is told by its line and left out: rewrites, conditions, query parameters, other hosts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from pages import rule_syntax
from pages.api import Redirect
from syncer.content.lines import BadLine, Lines, ascii_only
from syncer.content.served import Served

FILE = "_redirects"
_STATUS = re.compile(r"([0-9]{3})(!?)")
_CONDITION = re.compile(r"(?i)(country|language|role|cookie|signed)=")
_EVERYTHING = "/*"
# The page that nginx answers with where nothing is.
_FALLBACKS = {200: "200.html", 404: "404.html"}
_INSTEAD = {
    200: "rewrites (200) are not supported, but for `/* /page.html 200`: the page of a single-page app",
    404: "404 is not supported, but for `/* /page.html 404`: the page that answers what is missing",
}
# What Traefik answers instead.
_TAKEN_AS = {303: 302, 307: 302, 308: 301}


@dataclass(frozen=True)
class Found:
    """What the file says: redirects, and which files are to be the ones that answer what is missing, by their name."""

    redirects: list[Redirect] = field(default_factory=list)
    fallbacks: dict[str, str] = field(default_factory=dict)


def parse(lines: Lines, served: Served) -> Found:
    """What the lines say; those that are no rule, or not what they would be elsewhere, are noted."""
    found = Found()
    for number, line in lines:
        words = list(_words(line))
        if not words:
            continue
        with lines.noting(number):
            for remark in _take(words, served, found):
                lines.note(number, remark)
        if len(found.redirects) > rule_syntax.MAX_FILE_REDIRECTS:
            lines.note(
                number, f"a file has at most {rule_syntax.MAX_FILE_REDIRECTS} redirects; from here on they are left out"
            )
            found.redirects.pop()
            break
    return found


def _take(words: Sequence[str], served: Served, found: Found) -> Iterator[str]:
    """Add one rule, and remark what is done in another way than elsewhere. Raises BadLine."""
    from_, to, rest = _parts(words)
    status, forced = _status(rest)
    if status in _FALLBACKS:
        _add_fallback(found, (from_, to, status), served, forced=forced)
        return
    redirect = _redirect(from_, to, status)
    if not forced and (hidden := _hidden(redirect, served)):
        yield f"it hides files too, such as {hidden[:80]}: write {status}! if that is meant"
    if status in _TAKEN_AS and all(each.status != status for each in found.redirects):
        yield f"{status} is taken as {_TAKEN_AS[status]}, here and below"
    found.redirects.append(redirect)


def _words(line: str) -> Iterator[str]:
    for word in line.split():
        if word.startswith("#"):
            return
        yield word


def _parts(words: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    """From where, to where, and the words after that. Raises BadLine."""
    from_, *rest = words
    if "://" in from_ or from_.startswith("//"):
        raise BadLine("a rule for another host is not supported; name the host in spec.aliases")
    if "?" in from_:
        raise BadLine("query parameters are not supported in what is redirected")
    if not rest:
        raise BadLine("there is no target: a line is `from to [status]`")
    to, *rest = rest
    if "=" in to and not to.startswith(("/", "http://", "https://")):
        raise BadLine("query parameters are not supported in what is redirected")
    return from_, to, rest


def _status(words: Sequence[str]) -> tuple[int, bool]:
    """The status code, and whether an exclamation mark stands behind it: it comes before the files. Raises BadLine."""
    if not words:
        return rule_syntax.PERMANENT[0], False
    match = _STATUS.fullmatch(words[0])
    if match is None and _CONDITION.match(words[0]):
        raise BadLine("conditions such as Country, Language and Role are not supported")
    if match is None:
        raise BadLine(f"{words[0][:40]!r} is no status code: a line is `from to [status]`")
    status = int(match[1])
    if status not in {*rule_syntax.STATUSES, *_FALLBACKS}:
        known = ", ".join(map(str, rule_syntax.STATUSES))
        raise BadLine(f"status {status} is not supported, only {known}")
    if len(words) > 1:
        raise BadLine("conditions such as Country, Language and Role are not supported")
    return status, bool(match[2])


def _add_fallback(found: Found, rule: tuple[str, str, int], served: Served, *, forced: bool) -> None:
    """``/* /index.html 200``: that page is to answer what is missing. Raises BadLine."""
    from_, to, status = rule
    if status == HTTPStatus.OK and to == from_.replace("*", ":splat"):
        return  # as it is anyhow
    if from_ != _EVERYTHING or not to.startswith("/") or ":" in to or forced:
        raise BadLine(_INSTEAD[status])
    name, page = _FALLBACKS[status], served.file(to)
    if page is None:
        raise BadLine(f"there is no page {to[:80]}")
    if served.file(f"/{name}") not in {None, page}:
        raise BadLine(f"the site has a {name}, which answers what is missing")
    found.fallbacks.setdefault(name, page)


def _hidden(redirect: Redirect, served: Served) -> str | None:
    """A file that the redirect comes before. Raises BadLine where it is to give way: Traefik itself knows no files."""
    hidden = served.hidden(redirect.from_)
    if hidden == redirect.from_:
        raise BadLine(f"{hidden[:80]} is there and comes first: write {redirect.status}! to redirect it all the same")
    return hidden


def _redirect(from_: str, to: str, status: int) -> Redirect:
    """One redirect. Raises BadLine, ValueError."""
    redirect = _made(ascii_only(from_), ascii_only(to), status)
    if unknown := rule_syntax.unknown_names(redirect.from_, redirect.to):
        raise BadLine(f"':{unknown[0]}' in the target is not in what is redirected")
    if rule_syntax.leads_to_itself(redirect.from_, redirect.to):
        raise BadLine("it leads to itself")
    return redirect


def _made(from_: str, to: str, status: int) -> Redirect:
    try:
        rule_syntax.redirect_from(from_)
    except ValueError as error:
        raise BadLine(f"what is redirected {error}") from None
    try:
        rule_syntax.redirect_to(to)
    except ValueError as error:
        raise BadLine(f"the target {error}") from None
    if ":splat" in to and not rule_syntax.has_splat(from_):
        raise BadLine("':splat' in the target is not in what is redirected")
    return Redirect.model_validate({"from": from_, "to": to, "status": status})
