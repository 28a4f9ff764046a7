"""Exit codes for scripts, and the errors that lead to them: each says what is wrong, where, and the next step."""

import click

OK = 0
NOT_READY = 1  # a site or a check is not in order, or the command failed
USAGE = 2  # wrong options, or a site that does not exist
CANNOT_ASK = 3  # no answer from a cluster or a `pages serve`
INTERRUPTED = 130

TABLE = (
    (OK, "success; nothing is wrong"),
    (NOT_READY, "a site is not ready, a check failed, or the command did not succeed"),
    (USAGE, "wrong usage; no such site"),
    (CANNOT_ASK, "the cluster or `pages serve` cannot be reached, or denies permission"),
    (INTERRUPTED, "Ctrl-C"),
)


class Failed(click.ClickException):
    """The command did not succeed."""

    exit_code = NOT_READY


class NoSuchSite(click.ClickException):
    """No site has this name, or several do."""

    exit_code = USAGE


class CannotAsk(click.ClickException):
    """There is nothing to ask, or it gave no answer."""

    exit_code = CANNOT_ASK


class Forbidden(CannotAsk):
    """The cluster denies permission."""
