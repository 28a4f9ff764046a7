"""Statuses reach a store that is down for a while."""

import threading
import time

from pages.api import StaticSite, StaticSiteStatus
from syncer.reporting.status_writer import StatusWriter
from syncer.stores import StatusNotWritten
from tests.support.objects import parsed_site
from tests.support.serving import eventually


class Api:
    """Refuses until it ``recovers``."""

    def __init__(self) -> None:
        self.recovers = threading.Event()
        self.tries = 0
        self.written: list[tuple[str, str]] = []

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        self.tries += 1
        if not self.recovers.is_set():
            raise StatusNotWritten("429: too many requests")
        self.written.append((site.metadata.name, status.last_commit or ""))


def test_f19_what_the_api_refuses_is_tried_again_until_the_latest_of_each_site_is_written() -> None:
    api = Api()
    writer = StatusWriter(api)
    writer.start()
    try:
        for commit in ("1", "2", "3"):
            for name in ("a", "b"):
                writer.put(parsed_site(name), StaticSiteStatus(last_commit=commit))
        eventually(lambda: api.tries >= 3)
        api.recovers.set()
        eventually(lambda: dict(api.written) == {"a": "3", "b": "3"})
    finally:
        writer.close(5)
    assert dict(api.written) == {"a": "3", "b": "3"}


class Busy:
    """Asks for a pause once."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.tries: list[float] = []

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        self.tries.append(time.monotonic())
        if len(self.tries) == 1:
            raise StatusNotWritten("429: too many requests", pause=self.pause)


def test_f19_an_api_that_asks_for_a_pause_gets_it() -> None:
    api = Busy(pause=1.5)
    writer = StatusWriter(api)
    writer.start()
    try:
        writer.put(parsed_site("a"), StaticSiteStatus())
        eventually(lambda: len(api.tries) == 1)
        writer.put(parsed_site("b"), StaticSiteStatus())
        eventually(lambda: len(api.tries) == 3)
    finally:
        writer.close(5)
    assert api.tries[1] - api.tries[0] >= 1.5
