"""A worker of gunicorn that waits for no request for ever; gunicorn's own lends it a thread for as long as it takes."""

import contextlib
import socket
import threading
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class ImpatientWorker(ThreadWorker):
    """Hangs up on a request after so many ``seconds``, whether it drips or its client is gone (W4)."""

    seconds = 15.0

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401 - gunicorn's own
        """Take the request, within the time."""
        timer = threading.Timer(self.seconds, _hang_up, [conn.sock])
        timer.daemon = True
        timer.start()
        try:
            return super().handle(conn)
        finally:
            timer.cancel()


def _hang_up(client: socket.socket) -> None:
    """Whatever waits for it ends."""
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
