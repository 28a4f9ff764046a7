"""What each forge's API is sent for a commit's status: pure. The host is the repository's, which was allowed."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pages.api import ForgeKind
from syncer.reporting.commit_status.said import Said

_KNOWN_HOSTS: dict[str, ForgeKind] = {"github.com": "github", "gitlab.com": "gitlab"}
_GITLAB_STATES = {"pending": "pending", "success": "success", "failure": "failed"}


@dataclass(frozen=True)
class Call:
    """A POST of JSON. The headers hold a token and never show."""

    url: str
    headers: dict[str, str] = field(repr=False)
    content: dict[str, Any]


def kind_of(repo: str, wanted: ForgeKind | None) -> ForgeKind:
    """The forge's kind: as the site says, else by its host. Gitea's API is Forgejo's."""
    return wanted or _KNOWN_HOSTS.get(urlsplit(repo).hostname or "", "forgejo")


def call(repo: str, kind: ForgeKind, said: Said, context: str, token: str) -> Call:
    """The request for a repository, by its canonical URL. ``context`` tells this site's status from others'."""
    parts = urlsplit(repo)
    server, path = f"{parts.scheme}://{parts.netloc}", unquote(parts.path).strip("/").removesuffix(".git")
    if kind == "gitlab":
        project = quote(path, safe="")
        content = {"state": _GITLAB_STATES[said.state], "name": context, **_common(said)}
        return Call(f"{server}/api/v4/projects/{project}/statuses/{said.commit}", _bearer(token), content)
    below, repository = _split(path)
    content = {"state": said.state, "context": context, **_common(said)}
    if kind == "github":
        api = "https://api.github.com" if parts.hostname == "github.com" else f"{server}{below}/api/v3"
        headers = _bearer(token) | {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    else:
        api, headers = f"{server}{below}/api/v1", {"Authorization": f"token {token}"}
    return Call(f"{api}/repos/{repository}/statuses/{said.commit}", headers, content)


def _common(said: Said) -> dict[str, str]:
    return {"description": said.description} | ({"target_url": said.url} if said.url else {})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _split(path: str) -> tuple[str, str]:
    """Where below its host the forge is, and owner and repository, which are the last two parts."""
    parts = [quote(part, safe="") for part in path.split("/")]
    return "".join(f"/{part}" for part in parts[:-2]), "/".join(parts[-2:])
