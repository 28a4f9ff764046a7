"""The canonical URL of a repository."""

from urllib.parse import urlsplit


def canonical_repo(url: str) -> str:
    """The canonical form of a repository URL: host in lower case, no default port, no trailing slash."""
    if url.startswith("/"):
        return f"file://{url}"
    parts = urlsplit(url)
    default_port = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"
