"""``_redirects``, in Netlify's syntax: a line is ``from to [status]``. Pure; the text is a stranger's.

What we have no counterpart for is told by its line and left out: rewrites, conditions, query parameters, other hosts.
"""

import re
from collections.abc import Iterator

from pages import rules
from pages.api import Redirect
from syncer.content.lines import BadLine, Lines, ascii_only

FILE = "_redirects"
_STATUS = re.compile(r"([0-9]{3})(!?)")
_CONDITION = re.compile(r"(?i)(country|language|role|cookie|signed)=")
_UNSUPPORTED = {
    "200": "rewrites (200) are not supported; for a single-page app, name its page 200.html",
    "404": "404 is not supported here; the page that is named 404.html answers what is missing",
}


def parse(lines: Lines) -> list[Redirect]:
    """The redirects of the file; lines that are none are noted."""
    found: list[Redirect] = []
    for number, line in lines:
        words = list(_words(line))
        if not words:
            continue
        with lines.noting(number):
            found.append(_redirect(words))
        if len(found) > rules.MAX_FILE_REDIRECTS:
            lines.note(
                number, f"a file has at most {rules.MAX_FILE_REDIRECTS} redirects; from here on they are left out"
            )
            return found[:-1]
    return found


def _words(line: str) -> Iterator[str]:
    for word in line.split():
        if word.startswith("#"):
            return
        yield word


def _redirect(words: list[str]) -> Redirect:
    """One rule. Raises BadLine, ValueError."""
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
    status = _status(rest)
    redirect = _made(ascii_only(from_), ascii_only(to), status)
    if unknown := rules.unknown_names(redirect.from_, redirect.to):
        raise BadLine(f"':{unknown[0]}' in the target is not in what is redirected")
    if rules.leads_to_itself(redirect.from_, redirect.to):
        raise BadLine("it leads to itself")
    return redirect


def _status(words: list[str]) -> int:
    """The status code; an exclamation mark changes nothing, for every redirect comes before the files."""
    if not words:
        return rules.PERMANENT[0]
    match = _STATUS.fullmatch(words[0])
    if match is None and _CONDITION.match(words[0]):
        raise BadLine("conditions such as Country, Language and Role are not supported")
    if match is None:
        raise BadLine(f"{words[0][:40]!r} is no status code: a line is `from to [status]`")
    if int(match[1]) not in rules.STATUSES:
        known = ", ".join(map(str, rules.STATUSES))
        raise BadLine(_UNSUPPORTED.get(match[1], f"status {match[1]} is not supported, only {known}"))
    if len(words) > 1:
        raise BadLine("conditions such as Country, Language and Role are not supported")
    return int(match[1])


def _made(from_: str, to: str, status: int) -> Redirect:
    try:
        rules.redirect_from(from_)
    except ValueError as error:
        raise BadLine(f"what is redirected {error}") from None
    try:
        rules.redirect_to(to)
    except ValueError as error:
        raise BadLine(f"the target {error}") from None
    if ":splat" in to and not rules.has_splat(from_):
        raise BadLine("':splat' in the target is not in what is redirected")
    return Redirect.model_validate({"from": from_, "to": to, "status": status})
