"""What each reason of a condition means, and what to do about it, for who does not know the parts by name."""

import re
from typing import NamedTuple

from pages.reasons import GROUPS, Reason


class Words(NamedTuple):
    """What it means, and what to do; nothing to do where it is well or passes by itself."""

    means: str
    todo: str = ""


TITLES = {
    "Ready": "The site as a whole",
    "Synced": "Content from git",
    "IngressReady": "Route to the site",
    "CertificateReady": "TLS certificate",
    "AliasesReady": "Further domains",
}
_SITES = [group for group in GROUPS if group.kind == "StaticSite"]
# One reason may stand with several conditions: the first has the word.
_KNOWN = {
    reason.name: reason
    for group in reversed(GROUPS)
    if group.kind == "StaticSite"
    for reason in reversed(group.reasons)
}
_UNKNOWN = Words("", "Read the message; else ask the administrator.")
_MARKDOWN = re.compile(r"\[([^]]*)\]\([^)]*\)|`")


def of(reason: str) -> Words:
    """The words for a condition's reason; none are made up for one that is not known."""
    known = _KNOWN.get(reason)
    return _UNKNOWN if known is None else Words(_sentence(known.meaning), _sentence(_what_to_do(known)))


def _what_to_do(reason: Reason) -> str:
    asks = "ask the administrator: " if reason.who == "administrator" and reason.what_to_do else ""
    return f"{asks}{reason.what_to_do}"


def _sentence(markdown: str) -> str:
    text = _MARKDOWN.sub(r"\1", markdown)
    return f"{text[0].upper()}{text[1:]}." if text else ""
