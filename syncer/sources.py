"""Sources: sites of one repository, branch or revision, and credential share one request and one fetch."""

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
    """The entries of a Secret that hold a repository's credential."""

    namespace: str
    name: str
    username_key: str
    password_key: str


@dataclass(frozen=True)
class Source:
    """A branch or ``revision`` of a repository, by its canonical URL, read with one credential."""

    repo: str
    branch: str
    secret: SecretKey | None = None
    revision: str = ""

    @property
    def commit(self) -> str:
        """The commit, where the revision is one: then no server has to be asked."""
        return self.revision if validation.is_commit(self.revision) else ""

    @property
    def wants(self) -> str:
        """What git fetches: the full name of a branch or tag, or a commit."""
        if self.revision:
            return self.commit or f"refs/tags/{self.revision}"
        return f"refs/heads/{self.branch}"

    @property
    def mirror_id(self) -> str:
        """The mirror's folder: branches share it, credentials do not, for they may see different refs (F15)."""
        return hashlib.sha256(repr((self.repo, self.secret)).encode()).hexdigest()[:32]

    @property
    def host(self) -> str:
        """The server, with its port if the URL has one; empty for a repository on this machine."""
        return urlsplit(self.repo).netloc

    @property
    def ref(self) -> str:
        """The mirror's ref, a hash: the original name is untrusted."""
        return f"refs/pages/{hashlib.sha256(self.wants.encode()).hexdigest()[:32]}"


def source_of(site: StaticSite) -> Source:
    """The source that the site's spec describes."""
    secret = site.spec.secret_ref
    return Source(
        repo=canonical_repo(site.spec.repo),
        branch="" if site.spec.revision else site.spec.branch,
        secret=secret_key(site.metadata.namespace, secret) if secret else None,
        revision=site.spec.revision or "",
    )


def group(sites: Iterable[StaticSite]) -> dict[Source, list[StaticSite]]:
    """The sites by source, in their given order."""
    groups: dict[Source, list[StaticSite]] = {}
    for site in sites:
        groups.setdefault(source_of(site), []).append(site)
    return groups


def interval(source: Source, sites: Iterable[StaticSite]) -> timedelta:
    """How often the source is checked: the shortest interval of its sites.

    A repository on this machine is a draft with a waiting author, and checking it costs little.
    """
    shortest = min(validation.duration(site.spec.sync_interval) for site in sites)
    return min(shortest, _LOCAL_INTERVAL) if source.repo.startswith("file://") else shortest


def payer(sites: Iterable[StaticSite]) -> str:
    """The namespace whose turn a sync of the source takes: the one with most of its sites."""
    counts = Counter(site.metadata.namespace for site in sites)
    return min(counts, key=lambda namespace: (-counts[namespace], namespace))


def secret_key(namespace: str, secret: TokenRef) -> SecretKey:
    """The entries that a site names; the Secret is always in its own namespace."""
    username_key = secret.username_key if isinstance(secret, SecretRef) else ""
    return SecretKey(namespace, secret.name, username_key, secret.key)
