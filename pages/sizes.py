"""Sizes as people write them: ``100MiB``, ``1.5Gi``, ``2GB``, or plain bytes."""

import re

_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,3})?) ?(?:([kKMGT])(i?))?B?")
_POWERS = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}
_STEP = 1024


def parse(text: str) -> int:
    """Bytes; ValueError where the text is no size."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a size such as 100MiB, 1Gi or 5000000")
    number, unit, binary = match.groups()
    return int(float(number) * (_STEP if binary else 1000) ** _POWERS.get(unit, 0))


def show(size: int) -> str:
    """``100 MiB``, ``1.5 GiB``, ``512 bytes``."""
    amount, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < _STEP:
            break
        amount, unit = amount / _STEP, larger
    return f"{amount:.1f}".removesuffix(".0") + f" {unit}"
