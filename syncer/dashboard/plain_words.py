"""What each reason of a condition means, and what to do about it, for who does not know the parts by name."""

from typing import NamedTuple


class Words(NamedTuple):
    """What it means, and what to do; nothing to do where it is well or passes by itself."""

    means: str
    todo: str = ""


TITLES = {
    "Ready": "The site as a whole",
    "Synced": "Content from git",
    "IngressReady": "Route to the site",
    "CertificateReady": "TLS certificate",
}
_WAIT = "Wait: it is tried again by itself."
_ASK = "Ask the administrator."
_WORDS = {
    # All is well, or will be.
    "Ready": Words("The site is live, and everything about it is in order."),
    "Synced": Words("What is live is what the repository holds."),
    "Routed": Words("Requests for the domain reach the site."),
    "Issued": Words("The domain has a valid certificate."),
    "Wildcard": Words("The platform's own certificate covers the domain."),
    "Off": Words("This platform serves plain HTTP, so there is no certificate."),
    "NotNeeded": Words("The site needs none."),
    "Pending": Words("It has not been looked at yet, or is being worked on.", "Wait a moment."),
    "Issuing": Words("A certificate has been ordered.", "Wait a minute; the domain must lead to this platform."),
    "Certificate": Words("It depends on the certificate, which is not there yet.", "Look at the certificate below."),
    "NotReady": Words("Something it depends on is not ready.", "Read the message; else ask the administrator."),
    "NotRouted": Words("Without a route there is nothing to have a certificate for.", "Mend the route first."),
    # Git.
    "HostNotAllowed": Words(
        "The repository is on a server that this platform does not publish from.",
        "Move the repository, or ask the administrator to allow its server.",
    ),
    "AddressNotAllowed": Words("The server's name leads to an address that is not asked.", _ASK),
    "Unreachable": Words("The git server cannot be reached, or answers with an error.", _WAIT),
    "Timeout": Words("The git server is too slow.", _WAIT),
    "RepoMoved": Words("The repository is somewhere else now.", "Write its new address into spec.repo."),
    "RepoNotFound": Words("There is no such repository, or it is hidden.", "Check spec.repo."),
    "AuthFailed": Words(
        "The git server wants other credentials.", "Renew the token in the Secret that spec.secretRef names."
    ),
    "SecretMissing": Words("The Secret with the credentials is missing, or lacks a key.", "Create or mend the Secret."),
    "SecretForbidden": Words(
        "The syncer may not read the Secret.", "Apply the Role and RoleBinding that the message ends with."
    ),
    "SecretUnreadable": Words("Kubernetes did not hand out the Secret just now.", _WAIT),
    "EmptyRepo": Words("The repository has no commits.", "Push a first one."),
    "BranchNotFound": Words("The repository has no such branch.", "Push it, or change spec.branch."),
    "RevisionNotFound": Words(
        "The tag or commit that the site is pinned to is not there.", "Change spec.revision, or remove it."
    ),
    "SubpathNotFound": Words("The branch has no such folder.", "Push it, or change spec.path."),
    "NotADirectory": Words("What spec.path names is not a folder.", "Change spec.path."),
    "UnsupportedServer": Words(
        "The server only hands out files, it does not speak git's protocol.", "Publish from a forge."
    ),
    "UnsupportedRepository": Words("The repository is of a format that is not read.", "Publish from another one."),
    "LimitExceeded": Words(
        "The site is larger than this platform allows.", "Publish less, or ask the administrator for a higher limit."
    ),
    "GitFailed": Words("Git failed in a way that is not known here.", "Read the message; else ask the administrator."),
    "SyncFailed": Words("The sync failed.", "Read the message; else ask the administrator."),
    # The volume.
    "StorageFull": Words("The volume has no room.", _ASK),
    "StorageFailed": Words("The volume cannot be used.", _ASK),
    "QuotaExceeded": Words(
        "The site, or its namespace, has used up its part of the volume.", "Publish less, or ask the administrator."
    ),
    "LeaseLost": Words("Another syncer is taking over.", _WAIT),
    "SiteDeleted": Words("The site was deleted."),
    # Claims.
    "InvalidSpec": Words("A field of the StaticSite has a mistake.", "Mend the field that the message names."),
    "DomainConflict": Words("The domain belongs to another site.", "Choose another domain."),
    "PathConflict": Words("Another site has that path of the domain.", "Choose another pathPrefix."),
    "PlatformDomain": Words("That domain is the platform's own.", "Leave it out, or use one of your own."),
    "DomainReserved": Words("The administrator keeps that domain.", "Use another one."),
    "DomainNotAllowed": Words("Your namespace may not use that domain.", "Use another one, or ask the administrator."),
    "NamespaceNotSelected": Words("This platform does not publish from your namespace.", _ASK),
    "NoCertificate": Words("There is nobody who could issue a certificate for the domain.", _ASK),
    "NameConflict": Words("Another site's objects already have that name.", "Give the site another name."),
    "NoPlatform": Words("The platform is not set up yet.", "Ask the administrator to create a Platform."),
    "PlatformInvalid": Words("The platform's own settings have a mistake.", _ASK),
    "RemovalHeld": Words("Many sites would go at once, so all stay until that is sure.", _ASK),
}
_UNKNOWN = Words("", "Read the message; else ask the administrator.")


def of(reason: str) -> Words:
    """The words for a condition's reason; none are made up for one that is not known."""
    return _WORDS.get(reason, _UNKNOWN)


def known() -> frozenset[str]:
    """The reasons that there are words for."""
    return frozenset(_WORDS)
