"""Sizes as people write them: ``100MiB``, ``1.5Gi``, ``2GB`` or a plain number of bytes."""

import re

_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,3})?) ?(?:([kKMGT])(i?))?B?")
_POWERS = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}
_STEP = 1024


def parse(text: str) -> int:
    """The size in bytes. Raises ValueError if the text is not a size."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a size; write a number of bytes, or a unit as in 100MiB or 1Gi")
    number, unit, binary = match.groups()
    return int(float(number) * (_STEP if binary else 1000) ** _POWERS.get(unit, 0))


def show(size: int) -> str:
    """The size with the largest fitting unit: ``100 MiB``, ``1.5 GiB``, ``512 bytes``."""
    amount, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < _STEP:
            break
        amount, unit = amount / _STEP, larger
    return f"{amount:.1f}".removesuffix(".0") + f" {unit}"
