"""The command line: one small file per command."""

import importlib

import click

from cli import logging_setup

_INTERRUPTED = 130
_KUBECTL = "kubectl pages"
# Each is a function in the module of the name beside it; `logs` is what all of them log with.
_COMMANDS = {
    "serve": ("serve", "serve"),
    "init": ("init", "init"),
    "status": ("status", "status"),
    "why": ("why", "why"),
    "sync": ("sync", "sync"),
    "logs": ("logs", "log"),
    "rollback": ("rollback", "rollback"),
    "doctor": ("doctor", "doctor"),
    "rules": ("rules", "rules"),
    "render": ("render", "render"),
    "completion": ("completion", "completion"),
    "hooks": ("hooks", "hooks"),
    "syncer": ("syncer", "syncer"),
}


class _Commands(click.Group):
    """Imports a command when it is asked for: two of them run for months, and need not hold what the others import."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"cli.commands.{module}"), name)
        if ctx.find_root().info_name == _KUBECTL and command.help:
            command.help = command.help.replace("  pages ", f"  {_KUBECTL} ")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Ctrl-C ends a command as a shell expects it, without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


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
      pages init                a StaticSite for the git checkout you are in
      pages status              how the sites are doing
      pages why SITE            why a site is not live, and what to do
      pages sync SITE --wait    publish what was pushed, now
      pages logs SITE           what happened with a site
      pages rollback SITE       the release before
      pages doctor              whether the platform itself is well
      pages render FILE         what a cluster would make of a manifest
      pages hooks, pages syncer the two programs that run in a cluster

    \b
    Which sites: those of a cluster, as kubectl finds it (KUBECONFIG, --context), or of a `pages serve` (--state). As
    kubectl-pages on the PATH it is `kubectl pages`.

    Each option can also come from the environment: --port of `pages serve` is PAGES_SERVE_PORT.
    """  # noqa: D301 - click wants the backspace
    logging_setup.configure(verbose)


def kubectl_main() -> None:
    """As kubectl's plugin, which it finds as kubectl-pages."""
    main(prog_name=_KUBECTL)
