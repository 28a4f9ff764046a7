"""The API with some sites and no syncer behind it: its requests are kept."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from pages.api import SiteKey, StaticSite
from syncer.app import Engine, create_app
from syncer.duty import Duty
from syncer.sources import Source
from syncer.webhooks.matching import LatestIndex
from syncer.webhooks.trust import Trust
from tests.support.deliveries import SECRET, Sent
from tests.support.objects import parsed_site

KEY = b"k" * 32


class API(Duty):
    """The API, its sites, and the syncer behind it: what was requested is kept."""

    def __init__(self, trust: Trust, sites: Iterable[StaticSite]) -> None:
        self.trust = trust
        self.sites = {site.key: site for site in sites}
        self.requested: list[Source] = []
        self.offline: list[SiteKey] = []
        self.at_work = True
        engine = Engine(LatestIndex(self), requests=self, live=self, commit_statuses=self, duty=self)
        self.app = create_app(trust, engine)
        self.client = self.app.test_client()

    def by_uid(self) -> Mapping[str, StaticSite]:
        return self.sites

    def put(self, sources: Iterable[Source]) -> None:
        self.requested.extend(sources)

    def take_offline(self, site: SiteKey) -> None:
        self.offline.append(site)

    def result(self, uid: str) -> str | None:
        return None

    def not_ready(self) -> list[str]:
        return [] if self.at_work else ["another syncer is at work"]

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
