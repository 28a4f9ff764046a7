"""A gunicorn worker with a time limit for each request; gunicorn's own waits for a slow client without limit."""

import contextlib
import socket
import threading
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class ImpatientWorker(ThreadWorker):
    """Closes a connection after ``seconds``, whether its client sends slowly or not at all (W4)."""

    seconds = 15.0

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401 - gunicorn's own
        """Handle the request within the time limit."""
        timer = threading.Timer(self.seconds, _hang_up, [conn.sock])
        timer.daemon = True
        timer.start()
        try:
            return super().handle(conn)
        finally:
            timer.cancel()


def _hang_up(client: socket.socket) -> None:
    """Ends all waits for this client."""
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
