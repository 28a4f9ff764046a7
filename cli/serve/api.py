"""The syncer's API behind the nginx of `pages serve`: nginx buffers and limits bodies, as Traefik does in a cluster.

It answers at ``webhook.pages.localhost``, and under its paths at every host without a site: some resolvers do not map
names below ``localhost`` to this machine, but an IP address always leads here.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus

from cli.serve import upstream

HOST = "webhook.pages.localhost"
_NAME = "pages_api"


def server(listen: Sequence[str], port: int) -> str:
    """The http-level part of the configuration; the API listens on this port of 127.0.0.1."""
    return upstream.server(_NAME, HOST, listen, port, "\n    ".join(_locations("/")))


def locations() -> list[str]:
    """The API's paths, within another server."""
    return _locations("~ ^/(?:webhook|sync|site)/")


def _locations(where: str) -> list[str]:
    return [
        "error_page 413 @pages_too_large;",
        "error_page 502 504 @pages_not_there;",
        f"""location {where} {{
        client_max_body_size 1m;
        client_body_buffer_size 1m;
        proxy_request_buffering on;
{upstream.PROXY.format(name=_NAME)}
    }}""",
        _problem("@pages_too_large", 413, "a delivery may have at most 1 MiB"),
        _problem("@pages_not_there", 503, "the syncer does not answer at the moment; try again"),
    ]


def _problem(name: str, status: int, detail: str) -> str:
    title = HTTPStatus(status).phrase
    content = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return f"location {name} {{ default_type application/problem+json; return {status} '{content}\\n'; }}"
