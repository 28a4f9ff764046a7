"""``pages completion``: the script with which a shell completes commands, options, site names and namespaces."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "fish", "zsh")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell. For `kubectl pages`, put kubectl_complete-pages on the PATH.

    \b
    Exit codes: 0, 2 wrong usage.

    \b
    Examples:
      eval "$(pages completion bash)"           # in ~/.bashrc; needs bash 4.4
      eval "$(pages completion zsh)"            # in ~/.zshrc, after compinit
      pages completion fish > ~/.config/fish/completions/pages.fish
    """  # noqa: D301 - click wants the backspace
    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"click has no completion for {shell}: choose another shell")
    click.echo(complete(context.find_root().command, {}, "pages", "_PAGES_COMPLETE").source())
