"""What the options of several commands have in common."""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from pages import sizes, validation
from syncer.egress.hosts import AllowedHosts

Command = Callable[..., None]
Decorator = Callable[[Command], Command]

HOSTS = (
    "forge.example.com, *.example.com, forge.example.com:8443; for plain http, an IP address or a server at a private "
    "address, write it in full with http:// or https://, for example http://forge.forgejo.svc:3000"
)

WORKERS = "Syncs that run at the same time; up to as many slow ones (over 5 s) run in addition."


def option(flag: str, default: object, text: str, **more: Any) -> Decorator:  # noqa: ANN401 - click's own
    """An option whose help shows its default."""
    return click.option(flag, default=default, show_default=True, help=text, **more)


def grouped(name: str, options: Mapping[str, Decorator], build: Callable[[dict[str, Any]], object]) -> Decorator:
    """Add options to a command, which gets one value ``name`` built from theirs. They are keyed by parameter."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(*args: Any, **values: Any) -> None:  # noqa: ANN401 - click's own
            own = {parameter: values.pop(parameter) for parameter in options}
            command(*args, **{name: build(own)}, **values)

        return decorated(run, list(options.values()))

    return decorate


def decorated(command: Command, decorators: Sequence[Decorator]) -> Command:
    """The command with these options, in the order of its help."""
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def allowed_hosts(_context: click.Context, _parameter: click.Parameter, value: str | None) -> AllowedHosts | None:
    """Git servers, separated by commas."""
    try:
        hosts = None if value is None else AllowedHosts.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if hosts is not None and not hosts.patterns:
        raise click.BadParameter("it names no host: write forge.example.com, or *.example.com")
    return hosts


def duration(_context: click.Context, _parameter: click.Parameter, value: str) -> timedelta:
    """``90s``, ``1h30m``."""
    try:
        return validation.duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def size(least: int = 0) -> Callable[[click.Context, click.Parameter, str], int]:
    """A callback that converts ``100MiB`` to bytes, and requires at least so many."""

    def convert(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
        try:
            count = sizes.parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        if count < least:
            raise click.BadParameter(f"must be at least {sizes.show(least)}")
        return count

    return convert


def seconds(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """``90s`` or ``2m`` in whole seconds, at least one."""
    count = int(duration(context, parameter, value).total_seconds())
    if not count:
        raise click.BadParameter("must be at least 1s")
    return count


def secret_file(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> bytes | None:
    """The content of a file, without the white space that editors leave around it."""
    if value is None:
        return None
    try:
        secret = value.read_bytes().strip()
    except OSError as error:
        raise click.BadParameter(f"{value} cannot be read ({error.strerror}): check its permissions") from None
    if not secret:
        raise click.BadParameter(f"{value} is empty; create a secret with: head -c 32 /dev/urandom | base64")
    return secret


WEBHOOK_SECRET = click.option(
    "--webhook-secret-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    callback=secret_file,
    help="A file with the secret that signs the forges' webhooks for all sites. A site's status.syncToken can sign "
    "webhooks for this one site as well.",
)
