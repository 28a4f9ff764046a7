"""What can go wrong between a git server and a published site: one class for each thing to do about it.

The class's name is the reason that the ``Synced`` condition shows, but for those that state another. The text is the
condition's message and says what to do.
"""

from typing import ClassVar

_FIXED_BY_A_PUSH_SECONDS = 300.0  # the server is healthy, and the push that fixes the site should not wait long


class SyncError(Exception):
    """A sync that failed; the last good release stays live."""

    reason: ClassVar[str] = "SyncFailed"
    retry_within_seconds: ClassVar[float] = float("inf")  # finite where the fix is not up to the git server
    remedy: str = ""  # a manifest to apply, which ends the message
    commit: str = ""  # the commit that failed to publish, if one was resolved

    def __init_subclass__(cls, *, reason: str = "") -> None:
        """Name the reason after the class, or as stated. A class below one that states a reason shares it."""
        if reason:
            cls.reason = reason
        elif cls.__base__ is SyncError:
            cls.reason = cls.__name__


class HostNotAllowed(SyncError):
    """The repository's host is not on the operator's list."""


class AddressForbidden(SyncError, reason="AddressNotAllowed"):
    """The repository's host is on the list, but resolves to an address that may not be contacted (U8)."""


class BranchNotFound(SyncError):
    """The repository has other branches, but not this one."""

    retry_within_seconds = _FIXED_BY_A_PUSH_SECONDS


class RevisionNotFound(SyncError):
    """The repository lacks the tag, or the server does not serve the commit by its id."""

    retry_within_seconds = _FIXED_BY_A_PUSH_SECONDS


class EmptyRepo(SyncError):
    """The repository has no commits yet."""

    retry_within_seconds = _FIXED_BY_A_PUSH_SECONDS


class RepoNotFound(SyncError):
    """The server has no such repository, or hides it."""


class RepoMoved(SyncError):
    """The server answered with a redirect. Redirects are never followed: a credential would follow them (U10)."""


class AuthFailed(SyncError):
    """The server refused the credentials, or asked for some."""

    retry_within_seconds = 60  # to read the Secret again; the server is contacted far less often (F11)


class Unreachable(SyncError):
    """The server could not be reached, or answered with an error."""


class Busy(Unreachable):
    """The server rate limits the syncer (``Retry-After``)."""

    def __init__(self, text: str, seconds: float = 60) -> None:
        super().__init__(text)
        self.seconds = seconds


class TimedOut(SyncError, reason="Timeout"):
    """The server did not finish in time."""


class UnsupportedServer(SyncError):
    """The server speaks only the dumb HTTP protocol, which would send git to further servers (U13)."""


class GitFailed(SyncError):
    """Git failed for an unknown reason."""


class ObjectNotGiven(GitFailed):
    """The server lacks an object that was requested by its id, or does not serve it that way."""


class SubpathNotFound(SyncError):
    """The commit has no folder of that name."""

    retry_within_seconds = _FIXED_BY_A_PUSH_SECONDS


class NotADirectory(SyncError):
    """The path is a file, a symlink or a submodule."""

    retry_within_seconds = _FIXED_BY_A_PUSH_SECONDS


class NothingToPublish(SyncError):
    """The published folder has neither a file to serve nor a rule."""

    retry_within_seconds = _FIXED_BY_A_PUSH_SECONDS


class SecretMissing(SyncError):
    """The Secret, or the key in it, does not exist or cannot be used."""

    retry_within_seconds = 60


class SecretForbidden(SyncError):
    """The namespace has not granted access to its Secret; the remedy is the grant (examples/secret-access.yaml)."""

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
    """The Kubernetes API did not answer the request for the Secret."""

    retry_within_seconds = 60


class SiteClosed(SyncError):
    """Visitors need a password, and there is none to check them against: every visitor is refused."""

    retry_within_seconds = 60

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy


class LeaseLost(SyncError):
    """Another syncer may be running: this one must not touch the volume any more (F20)."""


class LimitExceeded(SyncError):
    """The site or its repository exceeds a limit of the operator's."""


class SiteDeleted(SyncError):
    """The StaticSite was deleted, changed or suspended during the sync (F26); there is no status to write."""


class StorageFull(SyncError):
    """The volume or the mirror cache is full."""

    retry_within_seconds = 60


class QuotaExceeded(SyncError):
    """The site, or its namespace, has used its share of the volume."""

    retry_within_seconds = 300  # releases that are no longer live are deleted after the grace time


class StorageFailed(SyncError):
    """The volume cannot be written."""

    retry_within_seconds = 60
