"""Random numbers that a test chooses."""

from random import Random


class Fixed(Random):
    """Always the same number; the middle by default, where no wait is spread."""

    def __init__(self, number: float = 0.5) -> None:
        super().__init__()
        self._number = number

    def random(self) -> float:
        return self._number
