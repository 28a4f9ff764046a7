"""A client that sends slowly to a real gunicorn."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Program, answer
from tests.support.serving import eventually, free_port

_SERVER = """
import flask
from cli.processes import gunicorn
from cli.processes.impatient import ImpatientWorker

class Worker(ImpatientWorker):
    seconds = 1.0

app = flask.Flask(__name__)
app.add_url_rule("/", "echo", lambda: flask.request.get_data(), methods=["GET", "POST"])
gunicorn.run(lambda: app, "127.0.0.1:{port}", workers=1, threads=1, keepalive=0, worker_class=Worker)
"""
_HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    unused = free_port()
    with Program(tmp_path / "log", [sys.executable, "-c", _SERVER.format(port=unused)]) as server:
        eventually(lambda: answer(unused, "/")[0] == 200 or not server.running())
        assert server.running(), server.output
        yield unused


@pytest.mark.parametrize("rest", [b"", b"Content-Length: 9\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\n2\r\nx"])
def test_w4_a_request_that_does_not_end_holds_no_thread_for_long(port: int, rest: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
        slow.sendall(_HEAD + rest)
        assert eventually(lambda: answer(port, "/"))[0] == 200, "the one thread is free again"
        assert slow.recv(1000) == b"", "it was hung up"
