"""Our own programs behind the nginx of `pages serve`, each with a host of its own."""

from collections.abc import Sequence

# What a location needs besides its limits.
PROXY = """\
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        proxy_pass http://{name};"""


def server(name: str, host: str, listen: Sequence[str], port: int, content: str) -> str:
    """The http-level configuration for the program that listens on ``port`` of 127.0.0.1."""
    listens = "\n    ".join(f"listen {address};" for address in listen)
    return f"""\
upstream {name} {{
    server 127.0.0.1:{port} max_fails=0;
}}
server {{
    {listens}
    server_name {host};
    {content}
}}
"""
