"""Explains the reasons of conditions, and what to do, to readers who do not know the components."""

import re
from typing import NamedTuple

from pages.reasons import GROUPS, Reason


class Words(NamedTuple):
    """The meaning of a reason and what to do, empty where nothing needs to be done."""

    means: str
    todo: str = ""


TITLES = {
    "Ready": "The site as a whole",
    "Synced": "Content from git",
    "IngressReady": "Route to the site",
    "CertificateReady": "TLS certificate",
    "AliasesReady": "Additional domains",
    "RulesReady": "Redirects and headers",
}
_SITES = [group for group in GROUPS if group.kind == "StaticSite"]
# Several conditions may share a reason: the first explanation counts.
_REASONS = {
    reason.name: reason
    for group in reversed(GROUPS)
    if group.kind == "StaticSite"
    for reason in reversed(group.reasons)
}
_UNKNOWN = Words("", "Read the message, or ask the administrator.")
_MARKDOWN = re.compile(r"\[([^]]*)\]\([^)]*\)|`")


def of(reason: str) -> Words:
    """Explain a condition's reason, if it is documented."""
    documented = _REASONS.get(reason)
    if documented is None:
        return _UNKNOWN
    return Words(_sentence(documented.meaning), _sentence(_what_to_do(documented)))


def _what_to_do(reason: Reason) -> str:
    asks = "ask the administrator: " if reason.who == "administrator" and reason.what_to_do else ""
    return f"{asks}{reason.what_to_do}"


def _sentence(markdown: str) -> str:
    text = _MARKDOWN.sub(r"\1", markdown)
    return f"{text[0].upper()}{text[1:]}." if text else ""
