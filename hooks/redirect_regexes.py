"""Translates a tenant's redirects into Traefik's redirectRegex.

Traefik matches the whole URL with Go's RE2, whose time is linear in the length of the URL. All text from tenants is
escaped. A target on the site itself is a path without a host, and the value of ``:splat`` never begins with a slash or
a backslash, so that such a target never leads to another host (V4).
"""

import re

from pages import rule_syntax
from pages.api import Object, Redirect

_SCHEME_AND_HOST = "^[a-z]+://[^/?#]*"
_QUERY = r"(\?.*)?$"
_SEGMENT = r"([^/?#\x5c]+)"
_SPLAT = r"(?:/+([^/?#\x5c][^?#\x5c]*)?)?"


def redirect(rule: Redirect, path_prefix: str) -> Object:
    """The redirectRegex of a rule, below the site's pathPrefix. It keeps the query unless the target has one."""
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
    """The redirectRegex that redirects an alias to the domain of its site, and keeps path, query and port."""
    return {
        "regex": rf"^[a-z]+://[^/?#:]*(:[0-9]+)?(?:{escaped(path_prefix)})?((?:[/?].*)?)$",
        "replacement": f"{scheme}://{domain}${{1}}{_literal(path_prefix)}${{2}}",
        "permanent": True,
    }


def escaped(text: str) -> str:
    """An expression that matches only this text. The digits of a percent escape may have either case."""
    parts = re.split(r"(%[0-9A-Fa-f]{2})", text)
    return "".join(
        f"(?i:{part})" if number % 2 else re.sub(r"[^A-Za-z0-9/_%~,;=@!&'-]", r"\\\g<0>", part)
        for number, part in enumerate(parts)
    )


def _replacement(to: str, names: list[str], path_prefix: str) -> str:
    # Of placeholders with the same name, the first one counts.
    groups = {name: number for number, name in reversed(list(enumerate(names, 1)))}
    replacement = _literal(path_prefix) if to.startswith("/") else ""
    for piece in rule_syntax.pieces(to):
        if piece.is_name and piece.text in groups:
            replacement += f"${{{groups[piece.text]}}}"
        else:
            replacement += _literal(f":{piece.text}" if piece.is_name else piece.text)
    if "?" in to:
        return replacement
    path, hash_, fragment = replacement.partition("#")
    return f"{path}${{{len(names) + 1}}}{hash_}{fragment}"


def _literal(text: str) -> str:
    return text.replace("$", "$$")
