"""The command line. Each command is a file of its own in ``cli/commands``, and has its name."""

import importlib
import sys

import click

from cli import logging_setup

_INTERRUPTED = 130
_KUBECTL = "kubectl pages"
_NO_FILE_NAMES = ":4"  # a directive of cobra, kubectl's library
# In the order of `--help`. To add a command, add its name and its file.
_COMMANDS = (
    "serve",
    "init",
    "status",
    "why",
    "sync",
    "logs",
    "rollback",
    "doctor",
    "rules",
    "render",
    "completion",
    "hooks",
    "syncer",
)


class _Commands(click.Group):
    """Imports a command when it is used: two of them run for months, and should not hold the others' libraries."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"cli.commands.{cmd_name}"), cmd_name)
        if ctx.find_root().info_name == _KUBECTL and command.help:
            command.help = command.help.replace("  pages ", f"  {_KUBECTL} ")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Ctrl-C ends a command as a shell expects it, without a message."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


@click.group(
    cls=_Commands,
    context_settings={"auto_envvar_prefix": "PAGES", "help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="kup6s-pages")
@click.option("-v", "--verbose", count=True, help="Log events (-v), or also decisions (-vv), to stderr.")
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
    First steps:
      pages serve --repo URL    publish one repository, without a manifest
      pages serve DIRECTORY     publish all sites of a directory of manifests
      pages init                write a StaticSite for the current git checkout
      pages status              show the state of the sites
      pages why SITE            explain why a site is not live, and how to fix it
      pages sync SITE --wait    publish the latest commit now
      pages logs SITE           show the log of a site
      pages rollback SITE       publish the previous release again
      pages doctor              check the platform itself
      pages render FILE         show what a cluster would generate from a manifest
      pages hooks, pages syncer the two programs that run in a cluster

    \b
    Commands find the sites in a cluster, as kubectl does (KUBECONFIG, --context), or in a `pages serve` (--state).
    With kubectl-pages on the PATH, all of them are also available as `kubectl pages`.

    Each option can also come from the environment: --port of `pages serve` is PAGES_SERVE_PORT.
    """  # noqa: D301 - click wants the backspace
    logging_setup.configure(verbose)


def kubectl_main() -> None:
    """As a plugin of kubectl, which finds it as kubectl-pages."""
    main(prog_name=_KUBECTL)


def kubectl_complete() -> None:
    """Called by kubectl as kubectl_complete-pages with the words so far; prints each candidate for the last one."""
    from click.shell_completion import BashComplete  # noqa: PLC0415 - only for this

    *words, incomplete = sys.argv[1:] or [""]
    for each in BashComplete(main, {}, "pages", "_PAGES_COMPLETE").get_completions(words, incomplete):
        click.echo(each.value)
    click.echo(_NO_FILE_NAMES)
