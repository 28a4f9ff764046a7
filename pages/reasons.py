"""Every reason that a condition may show: what it means, who can fix it, and how.

``docs/reference/conditions.md`` is generated from this list, and a test searches the code for reasons that are missing
here. The message of a condition is more precise, because it names the objects.
"""

from dataclasses import dataclass
from typing import Literal

Who = Literal["tenant", "administrator"]


@dataclass(frozen=True)
class Reason:
    """One reason. ``who`` has to act; None: nothing is wrong, or the problem goes away without action."""

    name: str
    meaning: str
    who: Who | None = None
    what_to_do: str = ""


@dataclass(frozen=True)
class Group:
    """The reasons of one condition. ``condition`` is the condition's type."""

    kind: Literal["StaticSite", "Platform", "VirtualHost"]
    condition: str
    about: str
    reasons: tuple[Reason, ...]


_FROM_GIT = (
    Reason("Synced", "the commit that the message names is live"),
    Reason("Pending", "the first sync, or the sync after a change to the StaticSite, has not finished"),
    Reason(
        "Suspended",
        "`spec.suspend` is true: the live release stays online, and no new commit is published",
        "tenant",
        "set it to false",
    ),
    Reason(
        "SiteClosed",
        "the site requires passwords, and the Secret that holds them cannot be used",
        "tenant",
        "fix the Secret that `spec.basicAuth` names; until then the site rejects all visitors",
    ),
    Reason(
        "HostNotAllowed",
        "the syncer is not allowed to contact the repository's server",
        "administrator",
        "add the server to `--allowed-hosts`, or have the tenant choose another repository",
    ),
    Reason(
        "AddressNotAllowed",
        "the server's name resolves to a private address",
        "administrator",
        "if that is intended, add the server to `--allowed-hosts` in full, with its scheme",
    ),
    Reason(
        "Unreachable",
        "the git server does not answer, or answers with an error",
        None,
        "the syncer retries with increasing delays",
    ),
    Reason(
        "Timeout",
        "the git server, or writing the release, took too long",
        None,
        "the syncer retries; a large repository may need a longer `--git-transfer-time`",
    ),
    Reason(
        "RepoMoved",
        "the server redirects to another URL, and the syncer does not follow redirects",
        "tenant",
        "set `spec.repo` to the new URL",
    ),
    Reason(
        "RepoNotFound",
        "the repository does not exist, or it is private",
        "tenant",
        "correct `spec.repo`, or name a Secret in `spec.secretRef`",
    ),
    Reason(
        "AuthFailed",
        "the server requires credentials, or rejects the ones in the Secret",
        "tenant",
        "put a token with read access to the repository into the Secret; the syncer tries it within a minute",
    ),
    Reason(
        "SecretMissing",
        "the Secret does not exist, or it lacks the key",
        "tenant",
        "create the Secret, or correct `spec.secretRef`",
    ),
    Reason(
        "SecretForbidden",
        "the syncer is not allowed to read the Secret",
        "tenant",
        "ask an administrator of the namespace to apply the Role at the end of the message",
    ),
    Reason(
        "SecretUnreadable", "the Kubernetes API did not return the Secret", None, "the syncer retries within a minute"
    ),
    Reason("EmptyRepo", "the repository has no commits yet", "tenant", "push a commit"),
    Reason("BranchNotFound", "the repository has no such branch", "tenant", "push it, or correct `spec.branch`"),
    Reason(
        "RevisionNotFound",
        "the repository has no such commit or tag",
        "tenant",
        "push it, or correct `spec.revision`; remove the field to follow the branch again",
    ),
    Reason("SubpathNotFound", "the branch has no such folder", "tenant", "push it, or correct `spec.path`"),
    Reason("NotADirectory", "`spec.path` names a file, a symlink or a submodule", "tenant", "name a folder"),
    Reason(
        "NothingToPublish",
        "the published folder is empty, or contains only ignored files",
        "tenant",
        "push a page, or correct `spec.path`; to take the site offline, delete the StaticSite",
    ),
    Reason(
        "UnsupportedServer",
        "the server only speaks the dumb HTTP protocol, which is not supported",
        "tenant",
        "use a server that speaks the smart HTTP protocol, as all forges do",
    ),
    Reason(
        "LimitExceeded",
        "the site or its repository exceeds a [limit](limits.md)",
        "tenant",
        "publish less, or ask the administrator to raise the limit",
    ),
    Reason(
        "QuotaExceeded",
        "the site or its namespace has used up its disk quota",
        "tenant",
        "wait until old releases are deleted, publish less, or ask the administrator to raise the quota",
    ),
    Reason("StorageFull", "the volume or the cache is full", "administrator", "enlarge it, or lower the quotas"),
    Reason(
        "StorageFailed",
        "the syncer cannot write to the volume",
        "administrator",
        "check the volume and the syncer's log",
    ),
    Reason(
        "GitFailed",
        "git failed with an unexpected error",
        "administrator",
        "read the message and the syncer's log",
    ),
    Reason("SyncFailed", "the sync failed with an unexpected error", "administrator", "read the syncer's log"),
    Reason("LeaseLost", "another syncer has taken over", None, "the other syncer syncs the site"),
    Reason("SiteDeleted", "the StaticSite was deleted during the sync"),
)

