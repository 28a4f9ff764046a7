"""Translates git's stderr into errors. No other module matches on its words."""

import re
import signal
from collections.abc import Collection

from pages import sizes
from syncer import errors
from syncer.errors import SyncError
from syncer.limits import ProcessLimits

_MAX_QUOTE = 300

ASKED = (
    "the git server asks for credentials: the repository is private or does not exist; "
    "check spec.repo, or name a Secret with a user name and a token in spec.secretRef"
)
REFUSED = "the git server refuses the credentials of spec.secretRef; check that the token is valid and may read"

# The first match wins. The sentences say what the tenant or the administrator can do.
_RULES: tuple[tuple[str, type[SyncError], str], ...] = (
    (
        r"No space left on device|Disk quota exceeded",
        errors.StorageFull,
        "the git cache is full; free space or enlarge it",
    ),
    (r"Read-only file system|insufficient permission", errors.StorageFailed, "the git cache cannot be written"),
    (
        r"dumb http transport",
        errors.UnsupportedServer,
        "the server only speaks the dumb HTTP protocol, which is not supported; use a forge or git http-backend",
    ),
    (r"couldn't find remote ref", errors.BranchNotFound, "the repository has no such branch"),
    (r"returned error: 3\d\d", errors.RepoMoved, "the repository has moved (the server redirects); update spec.repo"),
    (
        r"returned error: 404|repository '.*' not found",
        errors.RepoNotFound,
        "the repository does not exist; check spec.repo",
    ),
    (
        r"does not appear to be a git repository|does not exist|is this a git repository",
        errors.RepoNotFound,
        "there is no git repository at that path; check spec.repo",
    ),
    (
        r"not our ref|unadvertised object|mismatched (algorithms|object format)",
        errors.ObjectNotGiven,
        "the git server does not have that commit, or does not serve it by its id",
    ),
    (r"dubious ownership", errors.GitFailed, "the repository belongs to another user of this machine"),
    (r"returned error: 429", errors.Busy, "the git server is rate limiting the syncer; it retries later"),
    (r"returned error: [45]\d\d", errors.Unreachable, "the git server answers with an error"),
    (
        r"certificate|SSL|TLS",
        errors.Unreachable,
        "the git server has no trusted TLS certificate; check its certificate",
    ),
    (r"Could not resolve host", errors.Unreachable, "the name of the git server cannot be resolved; check spec.repo"),
    (
        r"Operation too slow|[Tt]imed out|Timeout",
        errors.TimedOut,
        "the git server is too slow; the syncer tries again later",
    ),
    (
        r"corruption on the remote side|is a \w+, not a \w+",
        errors.GitFailed,
        "the repository is damaged at the git server; repair it there (git fsck), or push it again",
    ),
    (
        r"Failed to connect|Connection (refused|reset)|unable to access|hung up|RPC failed|early EOF|protocol error",
        errors.Unreachable,
        "the git server cannot be reached; the syncer tries again later",
    ),
    (r"transport '.*' not allowed", errors.HostNotAllowed, "URLs of this kind are not allowed"),
    (r"fsck error|index-pack failed", errors.GitFailed, "the repository contains an object that git refuses"),
)
_AUTH = re.compile(r"Authentication failed|could not read (Username|Password)|returned error: 40[13]|Access denied")


def explain(
    verb: str, code: int, stderr: bytes, *, secrets: Collection[str] = (), limits: ProcessLimits | None = None
) -> SyncError:
    """The error for git's output, which it quotes without control characters and the ``secrets``."""
    text = stderr.decode("utf-8", "replace")
    quote = clean(text, secrets)
    if limit := _limit(code, text, limits or ProcessLimits()):
        return limit
    if _AUTH.search(text):
        return errors.AuthFailed(f"{REFUSED if secrets else ASKED} (git: {quote})")
    for pattern, error, sentence in _RULES:
        if re.search(pattern, text):
            return error(f"{sentence} (git: {quote})")
    return errors.GitFailed(f"git {verb} failed with code {code} (git: {quote or 'no output'})")


def _limit(code: int, text: str, limits: ProcessLimits) -> SyncError | None:
    """The error where git, or a child of its own, ran into a limit."""

    def died_of(number: signal.Signals) -> bool:
        return code in {-number, 128 + number} or f"signal {number:d}" in text

    if died_of(signal.SIGXFSZ) or "File too large" in text:  # children of Python ignore the signal
        return _too_large(f"its content has more than {sizes.show(limits.file_bytes)}", "--max-pack-size")
    # Fetch says no more where its index-pack was killed; other failures add a line of their own.
    silent = re.findall(r"^fatal: .*", text, re.MULTILINE) == ["fatal: fetch-pack: invalid index-pack output"]
    if died_of(signal.SIGXCPU) or silent:
        return _too_large(f"git needs more than {limits.cpu_seconds} seconds of CPU for it", "--git-cpu-time")
    if re.search(r"[Oo]ut of memory|Cannot allocate memory|data too large", text):
        return errors.LimitExceeded(
            f"the repository is too large: git needs more than {sizes.show(limits.memory_bytes)} of memory for it; "
            "make its files smaller"
        )
    return None


def _too_large(what: str, flag: str) -> SyncError:
    return errors.LimitExceeded(
        f"the repository is too large: {what}, the limit of {flag}; remove large files from the branch, "
        "or ask the administrator to raise it"
    )


def clean(text: str, secrets: Collection[str] = ()) -> str:
    """Make one short line of printable characters out of untrusted text, without the secrets."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return one_line(text, _MAX_QUOTE)


def one_line(text: str, most: int) -> str:
    """Make one short line of printable characters out of untrusted text."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return words if len(words) <= most else f"{words[:most]}…"
