"""One spelling for each repository."""

from urllib.parse import urlsplit


def canonical_repo(url: str) -> str:
    """One spelling per repository URL: host in lower case, no default port, no final slash; rebuilt from its parts."""
    if url.startswith("/"):
        return f"file://{url}"
    parts = urlsplit(url)
    default_port = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"
