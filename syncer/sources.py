"""Sites of one repository, branch or revision, and credential share one source: one question, one fetch."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from pages import validation
from pages.api import SecretRef, StaticSite, TokenRef, canonical_repo

_LOCAL_INTERVAL = timedelta(seconds=5)


@dataclass(frozen=True)
class SecretKey:
    """Which entries of which Secret open the repository."""

    namespace: str
    name: str
    username_key: str
    password_key: str


@dataclass(frozen=True)
class Source:
    """A branch of a repository, by its canonical URL, as seen with one credential; or a ``revision`` instead of it."""

    repo: str
    branch: str
    secret: SecretKey | None = None
    revision: str = ""

    @property
    def commit(self) -> str:
        """The commit that is wanted, where that needs no question."""
        return self.revision if validation.is_commit(self.revision) else ""

    @property
    def wants(self) -> str:
        """What git is asked for: the full name of a branch or tag, or a commit."""
        if self.revision:
            return self.commit or f"refs/tags/{self.revision}"
        return f"refs/heads/{self.branch}"

    @property
    def mirror_id(self) -> str:
        """The mirror's folder: branches and revisions share it, credentials never do (F15)."""
        return hashlib.sha256(repr((self.repo, self.secret)).encode()).hexdigest()[:32]

    @property
    def host(self) -> str:
        """The server, with its port where it has one of its own; nothing for a repository on this machine."""
        return urlsplit(self.repo).netloc

    @property
    def ref(self) -> str:
        """The mirror's ref for what is wanted, free of whatever its name may hold."""
        return f"refs/pages/{hashlib.sha256(self.wants.encode()).hexdigest()[:32]}"


def source_of(site: StaticSite) -> Source:
    """The site's source."""
    secret = site.spec.secret_ref
    return Source(
        repo=canonical_repo(site.spec.repo),
        branch="" if site.spec.revision else site.spec.branch,
        secret=secret_key(site.metadata.namespace, secret) if secret else None,
        revision=site.spec.revision or "",
    )


def group(sites: Iterable[StaticSite]) -> dict[Source, list[StaticSite]]:
    """The sites by source, in the order in which they came."""
    groups: dict[Source, list[StaticSite]] = {}
    for site in sites:
        groups.setdefault(source_of(site), []).append(site)
    return groups


def interval(source: Source, sites: Iterable[StaticSite]) -> timedelta:
    """How often the source is asked: as often as the most impatient of its sites wants.

    A repository on this machine is a draft that somebody looks at, and costs nobody anything to ask.
    """
    wanted = min(validation.duration(site.spec.sync_interval) for site in sites)
    return min(wanted, _LOCAL_INTERVAL) if source.repo.startswith("file://") else wanted


def payer(sites: Iterable[StaticSite]) -> str:
    """The namespace on whose account the source is synced: the one with the most sites of it."""
    counts = Counter(site.metadata.namespace for site in sites)
    return min(counts, key=lambda namespace: (-counts[namespace], namespace))


def secret_key(namespace: str, secret: TokenRef) -> SecretKey:
    """The entries that a site names, in its own namespace."""
    username_key = secret.username_key if isinstance(secret, SecretRef) else ""
    return SecretKey(namespace, secret.name, username_key, secret.key)
