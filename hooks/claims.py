"""Who owns which domain and path: claims -> grants and rejections.

A domain belongs to whoever holds it now, else to the oldest claim (creationTimestamp, then uid). Its owner's namespace
alone may add paths to it, unless a domainPolicy shares them. Nothing here depends on the order of the claims.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from pages import names
from pages.api import DomainPolicy, PlatformSpec, Rejection, SiteKey


@dataclass(frozen=True)
class Claim:
    """A site's wish for a domain (lower-case) and a path on it (empty: the root). ``created``: epoch seconds.

    ``is_alias``: the domain is to redirect to the one where the site is served. It is claimed as any other.
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
        """The site that claims."""
        return SiteKey(self.namespace, self.name)


@dataclass
class Decision:
    """Claims by domain, the owner's first, and why the others got nothing."""

    grants: dict[str, list[Claim]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)

    def reject(self, claim: Claim, reason: str, message: str) -> None:
        """Note why a claim is not granted."""
        alias = claim.domain if claim.is_alias else None
        self.rejections.append(
            Rejection(namespace=claim.namespace, name=claim.name, reason=reason, message=message, alias=alias)
        )

    def drop_stray_aliases(self) -> None:
        """An alias of a site that is served nowhere leads nowhere."""
        served = {claim.site for granted in self.grants.values() for claim in granted if not claim.is_alias}
        for domain, granted in list(self.grants.items()):
            for claim in [each for each in granted if each.is_alias and each.site not in served]:
                granted.remove(claim)
                self.reject(claim, "NotRouted", f"{domain} redirects to the site, which has no domain itself")
            if not granted:
                del self.grants[domain]


# The uid that holds a path of a domain, by (domain, path).
Holders = Mapping[tuple[str, str], str]
Check = Callable[[Claim], tuple[str, str] | None]


def decide(
    claims: Iterable[Claim],
    spec: PlatformSpec,
    holders: Holders,
    *,
    selected: Callable[[str], bool],
    has_certificate: Callable[[str], bool],
) -> Decision:
    """Grant or reject every claim.

    ``selected`` says whether a namespace may have sites, ``has_certificate`` whether TLS is possible for a domain.
    """
    decision = Decision()
    keys: dict[str, SiteKey] = {}
    held_domains = {(domain, uid) for (domain, _), uid in holders.items()}
    checks: tuple[Check, ...] = (
        partial(_check_namespace, selected),
        partial(_check_name, keys),
        partial(_check_domain, spec),
        partial(_check_certificate, has_certificate),
        partial(_check_owner, spec, decision.grants),
    )
    for claim in sorted(claims, key=partial(_precedence, holders, held_domains)):
        refusal = next(filter(None, (check(claim) for check in checks)), None)
        if refusal:
            decision.reject(claim, *refusal)
            continue
        keys[names.traefik_key(claim.namespace, claim.name)] = claim.site
        decision.grants.setdefault(claim.domain, []).append(claim)
    decision.drop_stray_aliases()
    return decision


def _precedence(
    holders: Holders, held_domains: Collection[tuple[str, str]], claim: Claim
) -> tuple[int, float, str, str, str]:
    """Who holds exactly this comes first, then who holds another path of the domain, then the oldest."""
    if claim.uid and holders.get((claim.domain, claim.path_prefix)) == claim.uid:
        rank = 0
    else:
        rank = 1 if (claim.domain, claim.uid) in held_domains else 2
    return rank, claim.created, claim.uid, claim.namespace, claim.name


def _check_namespace(selected: Callable[[str], bool], claim: Claim) -> tuple[str, str] | None:
    if selected(claim.namespace):
        return None
    return "NamespaceNotSelected", (
        f"sites in namespace {claim.namespace!r} are not served here: "
        "ask the administrator to label the namespace as the Platform's namespaceSelector wants"
    )


def _check_name(keys: Mapping[str, SiteKey], claim: Claim) -> tuple[str, str] | None:
    other = keys.get(names.traefik_key(claim.namespace, claim.name), claim.site)
    if other == claim.site:
        return None
    return "NameConflict", (
        f"Traefik cannot tell {claim.namespace}--{claim.name} from a site that was there first, "
        "whose namespace and name have the dashes elsewhere: give this site another name"
    )


def _check_domain(spec: PlatformSpec, claim: Claim) -> tuple[str, str] | None:
    pages_domain = spec.pages_domain.lower()
    reserved = (f"webhook.{pages_domain}", *spec.reserved_domains)
    if any(_covers(pattern, claim.domain) for pattern in reserved):
        instead = "take it out of spec.aliases" if claim.is_alias else "choose another domain or name"
        return "DomainReserved", f"{claim.domain} is reserved by the administrator: {instead}"
    if claim.domain == names.default_domain(claim.name, pages_domain):
        return None
    if claim.domain == pages_domain or claim.domain.endswith(f".{pages_domain}"):
        own = names.default_domain(claim.name, pages_domain)
        instead = (
            f"an alias there can only be {own}" if claim.is_alias else f"leave spec.domain out to be served at {own}"
        )
        return "PlatformDomain", f"{claim.domain} belongs to the platform: {instead}, or use a domain of your own"
    if spec.domain_policies and not _policies(spec, claim):
        return "DomainNotAllowed", (
            f"namespace {claim.namespace!r} may not use {claim.domain}: "
            "ask the administrator to add it to the Platform's domainPolicies"
        )
    return None


def _check_certificate(has_certificate: Callable[[str], bool], claim: Claim) -> tuple[str, str] | None:
    if has_certificate(claim.domain):
        return None
    instead = "take it out of spec.aliases" if claim.is_alias else "leave spec.domain out"
    return "NoCertificate", (
        f"there is no issuer for a certificate of {claim.domain}: {instead}, "
        "or ask the administrator to set the Platform's tls.issuerRef"
    )


def _check_owner(spec: PlatformSpec, grants: Mapping[str, list[Claim]], claim: Claim) -> tuple[str, str] | None:
    granted = grants.get(claim.domain)
    if not granted:
        return None
    owner = granted[0]
    shared = any(policy.shared_paths for policy in _policies(spec, claim))
    if owner.namespace != claim.namespace and not shared:
        # Another namespace's names are not this tenant's to know.
        return "DomainConflict", f"{claim.domain} is in use by a site of another namespace: choose another domain"
    for other in granted:
        if other.path_prefix == claim.path_prefix:
            where = f"{claim.domain}{claim.path_prefix or '/'}"
            by = f"site {other.name!r}" if other.namespace == claim.namespace else "a site of another namespace"
            return "PathConflict", f"{where} is already served from {by}: choose another pathPrefix or domain"
    return None


def _policies(spec: PlatformSpec, claim: Claim) -> list[DomainPolicy]:
    return [
        policy
        for policy in spec.domain_policies
        if (claim.namespace in policy.namespaces or "*" in policy.namespaces)
        and any(_covers(pattern, claim.domain) for pattern in policy.domains)
    ]


def _covers(pattern: str, domain: str) -> bool:
    """Whether a pattern means the domain: itself, or with ``*.`` any name below it (never the name itself)."""
    pattern = pattern.lower()
    return domain.endswith(pattern[1:]) if pattern.startswith("*.") else domain == pattern
