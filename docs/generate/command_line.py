"""The commands as click describes them: the text of ``--help``, with a table of options."""

import inspect
import re
from collections.abc import Iterator

import click

from cli import main
from docs.generate import markdown

_NOTES = re.compile(r"(?:\s+\[[^\[\]]+\])+$")
_NOT_WRAPPED = "\b\n"


def commands() -> str:
    """All commands."""
    context = click.Context(main, info_name="pages", **main.context_settings)
    return "\n\n".join(part for each in _walk(context) for part in _command(each))


def _walk(context: click.Context) -> Iterator[click.Context]:
    yield context
    group = context.command
    for name in group.list_commands(context) if isinstance(group, click.Group) else ():
        command = group.get_command(context, name) if isinstance(group, click.Group) else None
        if command and not command.hidden:
            yield from _walk(click.Context(command, parent=context, info_name=name))


def _command(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"## {context.command_path}"
    yield _code(f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}")
    yield from map(_paragraph, inspect.cleandoc(command.help or "").split("\n\n"))
    options = [each for each in command.get_params(context) if isinstance(each, click.Option) and not each.is_eager]
    records = [each.get_help_record(context) for each in options]
    if rows := [_option(*record) for record in records if record]:
        yield markdown.table(["option", "default", "meaning"], rows)


def _paragraph(text: str) -> str:
    """A paragraph, or an example with its headline after click's mark for text that must not be wrapped."""
    if not text.startswith(_NOT_WRAPPED):
        return markdown.plain(" ".join(text.split()))
    headline, _, rest = text.removeprefix(_NOT_WRAPPED).partition("\n")
    if headline.startswith(" ") or (rest and not headline.endswith(":")):
        headline, rest = "", text.removeprefix(_NOT_WRAPPED)
    return "\n\n".join(
        part for part in (markdown.plain(headline), _code(inspect.cleandoc(rest)) if rest else "") if part
    )


def _code(text: str) -> str:
    return f"```text\n{text}\n```"


def _option(names: str, meaning: str) -> tuple[str, str, str]:
    """Names, default and meaning. Other notes of click, such as a range, become part of the meaning."""
    match = _NOTES.search(meaning)
    notes = [note for each in re.findall(r"\[(.+?)\]", match[0] if match else "") for note in each.split("; ")]
    default = [note.removeprefix("default: ") for note in notes if note == "required" or note.startswith("default: ")]
    beside = [f"({note})" for note in notes if "=" in note and not note.startswith("default: ")]
    text = " ".join([meaning[: match.start()] if match else meaning, *beside])
    return f"`{names}`", markdown.plain(", ".join(default)), markdown.plain(text)
