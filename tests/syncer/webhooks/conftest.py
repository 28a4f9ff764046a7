"""The API with some sites and nothing behind it: what it asks of the syncer is taken down."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import TestResponse

from pages.api import StaticSite
from syncer.app import Engine, create_app
from syncer.webhooks.matching import Index
from syncer.webhooks.trust import Trust
from tests.support.deliveries import SECRET, Sent
from tests.support.objects import parsed_site

if TYPE_CHECKING:
    from syncer.sources import Source
    from syncer.volume.records import SiteKey

KEY = b"k" * 32


class API:
    """The API, its sites and what it asked for."""

    def __init__(self, trust: Trust, sites: Iterable[StaticSite]) -> None:
        self.trust = trust
        self.sites = {site.key: site for site in sites}
        self.requested: list[Source] = []
        self.offline: list[SiteKey] = []
        self.at_work = True
        index = Index(self.sites.values())
        engine = Engine(
            index=lambda: index,
            request=self.requested.extend,
            take_offline=self.offline.append,
            at_work=lambda: self.at_work,
        )
        self.app = create_app(trust, engine)
        self.client = self.app.test_client()

    def send(self, sent: Sent) -> TestResponse:
        return self.client.post(f"/webhook/{sent.forge}", data=sent.body, headers=list(sent.headers.items()))

    def token(self, key: str) -> str:
        token = self.trust.sync_token(self.sites[key])
        assert token
        return token

    def ask(self, method: str, path: str, token: str | None, **more: Any) -> TestResponse:
        headers = {} if token is None else {"X-API-Key": token}
        return self.client.open(path, method=method, headers=headers, **more)

    def last(self, key: str) -> dict[str, Any]:
        """What the site's owner learns of deliveries."""
        answer = self.ask("GET", f"/site/{key}", self.token(key))
        assert answer.status_code == 200
        return dict(answer.get_json())


@contextmanager
def nothing_else(api: API) -> Iterator[None]:
    """Nothing is asked of the syncer meanwhile."""
    before = list(api.requested), list(api.offline)
    yield
    assert (api.requested, api.offline) == before


@pytest.fixture
def api() -> API:
    """Two tenants' sites, of repositories at several forges."""
    return API(
        Trust(SECRET, KEY),
        [
            parsed_site("docs", repo="https://forge.example.com/team/docs.git"),
            parsed_site("preview", repo="https://forge.example.com/team/docs.git", branch="feature/new-look"),
            parsed_site("site", "other", repo="https://forge.example.com/other/site"),
            parsed_site("site", "lab", repo="http://127.0.0.1:23300/alice/site.git"),
            parsed_site("forgejo", "lab", repo="http://127.0.0.1:23310/alice/site.git"),
            parsed_site("docs", "hub", repo="https://github.com/team/docs"),
            parsed_site("gitlab", "lab", repo="https://gitlab.example.com/group/team/docs.git"),
        ],
    )
