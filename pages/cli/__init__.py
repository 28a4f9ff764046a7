"""The command line: one small file per command."""

import importlib

import click

from pages.cli import logs

_COMMANDS = ("serve", "status", "why", "render", "hooks", "syncer")


class _Commands(click.Group):
    """Imports a command when it is asked for: two of them run for months, and need not hold what the others import."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"pages.cli.{cmd_name}"), cmd_name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"auto_envvar_prefix": "PAGES", "help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="kup6s-pages")
@click.option("-v", "--verbose", count=True, help="Log what happens (-v) and what is decided (-vv) to stderr.")
def main(verbose: int) -> None:
    """Publish static web sites from git.

    A site is one StaticSite: a repository, a branch, a folder, a domain. Write it to a file and see it live:

    \b
      apiVersion: pages.kup6s.com/v1beta1
      kind: StaticSite
      metadata:
        name: blog
      spec:
        repo: https://forge.example.com/you/blog.git

    \b
      pages serve blog.yaml --allowed-hosts forge.example.com
      → http://blog.pages.localhost:8080/

    \b
    Where to begin:
      pages serve --repo URL    one repository, without any file
      pages serve DIRECTORY     all sites of a directory of manifests
      pages status              how the sites are doing, and why
      pages why SITE            what is known of one site, its last webhook too
      pages render FILE         what a cluster would make of a manifest
      pages hooks, pages syncer the two programs that run in a cluster

    Each option can also come from the environment: --port of `pages serve` is PAGES_SERVE_PORT.
    """  # noqa: D301 - click wants the backspace
    logs.configure(verbose)
