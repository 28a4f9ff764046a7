"""Every reason that a condition may show: what it means, who can mend it, and how.

``docs/reference/conditions.md`` is made of it; a test looks in the code for those that are missing here. A condition's
own message is more exact, for it knows the names.
"""

from dataclasses import dataclass
from typing import Literal

Who = Literal["tenant", "administrator", "nobody"]


@dataclass(frozen=True)
class Reason:
    """``who`` acts; ``nobody``: all is well, or it passes by itself."""

    name: str
    meaning: str
    who: Who
    what_to_do: str = ""


@dataclass(frozen=True)
class Group:
    """The reasons of one condition that come from one place. ``condition`` is its type."""

    kind: Literal["StaticSite", "Platform", "VirtualHost"]
    condition: str
    about: str
    reasons: tuple[Reason, ...]


_FROM_GIT = (
    Reason("Synced", "the commit that the message names is live", "nobody"),
    Reason("Pending", "the first sync, or the one after a change of the StaticSite, is on its way", "nobody"),
    Reason(
        "Suspended", "`spec.suspend` is set: what is live stays, nothing new is published", "tenant", "set it to false"
    ),
    Reason(
        "SiteClosed",
        "visitors need a password, and the Secret with their names cannot be used",
        "tenant",
        "mend the Secret that `spec.basicAuth` names; until then nobody is let in",
    ),
    Reason(
        "HostNotAllowed",
        "the repository's server is none that the syncer may ask",
        "administrator",
        "add it to `--allowed-hosts`, or the tenant names another repository",
    ),
    Reason(
        "AddressNotAllowed",
        "the server's name leads to an address inside",
        "administrator",
        "write the server in full in `--allowed-hosts`, with its scheme, if that is meant",
    ),
    Reason("Unreachable", "the git server does not answer, or with an error", "nobody", "tried again, ever later"),
    Reason(
        "Timeout",
        "the git server, or the writing of the release, took too long",
        "nobody",
        "tried again; a large repository may need a longer `--git-transfer-time`",
    ),
    Reason(
        "RepoMoved", "the server redirects elsewhere; this is not followed", "tenant", "set `spec.repo` to the new URL"
    ),
    Reason(
        "RepoNotFound",
        "there is no such repository, or it is private",
        "tenant",
        "mend `spec.repo`, or name a Secret in `spec.secretRef`",
    ),
    Reason(
        "AuthFailed",
        "the server wants credentials, or refuses these",
        "tenant",
        "put a token that may read the repository into the Secret; a new one is tried within a minute",
    ),
    Reason(
        "SecretMissing",
        "there is no such Secret, or no such key in it",
        "tenant",
        "create it, or mend `spec.secretRef`",
    ),
    Reason(
        "SecretForbidden",
        "the namespace does not let the syncer read the Secret",
        "tenant",
        "have whoever administers the namespace apply the Role that the message ends with",
    ),
    Reason("SecretUnreadable", "the Kubernetes API did not give the Secret", "nobody", "tried again within a minute"),
    Reason("EmptyRepo", "the repository has no commit yet", "tenant", "push one"),
    Reason("BranchNotFound", "the repository has no such branch", "tenant", "push it, or mend `spec.branch`"),
    Reason(
        "RevisionNotFound",
        "the repository has no such commit or tag",
        "tenant",
        "push it, or mend `spec.revision`; removing it goes back to the branch",
    ),
    Reason("SubpathNotFound", "the branch has no such folder", "tenant", "push it, or mend `spec.path`"),
    Reason("NotADirectory", "`spec.path` leads to a file, a link or a submodule", "tenant", "name a folder"),
    Reason(
        "NothingToPublish",
        "the published folder has no files, or only such as are left out",
        "tenant",
        "push a page, or mend `spec.path`; to take the site down, delete the StaticSite",
    ),
    Reason(
        "UnsupportedServer",
        "the server only hands out files; this is not spoken",
        "tenant",
        "use a server that speaks smart HTTP, as every forge does",
    ),
    Reason(
        "LimitExceeded",
        "the site, or its repository, is beyond a [limit](limits.md)",
        "tenant",
        "publish less, or ask the administrator for more",
    ),
    Reason(
        "QuotaExceeded",
        "the site's or the namespace's part of the volume is used up",
        "tenant",
        "wait until old releases are gone, publish less, or ask the administrator for more",
    ),
    Reason("StorageFull", "the volume, or the cache, is full", "administrator", "enlarge it, or lower quotas"),
    Reason("StorageFailed", "the volume cannot be written", "administrator", "look at the volume and the syncer's log"),
    Reason(
        "GitFailed",
        "git failed for a reason that is not known here",
        "administrator",
        "look at the message and the syncer's log",
    ),
    Reason("SyncFailed", "the sync failed unexpectedly", "administrator", "look at the syncer's log"),
    Reason("LeaseLost", "another syncer has taken over", "nobody", "it syncs the site in its turn"),
    Reason("SiteDeleted", "the StaticSite went while it was synced", "nobody"),
)

_WAITING_FOR_HOOKS = (
    Reason("Pending", "the hooks have not spoken of the site as it is now", "nobody", "a matter of seconds"),
    Reason("NoPlatform", "there is no Platform in the system namespace", "administrator", "create one"),
    Reason("PlatformInvalid", "the Platform has a mistake, so nothing changes", "administrator", "mend it"),
)

