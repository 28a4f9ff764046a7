"""The grammar of every field that tenants write, as plain functions that return the value or raise ValueError.

``crds/`` has the same rules as patterns and CEL. Tests check both with ``tests/cases/fields.yaml``, so that they cannot
drift.
All patterns are matched with ``fullmatch``: Python's ``$`` would accept a trailing newline (threat U4).
"""

import re
from datetime import timedelta

MAX_REPO_LENGTH = 1024
MAX_BRANCH_LENGTH = 200
MAX_PATH_LENGTH = 1024
MAX_PREFIX_LENGTH = 200
MAX_ALIASES = 10
MAX_DOMAIN_LENGTH = 253
MAX_NAME_LENGTH = 63
MAX_DURATION_LENGTH = 32
MIN_SYNC_INTERVAL = timedelta(seconds=10)
MAX_SYNC_INTERVAL = timedelta(hours=24)

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# A percent escape may encode a space or a non-ASCII byte, but not a control character, slash, dot or backslash.
_REPO = re.compile(
    r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
    r"(/([A-Za-z0-9_~.+@=,-]|%20|%[89A-Fa-f][0-9A-Fa-f])+)+/?"
)
# The pattern of kup6s-pages 1.0, whose manifests we accept, rewritten so that it never backtracks. A segment must have
# a character other than a dot.
_PATH = re.compile(r"(/\.*[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?")
_PREFIX = re.compile(r"(/\.*[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])")
_BRANCH = re.compile(r"[^\x00-\x20\x7f-\x9f~^:?*\[\\]+")
_HEX_DIGITS = re.compile(r"[0-9A-Fa-f]{40,64}")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SECRET_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_SECRET_KEY = re.compile(r"[-._A-Za-z0-9]+")
_DURATION = re.compile(r"([0-9]{1,8}(\.[0-9]{1,6})?(ms|s|m|h))+")
_DURATION_PART = re.compile(r"([0-9.]+)(ms|s|m|h)")
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def at_most(value: str, limit: int) -> None:
    """Raise ValueError for a value that is too long, which bounds the work of the checks that follow."""
    if len(value) > limit:
        raise ValueError(f"must be at most {limit} characters long, not {len(value)}")


def site_name(value: str) -> str:
    """A StaticSite's name: a DNS label without ``--``, which would make ``{namespace}--{name}`` ambiguous."""
    at_most(value, MAX_NAME_LENGTH)
    if not _NAME.fullmatch(value):
        raise ValueError("must consist of lower-case letters, digits and '-', and begin and end with a letter or digit")
    if "--" in value:
        raise ValueError("must not contain '--'")
    return value


def repo(value: str) -> str:
    """A repository URL that is safe to pass to git: http or https, without credentials or query."""
    at_most(value, MAX_REPO_LENGTH)
    authority = value.partition("://")[2].partition("/")[0]
    if "@" in authority:
        raise ValueError("must not contain credentials or '@' before the host; name a Secret in secretRef instead")
    if not _REPO.fullmatch(value):
        raise ValueError("must be an https:// (or http://) URL such as https://forge.example.com/org/site.git")
    if "/../" in f"{value}/" or "/./" in f"{value}/":
        raise ValueError("must not contain '.' or '..' as a path segment")
    return value


def branch(value: str) -> str:
    """A branch name that git accepts and cannot mistake for an option or a revision expression."""
    at_most(value, MAX_BRANCH_LENGTH)
    if not _BRANCH.fullmatch(value):
        raise ValueError("must not be empty or contain spaces, control characters or any of ~ ^ : ? * [ \\")
    if value in ("HEAD", "@") or value[0] in "-/." or value[-1] in "/.":
        raise ValueError("must not be 'HEAD' or '@', begin with '-', '/' or '.', or end with '/' or '.'")
    if any(part in f"{value}/" for part in ("..", "//", "@{", "/.", ".lock/")):
        raise ValueError("must not contain '..', '//', '@{' or '/.', or a part that ends with '.lock'")
    return value


def revision(value: str) -> str:
    """The full id of a commit, or the name of a tag. Abbreviated ids are rejected: a tag could have such a name."""
    branch(value)
    if value.startswith("refs/"):
        raise ValueError("must be the id of a commit, or the name of a tag without 'refs/tags/'")
    if _HEX_DIGITS.fullmatch(value) and not is_commit(value):
        raise ValueError("must be the full id of a commit in lower case: 40 digits, or 64 for SHA-256")
    return value


def is_commit(revision: str) -> bool:
    """Whether the revision is the id of a commit, and not the name of a tag."""
    return bool(_COMMIT.fullmatch(revision))


def path(value: str) -> str:
    """The published folder in the repository; ``/`` means the whole repository."""
    at_most(value, MAX_PATH_LENGTH)
    if not _PATH.fullmatch(value):
        raise ValueError("must begin with '/', and use only letters, digits, '.', '_' and '-' between slashes")
    if "/.git/" in f"{value.lower()}/":
        raise ValueError("must not contain a '.git' folder")
    return value


def path_prefix(value: str) -> str:
    """The URL path below which the site is served. An empty path means the root of the domain."""
    at_most(value, MAX_PREFIX_LENGTH)
    if not _PREFIX.fullmatch(value):
        raise ValueError(
            "must begin with '/', not end with '/', and use only letters, digits, '.', '_' and '-' between slashes"
        )
    if value == "/.well-known" or value.startswith("/.well-known/"):
        raise ValueError("must not be below /.well-known, which certificate authorities use")
    return value


def domain(value: str) -> str:
    """A DNS name with at least two labels. The last one begins with a letter, which rules out IP addresses."""
    at_most(value, MAX_DOMAIN_LENGTH)
    if not _DOMAIN.fullmatch(value):
        raise ValueError("must be a DNS name such as www.example.com, without scheme, port, wildcard or final dot")
    return value


def alias(value: str) -> str:
    """A further domain, which redirects to the site's own. It is in lower case, so that duplicates are easy to find."""
    if value != value.lower():
        raise ValueError("must be in lower case")
    return domain(value)


def domain_pattern(value: str) -> str:
    """A domain, or ``*.domain`` for all its subdomains at any depth (but not the domain itself)."""
    domain(value.removeprefix("*."))
    return value


def secret_name(value: str) -> str:
    """The name of a Secret in the StaticSite's own namespace."""
    at_most(value, MAX_DOMAIN_LENGTH)
    if not _SECRET_NAME.fullmatch(value):
        raise ValueError("must be the name of a Secret; use only lower-case letters, digits, '-' and '.'")
    return value


def secret_key(value: str) -> str:
    """A key in the data of a Secret."""
    at_most(value, MAX_DOMAIN_LENGTH)
    if not _SECRET_KEY.fullmatch(value):
        raise ValueError("must be a key of a Secret; use only letters, digits, '-', '_' and '.'")
    return value


def duration(value: str) -> timedelta:
    """A duration as Go and Kubernetes write it: ``1h30m`` or ``90s``."""
    at_most(value, MAX_DURATION_LENGTH)
    if not _DURATION.fullmatch(value):
        raise ValueError("must be a duration such as 30s, 5m or 1h30m")
    return timedelta(
        seconds=sum(float(number) * _DURATION_UNITS[unit] for number, unit in _DURATION_PART.findall(value))
    )


def sync_interval(value: str) -> str:
    """How often a branch is polled. The bounds protect the forge, and prevent an overflow (CVE-2022-39272)."""
    if not MIN_SYNC_INTERVAL <= duration(value) <= MAX_SYNC_INTERVAL:
        raise ValueError("must be between 10s and 24h")
    return value
