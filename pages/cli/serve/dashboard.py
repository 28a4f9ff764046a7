"""The dashboard behind the nginx of `pages serve`, at the domain that all sites here are below."""

from collections.abc import Sequence


def server(host: str, listen: Sequence[str], port: int) -> str:
    """The http-level part of the configuration; the dashboard itself listens on ``port`` of 127.0.0.1."""
    listens = "\n    ".join(f"listen {address};" for address in listen)
    return f"""\
upstream pages_dashboard {{
    server 127.0.0.1:{port} max_fails=0;
}}
server {{
    {listens}
    server_name {host};
    location / {{
        client_max_body_size 1k;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        proxy_pass http://pages_dashboard;
    }}
}}
"""
