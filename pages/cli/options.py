"""What several commands accept in the same way."""

import click

from syncer.hosts import AllowedHosts

HOSTS = (
    "forge.example.com, *.example.com, forge.example.com:8443; in full, with http:// or https://, where plain http, an "
    "IP address or a server at a private address is meant: http://forge.forgejo.svc:3000"
)

WORKERS = "Syncs at the same time; as many again may go on that take more than 5 s, so that they hold up nobody."


def allowed_hosts(_context: click.Context, _parameter: click.Parameter, value: str | None) -> AllowedHosts | None:
    """Git servers, separated by commas."""
    try:
        hosts = None if value is None else AllowedHosts.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if hosts is not None and not hosts.patterns:
        raise click.BadParameter("names no host: write forge.example.com, or *.example.com")
    return hosts
