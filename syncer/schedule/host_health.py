"""Which git servers have asked for a pause, and which do not answer. Times are monotonic seconds."""

from collections.abc import Collection, Mapping


class HostHealth:
    """Fed with the end of every run at a host; nothing here waits or locks."""

    def __init__(self) -> None:
        self._pauses: dict[str, float] = {}  # when the pause of each host ends
        self._answered: dict[str, float] = {}  # when each host last answered
        self._bad: set[str] = set()

    @property
    def bad(self) -> Collection[str]:
        """The hosts that did not answer the last request."""
        return self._bad

    def keep(self, hosts: Collection[str]) -> None:
        """Forget all other hosts, except for the pauses they have asked for."""
        self._bad.intersection_update(hosts)
        self._answered = {host: when for host, when in self._answered.items() if host in hosts}

    def note(self, host: str, now: float, *, answers: bool) -> None:
        """A run at the host has ended."""
        if answers:
            self._bad.discard(host)
            self._answered[host] = now
        else:
            self._bad.add(host)

    def has_answered(self, host: str, since: float) -> bool:
        """Whether the host has answered any request after that moment."""
        return self._answered.get(host, since) > since

    def pause(self, host: str, seconds: float, now: float) -> None:
        """Send the host no request for so long."""
        until = max(now + seconds, self._pauses.get(host, now))
        self._pauses = {**self.paused(now), host: until}

    def paused(self, now: float) -> Mapping[str, float]:
        """The hosts with a pause, and when it ends."""
        return {host: until for host, until in self._pauses.items() if until > now}
