"""A real Chromium, if it is installed (`make chromium`)."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

_EXECUTABLE = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needed = pytest.mark.skipif(_EXECUTABLE is None, reason="there is no Chromium here; `make chromium` installs it")


@contextmanager
def browser(*arguments: str) -> Iterator[Browser]:
    """A browser that was started with these arguments."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_EXECUTABLE, args=[*arguments, *as_root], timeout=100_000)
        yield started
        started.close()
