"""``pages completion``: what a shell needs to complete commands, options, site names and namespaces."""

import sys

import click
from click.shell_completion import get_completion_class

_HINTS = {
    "bash": 'eval "$(pages completion bash)"            # in ~/.bashrc; needs bash 4.4',
    "zsh": 'eval "$(pages completion zsh)"             # in ~/.zshrc, after compinit',
    "fish": "pages completion fish > ~/.config/fish/completions/pages.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(sorted(_HINTS)))
def completion(shell: str) -> None:
    """Print the completion script for a shell. For `kubectl pages`, have kubectl_complete-pages on the PATH.

    \b
    Exit codes: 0, 2 wrong usage.

    \b
    Examples:
      eval "$(pages completion bash)"
      pages completion fish > ~/.config/fish/completions/pages.fish
    """  # noqa: D301 - click wants the backspace
    from cli import main  # noqa: PLC0415 - it imports us

    made = get_completion_class(shell)
    assert made  # noqa: S101 - the choices are those that click has
    click.echo(made(main, {}, "pages", "_PAGES_COMPLETE").source())


def kubectl_complete() -> None:
    """What kubectl calls as kubectl_complete-pages: the words so far, the last one unfinished; one candidate a line."""
    from cli import main  # noqa: PLC0415

    made = get_completion_class("bash")
    assert made  # noqa: S101
    *words, incomplete = sys.argv[1:] or [""]
    for each in made(main, {}, "pages", "_PAGES_COMPLETE").get_completions(words, incomplete):
        click.echo(each.value)
    click.echo(":4")  # cobra's directive: no file names
