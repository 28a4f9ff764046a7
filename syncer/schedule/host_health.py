"""How the git servers are doing: which want to be left alone, and which do not answer. Times are monotonic seconds."""

from collections.abc import Collection, Mapping


class HostHealth:
    """Told by whoever runs something at a host; nothing here waits or locks."""

    def __init__(self) -> None:
        self._pauses: dict[str, float] = {}  # until when a host is not to be asked
        self._answered: dict[str, float] = {}  # when each host last did
        self._bad: set[str] = set()

    @property
    def bad(self) -> Collection[str]:
        """The hosts whose last answer failed to come."""
        return self._bad

    def keep(self, hosts: Collection[str]) -> None:
        """Forget all others, but not that they want to be left alone."""
        self._bad.intersection_update(hosts)
        self._answered = {host: when for host, when in self._answered.items() if host in hosts}

    def note(self, host: str, now: float, *, answers: bool) -> None:
        """Something that ran at the host is over."""
        if answers:
            self._bad.discard(host)
            self._answered[host] = now
        else:
            self._bad.add(host)

    def has_answered(self, host: str, since: float) -> bool:
        """Whether the host has answered anybody after that moment."""
        return self._answered.get(host, since) > since

    def pause(self, host: str, seconds: float, now: float) -> None:
        """Leave the host alone for so long."""
        until = max(now + seconds, self._pauses.get(host, now))
        self._pauses = {**self.paused(now), host: until}

    def paused(self, now: float) -> Mapping[str, float]:
        """The hosts that are to be left alone, and until when."""
        return {host: until for host, until in self._pauses.items() if until > now}
