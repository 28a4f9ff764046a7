"""What git's stderr means: the only place that matches on its words."""

import re
import signal

from syncer import errors
from syncer.errors import SyncError

_MAX_QUOTE = 300

ASKED = (
    "the git server asks for credentials: the repository is private or does not exist; "
    "check spec.repo, or name a Secret with a user name and a token in spec.secretRef"
)
REFUSED = "the git server refuses the credentials of spec.secretRef; check that the token is valid and may read"

# The first line that fits wins. The sentences say what the tenant or the administrator does next.
_RULES: tuple[tuple[str, type[SyncError], str], ...] = (
    (r"No space left on device|Disk quota exceeded", errors.StorageFull, "the git cache has no room left; free space"),
    (r"Read-only file system|insufficient permission", errors.StorageFailed, "the git cache cannot be written"),
    (r"couldn't find remote ref", errors.BranchNotFound, "the repository has no such branch"),
    (r"returned error: 3\d\d", errors.RepoMoved, "the repository has moved (the server redirects); update spec.repo"),
    (
        r"returned error: 404|repository '.*' not found",
        errors.RepoNotFound,
        "there is no such repository; check spec.repo",
    ),
    (
        r"does not appear to be a git repository|does not exist",
        errors.RepoNotFound,
        "there is no git repository at that place; check spec.repo",
    ),
    (r"dubious ownership", errors.GitFailed, "the repository belongs to another user of this machine"),
    (r"returned error: 429", errors.Busy, "the git server asks to be asked less often"),
    (r"returned error: [45]\d\d", errors.Unreachable, "the git server answers with an error"),
    (
        r"certificate|SSL|TLS",
        errors.Unreachable,
        "there is no trusted TLS connection to the git server; check its certificate",
    ),
    (r"Could not resolve host", errors.Unreachable, "the name of the git server cannot be resolved; check spec.repo"),
    (
        r"Operation too slow|[Tt]imed out|Timeout",
        errors.TimedOut,
        "the git server is too slow; it is tried again later",
    ),
    (
        r"Failed to connect|Connection (refused|reset)|unable to access|hung up|RPC failed|early EOF|protocol error",
        errors.Unreachable,
        "the git server cannot be reached; it is tried again later",
    ),
    (r"transport '.*' not allowed", errors.HostNotAllowed, "this kind of URL is not allowed"),
    (r"fsck error|index-pack failed", errors.GitFailed, "the repository holds an object that git refuses"),
)
_AUTH = re.compile(r"Authentication failed|could not read (Username|Password)|returned error: 40[13]|Access denied")


def explain(verb: str, code: int, stderr: bytes, *, secret: str | None) -> SyncError:
    """The error that fits; it quotes what git said, without control characters or the secret that was used."""
    text = stderr.decode("utf-8", "replace")
    quote = clean(text.replace(secret, "***") if secret else text)
    if code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ) or "signal 25" in text or "File too large" in text:
        return errors.LimitExceeded("the repository is larger than the operator allows")
    if _AUTH.search(text):
        return errors.AuthFailed(f"{REFUSED if secret else ASKED} (git: {quote})")
    for pattern, error, sentence in _RULES:
        if re.search(pattern, text):
            return error(f"{sentence} (git: {quote})")
    return errors.GitFailed(f"git {verb} failed with code {code} (git: {quote or 'nothing said'})")


def clean(text: str) -> str:
    """Untrusted text in one short line of printable characters."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return words if len(words) <= _MAX_QUOTE else f"{words[:_MAX_QUOTE]}…"
