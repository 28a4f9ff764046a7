"""Redirects as Traefik's redirectRegex: from a tenant's words to expressions of ours.

Traefik matches the whole URL with Go's RE2, which is linear in its length. All that a tenant wrote is escaped. Targets
on the site itself are paths without a host, and what stands for ``:splat`` never begins with a slash or a backslash,
so that none of them ever leads to another host (V4).
"""

import re

from hooks.payload import Object
from pages import rule_syntax
from pages.api import Redirect

_SCHEME_AND_HOST = "^[a-z]+://[^/?#]*"
_QUERY = r"(\?.*)?$"
_SEGMENT = r"([^/?#\x5c]+)"
_SPLAT = r"(?:/+([^/?#\x5c][^?#\x5c]*)?)?"


def redirect(rule: Redirect, path_prefix: str) -> Object:
    """The redirectRegex of a rule, below the site's pathPrefix. Its query goes along unless the target has its own."""
    names: list[str] = []
    expression = f"{_SCHEME_AND_HOST}{escaped(path_prefix)}"
    for segment in rule_syntax.segments(rule.from_):
        if segment.is_name:
            names.append(segment.text)
        expression += "/" + (_SEGMENT if segment.is_name else escaped(segment.text))
    if rule_syntax.has_splat(rule.from_):
        expression += _SPLAT
        names.append("splat")
    elif rule.from_ == "/" and not path_prefix:
        expression += "/"
    else:
        expression += "/?"
    return {
        "regex": expression + _QUERY,
        "replacement": _replacement(rule.to, names, path_prefix),
        "permanent": rule.status in rule_syntax.PERMANENT,
    }


def alias(domain: str, path_prefix: str, scheme: str) -> Object:
    """The redirectRegex that sends a whole domain to where its site is, with path, query and port as they came."""
    return {
        "regex": rf"^[a-z]+://[^/?#:]*(:[0-9]+)?(?:{escaped(path_prefix)})?((?:[/?].*)?)$",
        "replacement": f"{scheme}://{domain}${{1}}{_literal(path_prefix)}${{2}}",
        "permanent": True,
    }


def escaped(text: str) -> str:
    """A text as an expression that matches it alone; the digits of a percent escape may have either case."""
    parts = re.split(r"(%[0-9A-Fa-f]{2})", text)
    return "".join(
        f"(?i:{part})" if number % 2 else re.sub(r"[^A-Za-z0-9/_%~,;=@!&'-]", r"\\\g<0>", part)
        for number, part in enumerate(parts)
    )


def _replacement(to: str, names: list[str], path_prefix: str) -> str:
    known: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        known.setdefault(name, number)
    made = _literal(path_prefix) if to.startswith("/") else ""
    for piece in rule_syntax.pieces(to):
        if piece.is_name and piece.text in known:
            made += f"${{{known[piece.text]}}}"
        else:
            made += _literal(f":{piece.text}" if piece.is_name else piece.text)
    if "?" in to:
        return made
    path, hash_, fragment = made.partition("#")
    return f"{path}${{{len(names) + 1}}}{hash_}{fragment}"


def _literal(text: str) -> str:
    return text.replace("$", "$$")