_OF_ROUTES = (
    Reason("Routed", "Traefik routes the domain to the site", "nobody"),
    *_WAITING_FOR_HOOKS,
    Reason(
        "InvalidSpec", "a field is wrong; what was valid before stays routed", "tenant", "mend the field that is named"
    ),
    Reason(
        "DomainConflict",
        "a site of another namespace has the domain",
        "tenant",
        "choose another domain, or ask the administrator for a domain policy with `sharedPaths`",
    ),
    Reason(
        "PathConflict", "another site has this path of the domain", "tenant", "choose another `pathPrefix` or domain"
    ),
    Reason("DomainReserved", "the administrator keeps the domain", "tenant", "choose another domain or name"),
    Reason(
        "PlatformDomain",
        "the domain is the platform's own, or below it",
        "tenant",
        "leave `spec.domain` out, or use a domain of your own",
    ),
    Reason(
        "DomainNotAllowed",
        "the namespace may not use this domain",
        "administrator",
        "add it to the Platform's `domainPolicies`",
    ),
    Reason(
        "NamespaceNotSelected",
        "sites of this namespace are not served",
        "administrator",
        "label the namespace as the Platform's `namespaceSelector` wants",
    ),
    Reason(
        "NoCertificate",
        "no issuer could sign for the domain",
        "administrator",
        "set the Platform's `tls.issuerRef`, or the tenant leaves `spec.domain` out",
    ),
    Reason(
        "NameConflict",
        "Traefik could not tell the site from another",
        "tenant",
        "give the site [another name](../decisions/0004-names-in-traefik.md)",
    ),
)

_OF_CERTIFICATES = (
    Reason("Issued", "the domain has its certificate", "nobody"),
    Reason("Wildcard", "the wildcard certificate covers the domain", "nobody"),
    Reason("NotNeeded", "the platform serves plain HTTP", "nobody"),
    Reason(
        "Issuing",
        "cert-manager has asked for the certificate",
        "nobody",
        "minutes; if it lasts, does the domain lead to this cluster?",
    ),
    Reason(
        "NotReady",
        "cert-manager could not get it; it may also give a reason of its own",
        "administrator",
        "`kubectl describe certificate` in the system namespace",
    ),
)

GROUPS = (
    Group("StaticSite", "Synced", "Whether the branch is live.", _FROM_GIT),
    Group("StaticSite", "IngressReady", "Whether the domain leads to the site.", _OF_ROUTES),
    Group(
        "StaticSite",
        "CertificateReady",
        "Whether the domain has a certificate.",
        (
            *_OF_CERTIFICATES,
            *_WAITING_FOR_HOOKS,
            Reason("NotRouted", "the site has no domain yet; `IngressReady` says why", "nobody"),
        ),
    ),
    Group(
        "StaticSite",
        "AliasesReady",
        "Present where there are `spec.aliases`: whether these domains lead to the site. It never makes `Ready` false.",
        _OF_ROUTES,
    ),
    Group(
        "StaticSite",
        "RulesReady",
        "Present where redirects or headers are left out. It never makes `Ready` false.",
        (
            Reason(
                "TooManyRules",
                "there is no room for [all of them](redirects-and-headers.md#limits) on the domain",
                "tenant",
                "write fewer or shorter ones, or use another domain",
            ),
        ),
    ),
    Group(
        "StaticSite",
        "Ready",
        "The first of the three above that is wrong, else the first that is open, with its reason and message.",
        (Reason("Ready", "visitors see the commit", "nobody"),),
    ),
    Group(
        "Platform",
        "Ready",
        "Whether what the Platform says is done.",
        (
            Reason("Ready", "every valid site is routed", "nobody"),
            Reason(
                "InvalidSpec",
                "the Platform has a mistake; nothing changes until it is mended",
                "administrator",
                "mend it",
            ),
            Reason("RemovalHeld", "see the condition `RemovalHeld`", "administrator", "look whether this is meant"),
        ),
    ),
    Group(
        "Platform",
        "RemovalHeld",
        "Present while a [mass removal](../decisions/0003-mass-removal-brake.md) is held back.",
        (
            Reason(
                "MassRemoval",
                "more than half of all domains would go at once; they are kept for a while",
                "administrator",
                "if it is meant, wait; else bring the StaticSites back",
            ),
        ),
    ),
    Group(
        "VirtualHost",
        "IngressReady",
        "Whether what Traefik needs is there.",
        (
            Reason("Routed", "Traefik routes the domain", "nobody"),
            Reason(
                "Pending", "an object is being created", "nobody", "a second; else its name is taken by something else"
            ),
        ),
    ),
    Group("VirtualHost", "CertificateReady", "Whether the domain has a certificate.", _OF_CERTIFICATES),
    Group(
        "VirtualHost",
        "Ready",
        "The first of the two above that is not true, with its reason.",
        (
            Reason("Ready", "the domain is served", "nobody"),
            Reason("InvalidSpec", "somebody has edited it by hand", "nobody", "the hooks mend it"),
        ),
    ),
)
