"""One Gitea and one `pages serve` for all tests of this folder, which run on one worker."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncer.stores.state import State
from tests.support.gitea import Gitea, gitea_is_there
from tests.support.objects import static_site
from tests.support.serving import Serving, eventually

SECRET = "a secret of the forge's"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("gitea"))


@pytest.fixture(scope="session")
def gitea() -> Iterator[Gitea]:
    if not gitea_is_there():
        pytest.skip("Gitea is not built: run `make tools` once (5 to 10 minutes, with a C compiler)")
    with Gitea() as running:
        yield running


class Pages:
    """A `pages serve` that knows of pushes by webhooks alone: no site looks by itself within the tests' time."""

    def __init__(self, serving: Serving, manifests: Path) -> None:
        self.serving = serving
        self._manifests = manifests
        # By its address: not every resolver knows that names below localhost are this machine's.
        self.hook_url = f"http://127.0.0.1:{serving.port}/webhook/gitea"

    def site(self, name: str, repo: str, *more: dict[str, Any], **spec: Any) -> None:
        """Write a StaticSite, and what it needs."""
        site = static_site(name, repo=repo, **{"syncInterval": "24h", **spec})
        (self._manifests / f"{name}.yaml").write_text(yaml.safe_dump_all([site, *more]))

    def shows(self, name: str, text: str) -> bool:
        return self.serving.shows(f"{name}.pages.localhost", text)

    def status(self, name: str) -> dict[str, Any]:
        sites = (site for _, site in State(self.serving.state).sites() if site["metadata"]["name"] == name)
        return dict(next(sites, {}).get("status", {}))

    def synced(self, name: str) -> str:
        """The reason of its condition Synced."""
        conditions = self.status(name).get("conditions", [])
        return next((each["reason"] for each in conditions if each["type"] == "Synced"), "")

    def last_delivery(self, name: str, *, refused: bool = False) -> dict[str, str]:
        """What the API tells the site's owner."""
        told = self.ask("GET", f"/site/team/{name}", name)
        return told["lastRefusedDelivery" if refused else "lastDelivery"] or {}

    def ask(self, method: str, path: str, name: str) -> dict[str, Any]:
        token = str(eventually(lambda: self.status(name).get("syncToken")))
        url = f"http://127.0.0.1:{self.serving.port}{path}"
        request = urllib.request.Request(url, method=method, headers={"X-API-Key": token})
        with urllib.request.urlopen(request, timeout=20) as answer:
            told: dict[str, Any] = json.load(answer)
            return told


@pytest.fixture(scope="session")
def pages(gitea: Gitea, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("serve")
    manifests, secret = folder / "manifests", folder / "secret"
    manifests.mkdir()
    secret.write_text(SECRET)
    arguments = (manifests, "--allowed-hosts", gitea.origin, "--webhook-secret-file", secret)
    with Serving(folder / "state", arguments) as serving:
        yield Pages(serving, manifests)
