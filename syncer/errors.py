"""What can go wrong between a git server and a published site: one class per thing to do about it.

Each carries the reason that the ``Synced`` condition shows; its text is the condition's message and says what to do.
"""

from typing import ClassVar

# Seconds: the server is well, and the push that mends it is not to wait for long.
_A_PUSH_MENDS_IT = 300


class SyncError(Exception):
    """A sync that failed; the last good release stays."""

    reason: ClassVar[str] = "SyncFailed"
    retry_within_seconds: ClassVar[float] = float("inf")  # what is not mended at the server need not wait long
    remedy: str = ""  # something to apply as it is, which the message ends with
    commit: str = ""  # what could not be published, where it came to that


class HostNotAllowed(SyncError):
    """The repository's host is not on the operator's list."""

    reason = "HostNotAllowed"


class AddressForbidden(SyncError):
    """The repository's host is allowed, but its name leads to an address that is not (U8)."""

    reason = "AddressNotAllowed"


class BranchNotFound(SyncError):
    """The repository has other branches, but not this one."""

    reason = "BranchNotFound"
    retry_within_seconds = _A_PUSH_MENDS_IT


class RevisionNotFound(SyncError):
    """The repository has no such tag, or the server does not give out such a commit."""

    reason = "RevisionNotFound"
    retry_within_seconds = _A_PUSH_MENDS_IT


class EmptyRepo(SyncError):
    """The repository has no commits yet."""

    reason = "EmptyRepo"
    retry_within_seconds = _A_PUSH_MENDS_IT


class RepoNotFound(SyncError):
    """The server knows no such repository, or hides it."""

    reason = "RepoNotFound"


class RepoMoved(SyncError):
    """The server answered with a redirect, which is never followed (U10)."""

    reason = "RepoMoved"


class AuthFailed(SyncError):
    """The server refused the credentials, or asked for some."""

    reason = "AuthFailed"
    retry_within_seconds = 60  # to look at the Secret; the server is asked far less often (F11)


class Unreachable(SyncError):
    """The server could not be reached, or answered with an error."""

    reason = "Unreachable"


class Busy(Unreachable):
    """The server asks to be left alone for a while (``Retry-After``)."""

    def __init__(self, text: str, seconds: float = 60) -> None:
        super().__init__(text)
        self.seconds = seconds


class TimedOut(SyncError):
    """The server did not finish in time."""

    reason = "Timeout"


class UnsupportedServer(SyncError):
    """The server only hands out files; it would have us look for them at other servers, too (U13)."""

    reason = "UnsupportedServer"


class GitFailed(SyncError):
    """Git failed for a reason we do not know."""

    reason = "GitFailed"


class ObjectNotGiven(GitFailed):
    """The server lacks an object that it was asked for by its id, or does not hand it out so."""


class SubpathNotFound(SyncError):
    """The branch has no folder of that name."""

    reason = "SubpathNotFound"
    retry_within_seconds = _A_PUSH_MENDS_IT


class NotADirectory(SyncError):
    """What stands at the path is a file, a link or a submodule."""

    reason = "NotADirectory"
    retry_within_seconds = _A_PUSH_MENDS_IT


class NothingToPublish(SyncError):
    """There is no file in the published folder that visitors could be shown, nor a rule for them."""

    reason = "NothingToPublish"
    retry_within_seconds = _A_PUSH_MENDS_IT


class SecretMissing(SyncError):
    """The Secret, or the key in it, does not exist or is not usable."""

    reason = "SecretMissing"
    retry_within_seconds = 60


class SecretForbidden(SyncError):
    """The namespace has not granted us its Secret; the remedy is the grant (examples/secret-access.yaml)."""

    reason = "SecretForbidden"
    retry_within_seconds = 60

    def __init__(self, namespace: str, name: str, system_namespace: str) -> None:
        super().__init__(
            f"namespace {namespace!r} does not let the syncer read Secret {name!r}; to allow it, apply this"
        )
        role = f"pages-secret-{name}"[:253].rstrip("-.")
        meta = f'metadata: {{name: {role}, namespace: "{namespace}"}}'
        self.remedy = f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{meta}
rules: [{{apiGroups: [""], resources: [secrets], resourceNames: ["{name}"], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{meta}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {role}}}
subjects: [{{kind: ServiceAccount, name: pages-syncer, namespace: {system_namespace}}}]
"""


class SecretUnreadable(SyncError):
    """The Kubernetes API did not answer when we asked for the Secret."""

    reason = "SecretUnreadable"
    retry_within_seconds = 60


class SiteClosed(SyncError):
    """Visitors need a password, and there are none that could be checked: nobody is let in."""

    reason = "SiteClosed"
    retry_within_seconds = 60

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy


class LeaseLost(SyncError):
    """Another syncer may be at work: this one must not touch the volume any more (F20)."""

    reason = "LeaseLost"


class LimitExceeded(SyncError):
    """The site is larger than the operator allows."""

    reason = "LimitExceeded"


class SiteDeleted(SyncError):
    """The StaticSite went, or was changed or suspended, while it was being synced (F26); there is nobody to tell."""

    reason = "SiteDeleted"


class StorageFull(SyncError):
    """The volume or the mirror cache has no room."""

    reason = "StorageFull"
    retry_within_seconds = 60


class QuotaExceeded(SyncError):
    """The site, or its namespace, has used up its part of the volume."""

    reason = "QuotaExceeded"
    retry_within_seconds = 300  # releases that are not live any more go after the grace time


class StorageFailed(SyncError):
    """The volume cannot be written."""

    reason = "StorageFailed"
    retry_within_seconds = 60
