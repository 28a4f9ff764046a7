"""What several commands accept in the same way."""

from pathlib import Path

import click

from syncer.hosts import AllowedHosts


def allowed_hosts(_context: click.Context, _parameter: click.Parameter, value: str | None) -> AllowedHosts | None:
    """Git servers, separated by commas."""
    try:
        hosts = None if value is None else AllowedHosts.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if hosts is not None and not hosts.patterns:
        raise click.BadParameter("names no host: write forge.example.com, or *.example.com")
    return hosts


def secret_file(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> bytes | None:
    """What a file holds, without the white space that editors leave around it."""
    if value is None:
        return None
    try:
        secret = value.read_bytes().strip()
    except OSError as error:
        raise click.BadParameter(f"{value} cannot be read: {error.strerror}") from None
    if not secret:
        raise click.BadParameter(f"{value} is empty; to make a secret: head -c 32 /dev/urandom | base64")
    return secret


WEBHOOK_SECRET = click.option(
    "--webhook-secret-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    callback=secret_file,
    help="A file with the secret that forges sign their webhooks with; such a delivery counts for every site. A site's "
    "status.syncToken can sign as well, for that site alone.",
)
