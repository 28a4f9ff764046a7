"""A small run of the benchmark of nginx's rules."""

import shutil

import pytest

from bench import nginx_overhead

needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk was not found (Debian: apt install wrk)")


@needs_wrk
def test_a_short_run_ends_without_errors() -> None:
    assert nginx_overhead.main(rounds=1) == []


@needs_wrk
def test_a_server_that_finds_no_file_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_overhead, "OURS", nginx_overhead.OURS.replace("root live", "root elsewhere"))
    (wrong,) = nginx_overhead.main(rounds=1)
    assert wrong.startswith("nginx answered with errors")
