"""The end of a benchmark: one line for each wrong result, and the exit code."""

from collections.abc import Sequence


def exit_code(wrong: Sequence[str]) -> int:
    """Print the errors, and return 1 if there are any. A slow result is not an error."""
    for each in wrong:
        print(f"WRONG: {each}")
    return 1 if wrong else 0
