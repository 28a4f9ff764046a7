"""How a command ends, so that scripts can tell. Errors name what is wrong, where, and the next step; no traceback."""

import click

OK = 0
NOT_READY = 1  # what was asked about is not as it should be, or what was asked for failed
USAGE = 2  # wrong options, or a site that is not there
CANNOT_ASK = 3  # neither a cluster nor a `pages serve` could be asked, or it refused to answer
INTERRUPTED = 130

TABLE = (
    (OK, "all is well"),
    (NOT_READY, "a site is not ready, a check failed, or what was asked for did not succeed"),
    (USAGE, "wrong usage; no such site"),
    (CANNOT_ASK, "the cluster or `pages serve` cannot be reached, or does not allow it"),
    (INTERRUPTED, "Ctrl-C"),
)


class Failed(click.ClickException):
    """What was asked for did not succeed."""

    exit_code = NOT_READY


class NoSuchSite(click.ClickException):
    """There is no site of that name, or more than one."""

    exit_code = USAGE


class CannotAsk(click.ClickException):
    """Nobody could be asked, or whoever was asked refused."""

    exit_code = CANNOT_ASK


class Forbidden(CannotAsk):
    """The cluster does not let us do this."""
