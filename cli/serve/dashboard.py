"""The dashboard behind the nginx of `pages serve`, at the parent domain of all its sites."""

from collections.abc import Sequence

from cli.serve import upstream

_NAME = "pages_dashboard"
_LOCATION = f"""location / {{
        client_max_body_size 1k;
{upstream.PROXY.format(name=_NAME)}
    }}"""


def server(host: str, listen: Sequence[str], port: int) -> str:
    """The http-level part of the configuration; the dashboard listens on this port of 127.0.0.1."""
    return upstream.server(_NAME, host, listen, port, _LOCATION)
