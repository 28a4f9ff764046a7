"""Links to untrusted addresses of statuses and specs: http and https only."""

from urllib.parse import quote, urlsplit

from pages.api import StaticSite, canonical_repo
from syncer.reporting.commit_status.calls import kind_of


def safe(url: str | None) -> str | None:
    """The URL, if it is safe to link to."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc else None


def repository(site: StaticSite) -> str | None:
    """The repository's page at its forge."""
    url = safe(canonical_repo(site.spec.repo))
    return url.removesuffix(".git") if url else None


def commit(site: StaticSite, oid: str) -> str | None:
    """The commit's page at its forge."""
    page = repository(site)
    if page is None:
        return None
    forge = site.spec.commit_status.forge if site.spec.commit_status else None
    between = "/-/commit/" if kind_of(page, forge) == "gitlab" else "/commit/"
    return f"{page}{between}{quote(oid, safe='')}"
