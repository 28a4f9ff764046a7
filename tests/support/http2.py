"""HTTP/2 requests that a normal client would correct or refuse to send."""

import ssl
from collections.abc import Sequence

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

from tests.support.raw_http import Answer

Headers = Sequence[tuple[str, str]]
RESET = 0  # the status where a server breaks off the stream instead of answering


def exchange(connection: ssl.SSLSocket, headers: Headers, body: bytes = b"") -> Answer:
    """Send these headers as they are, and the body; read the answer."""
    client = H2Connection(H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False))
    client.initiate_connection()
    client.send_headers(1, headers, end_stream=not body)
    if body:
        client.send_data(1, body, end_stream=True)
    connection.sendall(client.data_to_send())
    status, found, text = RESET, dict[str, str](), b""
    while received := connection.recv(65536):
        for event in client.receive_data(received):
            if isinstance(event, ResponseReceived):
                found = {name.decode(): value.decode() for name, value in event.headers}
                status = int(found[":status"])
            elif isinstance(event, DataReceived):
                text += event.data
            elif isinstance(event, StreamReset):
                return Answer(RESET, {}, b"")
            elif isinstance(event, StreamEnded):
                return Answer(status, found, text)
    raise ConnectionError("the server closed the connection before its answer was whole")