_WAITING_FOR_HOOKS = (
    Reason("Pending", "the hooks have not processed the latest change yet", None, "this takes a few seconds"),
    Reason("NoPlatform", "the system namespace has no Platform", "administrator", "create one"),
    Reason(
        "PlatformInvalid",
        "the Platform has an invalid field, so routes do not change",
        "administrator",
        "correct the Platform",
    ),
)

_OF_ROUTES = (
    Reason("Routed", "Traefik routes the domain to the site"),
    *_WAITING_FOR_HOOKS,
    Reason(
        "InvalidSpec",
        "a field is invalid; the last valid routes stay in place",
        "tenant",
        "correct the field that the message names",
    ),
    Reason(
        "DomainConflict",
        "a site in another namespace owns the domain",
        "tenant",
        "choose another domain, or ask the administrator for a domain policy with `sharedPaths`",
    ),
    Reason(
        "PathConflict",
        "another site is served at this path of the domain",
        "tenant",
        "choose another `pathPrefix` or domain",
    ),
    Reason("DomainReserved", "the administrator has reserved the domain", "tenant", "choose another domain or name"),
    Reason(
        "PlatformDomain",
        "the domain is the platform's own domain or a subdomain of it",
        "tenant",
        "remove `spec.domain`, or use a domain of your own",
    ),
    Reason(
        "DomainNotAllowed",
        "the namespace is not allowed to use this domain",
        "administrator",
        "add the domain to the Platform's `domainPolicies`",
    ),
    Reason(
        "NamespaceNotSelected",
        "the Platform does not serve sites in this namespace",
        "administrator",
        "add the labels of the Platform's `namespaceSelector` to the namespace",
    ),
    Reason(
        "NoCertificate",
        "no issuer is configured for the domain's certificate",
        "administrator",
        "set the Platform's `tls.issuerRef`, or have the tenant remove `spec.domain`",
    ),
    Reason(
        "NameConflict",
        "Traefik cannot distinguish the site from another one",
        "tenant",
        "give the site [another name](../decisions/0004-names-in-traefik.md)",
    ),
)

_OF_CERTIFICATES = (
    Reason("Issued", "the domain has a valid certificate"),
    Reason("Wildcard", "the wildcard certificate covers the domain"),
    Reason("NotNeeded", "the platform serves plain HTTP"),
    Reason(
        "Issuing",
        "cert-manager has requested the certificate",
        None,
        "this takes minutes; if it takes longer, check that the domain points to this cluster",
    ),
    Reason(
        "NotReady",
        "cert-manager could not obtain the certificate; it may report a reason of its own instead",
        "administrator",
        "run `kubectl describe certificate` in the system namespace",
    ),
)

GROUPS = (
    Group("StaticSite", "Synced", "Whether the branch is live.", _FROM_GIT),
    Group("StaticSite", "IngressReady", "Whether the site is served on its domain.", _OF_ROUTES),
    Group(
        "StaticSite",
        "CertificateReady",
        "Whether the domain has a certificate.",
        (
            *_OF_CERTIFICATES,
            *_WAITING_FOR_HOOKS,
            Reason("NotRouted", "the site has no domain yet; `IngressReady` says why"),
        ),
    ),
    Group(
        "StaticSite",
        "AliasesReady",
        "Present if `spec.aliases` is set: whether these domains redirect to the site. It does not affect `Ready`.",
        _OF_ROUTES,
    ),
    Group(
        "StaticSite",
        "Ready",
        "The first of the three conditions above that is false, or else the first that is unknown; it has the same "
        "reason and message.",
        (Reason("Ready", "visitors see the commit"),),
    ),
    Group(
        "Platform",
        "Ready",
        "Whether the Platform is applied.",
        (
            Reason("Ready", "every valid site is routed"),
            Reason(
                "InvalidSpec",
                "the Platform has an invalid field; nothing changes until it is corrected",
                "administrator",
                "correct the Platform",
            ),
            Reason(
                "RemovalHeld",
                "see the condition `RemovalHeld`",
                "administrator",
                "check whether the removal is intended",
            ),
        ),
    ),
    Group(
        "Platform",
        "RemovalHeld",
        "Present while a [mass removal](../decisions/0003-mass-removal-brake.md) is on hold.",
        (
            Reason(
                "MassRemoval",
                "more than half of all domains would be removed at once; they are kept for a few minutes",
                "administrator",
                "if the removal is intended, wait; if not, restore the StaticSites",
            ),
        ),
    ),
    Group(
        "VirtualHost",
        "IngressReady",
        "Whether the objects that Traefik needs exist.",
        (
            Reason("Routed", "Traefik routes the domain"),
            Reason(
                "Pending",
                "an object is being created",
                None,
                "this takes a second; if it takes longer, another object has its name",
            ),
        ),
    ),
    Group("VirtualHost", "CertificateReady", "Whether the domain has a certificate.", _OF_CERTIFICATES),
    Group(
        "VirtualHost",
        "Ready",
        "The first of the two conditions above that is not true; it has the same reason and message.",
        (
            Reason("Ready", "the domain is served"),
            Reason("InvalidSpec", "the VirtualHost was edited by hand", None, "the hooks restore it"),
        ),
    ),
)
