"""What several commands accept in the same way."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from pages import sizes, validation
from syncer.egress.hosts import AllowedHosts

HOSTS = (
    "forge.example.com, *.example.com, forge.example.com:8443; in full, with http:// or https://, where plain http, an "
    "IP address or a server at a private address is meant: http://forge.forgejo.svc:3000"
)

WORKERS = "Syncs at the same time; as many again may go on that take more than 5 s, so that they hold up nobody."


def option(flag: str, default: object, text: str, **more: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:  # noqa: ANN401 - click's own
    """An option with a default that its help shows."""
    return click.option(flag, default=default, show_default=True, help=text, **more)


def allowed_hosts(_context: click.Context, _parameter: click.Parameter, value: str | None) -> AllowedHosts | None:
    """Git servers, separated by commas."""
    try:
        hosts = None if value is None else AllowedHosts.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if hosts is not None and not hosts.patterns:
        raise click.BadParameter("names no host: write forge.example.com, or *.example.com")
    return hosts


def duration(_context: click.Context, _parameter: click.Parameter, value: str) -> timedelta:
    """``90s``, ``1h30m``."""
    try:
        return validation.duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def size(least: int = 0) -> Callable[[click.Context, click.Parameter, str], int]:
    """A callback that makes bytes of ``100MiB``, at least so many."""

    def convert(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
        try:
            found = sizes.parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        if found < least:
            raise click.BadParameter(f"must be at least {sizes.show(least)}")
        return found

    return convert


def seconds(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """``90s`` or ``2m`` as whole seconds, at least one."""
    found = int(duration(context, parameter, value).total_seconds())
    if not found:
        raise click.BadParameter("must be at least 1s")
    return found


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
