"""Decides which site owns which domain and path: claims in, grants and rejections out.

A domain belongs to its current holder, or else to the oldest claim (by creationTimestamp, then uid). Only the namespace
of the owner may add paths to the domain, unless a domainPolicy allows sharing. The order of the claims does not matter.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from hooks import certificates
from pages import names
from pages.api import DomainPolicy, PlatformSpec, Rejection, SiteKey


@dataclass(frozen=True)
class Claim:
    """A site's claim to a domain (lower-case) and a path on it (empty: the root). ``created`` is in epoch seconds.

    ``is_alias``: the domain redirects to the domain of the site. Aliases are claimed like any other domain.
    """

    namespace: str
    name: str
    uid: str
    domain: str
    path_prefix: str = ""
    created: float = 0.0
    is_alias: bool = False

    @property
    def site(self) -> SiteKey:
        """The namespace and name of the site."""
        return SiteKey(self.namespace, self.name)


class Refusal(NamedTuple):
    """Why a claim is rejected: the reason, and a message with the next step."""

    reason: str
    message: str


@dataclass
class Decision:
    """The granted claims by domain, that of the owner first, and the rejections."""

    grants: dict[str, list[Claim]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)

    def reject(self, claim: Claim, refusal: Refusal) -> None:
        """Add the rejection of a claim."""
        alias = claim.domain if claim.is_alias else None
        self.rejections.append(
            Rejection(
                namespace=claim.namespace,
                name=claim.name,
                reason=refusal.reason,
                message=refusal.message,
                alias=alias,
            )
        )

    def drop_stray_aliases(self) -> None:
        """Reject the aliases of sites that have no domain."""
        routed = {claim.site for granted in self.grants.values() for claim in granted if not claim.is_alias}
        for domain, granted in list(self.grants.items()):
            stray = [claim for claim in granted if claim.is_alias and claim.site not in routed]
            message = f"{domain} redirects to the site, which has no domain itself; fix the site's own domain first"
            for claim in stray:
                granted.remove(claim)
                self.reject(claim, Refusal(reason="NotRouted", message=message))
            if not granted:
                del self.grants[domain]


# The uid of the site that holds a path of a domain, by (domain, path).
Holders = Mapping[tuple[str, str], str]
# The labels of each namespace.
NamespaceLabels = Mapping[str, dict[str, str]]


def decide(
    claims: Iterable[Claim], spec: PlatformSpec, holders: Holders, namespace_labels: NamespaceLabels
) -> Decision:
    """Grant or reject every claim."""
    decision = Decision()
    checks = Checks(spec, namespace_labels, decision.grants)
    held_domains = {(domain, uid) for (domain, _), uid in holders.items()}
    for claim in sorted(claims, key=partial(_precedence, holders, held_domains)):
        refusal = checks.refusal(claim)
        if refusal:
            decision.reject(claim, refusal)
        else:
            checks.remember_name(claim)
            decision.grants.setdefault(claim.domain, []).append(claim)
    decision.drop_stray_aliases()
    return decision


def _precedence(
    holders: Holders, held_domains: Collection[tuple[str, str]], claim: Claim
) -> tuple[int, float, str, str, str]:
    """Sort first the holder of the path, then holders of another path of the domain, then the oldest claim."""
    if claim.uid and holders.get((claim.domain, claim.path_prefix)) == claim.uid:
        rank = 0
    else:
        rank = 1 if (claim.domain, claim.uid) in held_domains else 2
    return rank, claim.created, claim.uid, claim.namespace, claim.name


class Checks:
    """Checks a claim against the Platform and against the claims granted before it. Each check returns a Refusal."""

    def __init__(
        self, spec: PlatformSpec, namespace_labels: NamespaceLabels, grants: Mapping[str, list[Claim]]
    ) -> None:
        self._spec = spec
        self._namespace_labels = namespace_labels
        self._grants = grants
        self._pages_domain = spec.pages_domain.lower()
        self._reserved = (f"webhook.{self._pages_domain}", *spec.reserved_domains)
        self._sites_by_traefik_key: dict[str, SiteKey] = {}

    def refusal(self, claim: Claim) -> Refusal | None:
        """The first reason to reject the claim; None if it is granted."""
        return (
            self.namespace(claim)
            or self.name(claim)
            or self.reserved(claim)
            or self.domain(claim)
            or self.certificate(claim)
            or self.owner(claim)
            or self.path(claim)
        )

    def remember_name(self, claim: Claim) -> None:
        """Keep the name of a granted claim for the checks of later claims."""
        self._sites_by_traefik_key[names.traefik_key(claim.namespace, claim.name)] = claim.site

    def namespace(self, claim: Claim) -> Refusal | None:
        """Reject sites in namespaces that the Platform does not select."""
        selector = self._spec.namespace_selector
        if selector is None or selector.matches(self._namespace_labels.get(claim.namespace, {})):
            return None
        return Refusal(
            reason="NamespaceNotSelected",
            message=f"sites in namespace {claim.namespace!r} are not served; ask the administrator "
            "to add the labels of the Platform's namespaceSelector to the namespace",
        )

    def name(self, claim: Claim) -> Refusal | None:
        """Reject a site that Traefik cannot distinguish from a site with a granted claim."""
        other = self._sites_by_traefik_key.get(names.traefik_key(claim.namespace, claim.name), claim.site)
        if other == claim.site:
            return None
        return Refusal(
            reason="NameConflict",
            message=f"Traefik cannot distinguish {claim.namespace}--{claim.name} from another site, "
            "whose namespace and name have the dashes in other places; give this site another name",
        )

    def reserved(self, claim: Claim) -> Refusal | None:
        """Reject domains that the administrator has reserved."""
        if not any(_covers(pattern, claim.domain) for pattern in self._reserved):
            return None
        instead = "remove it from spec.aliases" if claim.is_alias else "choose another domain or name"
        return Refusal(reason="DomainReserved", message=f"{claim.domain} is reserved by the administrator; {instead}")

    def domain(self, claim: Claim) -> Refusal | None:
        """Reject the platform's own domains, and domains that no policy allows."""
        own = names.default_domain(claim.name, self._pages_domain)
        if claim.domain == own:
            return None
        if f".{claim.domain}".endswith(f".{self._pages_domain}"):
            instead = f"the only possible alias here is {own}" if claim.is_alias else f"remove spec.domain to use {own}"
            message = f"{claim.domain} belongs to the platform; {instead}, or use a domain of your own"
            return Refusal(reason="PlatformDomain", message=message)
        if self._spec.domain_policies and not self._policies(claim):
            return Refusal(
                reason="DomainNotAllowed",
                message=f"namespace {claim.namespace!r} is not allowed to use {claim.domain}; "
                "ask the administrator to add it to the Platform's domainPolicies",
            )
        return None

    def certificate(self, claim: Claim) -> Refusal | None:
        """Reject domains for which the platform cannot get a certificate."""
        if certificates.is_possible(self._spec, claim.domain):
            return None
        instead = "remove it from spec.aliases" if claim.is_alias else "remove spec.domain"
        return Refusal(
            reason="NoCertificate",
            message=f"no issuer is configured for a certificate of {claim.domain}; {instead}, "
            "or ask the administrator to set the Platform's tls.issuerRef",
        )

    def owner(self, claim: Claim) -> Refusal | None:
        """Reject domains of another namespace, unless a policy allows sharing."""
        granted = self._grants.get(claim.domain)
        if not granted or granted[0].namespace == claim.namespace:
            return None
        if any(policy.shared_paths for policy in self._policies(claim)):
            return None
        # The message must not reveal names of other namespaces.
        return Refusal(
            reason="DomainConflict",
            message=f"{claim.domain} is in use by a site of another namespace; choose another domain",
        )

    def path(self, claim: Claim) -> Refusal | None:
        """Reject a path of a domain that another site has."""
        for other in self._grants.get(claim.domain, ()):
            if other.path_prefix == claim.path_prefix:
                where = f"{claim.domain}{claim.path_prefix or '/'}"
                by = f"site {other.name!r}" if other.namespace == claim.namespace else "a site of another namespace"
                message = f"{where} is already served by {by}; choose another pathPrefix or domain"
                return Refusal(reason="PathConflict", message=message)
        return None

    def _policies(self, claim: Claim) -> list[DomainPolicy]:
        return [
            policy
            for policy in self._spec.domain_policies
            if (claim.namespace in policy.namespaces or "*" in policy.namespaces)
            and any(_covers(pattern, claim.domain) for pattern in policy.domains)
        ]


def _covers(pattern: str, domain: str) -> bool:
    """Whether the pattern matches the domain. ``*.`` matches all subdomains, but not the domain itself."""
    pattern = pattern.lower()
    return domain.endswith(pattern[1:]) if pattern.startswith("*.") else domain == pattern
