"""The request that sets a commit status at each kind of forge: pure. It goes to the host of the repository."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pages.api import ForgeKind
from syncer.reporting.commit_status.commit_state import CommitState

_KNOWN_HOSTS: dict[str, ForgeKind] = {"github.com": "github", "gitlab.com": "gitlab"}
_GITLAB_STATES = {"pending": "pending", "success": "success", "failure": "failed"}


@dataclass(frozen=True)
class Call:
    """A POST of JSON. The headers hold a token, so they are never shown."""

    url: str
    headers: dict[str, str] = field(repr=False)
    content: dict[str, Any]


def kind_of(repo: str, named: ForgeKind | None) -> ForgeKind:
    """The kind of the forge: the one that the site names, else by its host. Gitea has the API of Forgejo."""
    return named or _KNOWN_HOSTS.get(urlsplit(repo).hostname or "", "forgejo")


def call(repo: str, kind: ForgeKind, state: CommitState, context: str, token: str) -> Call:
    """The request for a repository, by its canonical URL. ``context`` names the site: a commit may be in several."""
    parts = urlsplit(repo)
    server, path = f"{parts.scheme}://{parts.netloc}", unquote(parts.path).strip("/").removesuffix(".git")
    if kind == "gitlab":
        project = quote(path, safe="")
        content = {"state": _GITLAB_STATES[state.state], "name": context, **_common(state)}
        return Call(f"{server}/api/v4/projects/{project}/statuses/{state.commit}", _bearer(token), content)
    below, repository = _split(path)
    content = {"state": state.state, "context": context, **_common(state)}
    if kind == "github":
        api = "https://api.github.com" if parts.hostname == "github.com" else f"{server}{below}/api/v3"
        headers = _bearer(token) | {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    else:
        api, headers = f"{server}{below}/api/v1", {"Authorization": f"token {token}"}
    return Call(f"{api}/repos/{repository}/statuses/{state.commit}", headers, content)


def _common(state: CommitState) -> dict[str, str]:
    return {"description": state.description} | ({"target_url": state.url} if state.url else {})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _split(path: str) -> tuple[str, str]:
    """The path of the forge below its host; and the owner and repository, which are the last two parts."""
    parts = [quote(part, safe="") for part in path.split("/")]
    return "".join(f"/{part}" for part in parts[:-2]), "/".join(parts[-2:])
