"""How a measurement ends: with a sentence for each thing that is not as it must be."""

from collections.abc import Sequence


def exit_code(wrong: Sequence[str]) -> int:
    """Print what is wrong; 1 where anything is. How fast something was is for the reader of the table to judge."""
    for each in wrong:
        print(f"WRONG: {each}")
    return 1 if wrong else 0
