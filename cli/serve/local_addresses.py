"""Where this machine serves sites: on which addresses and port, and under which names."""

from cli.serve.nginx import loopback
from pages.api import VirtualHostSpec
from syncer.reporting.status import Addresses

LOCAL_DOMAIN = "pages.localhost"
_HTTP_PORT = 80


class LocalAddresses(Addresses):
    """Default domains of the real Platform are also served under a name that leads to this machine.

    ``pages_domain`` is the Platform's, which an edit may change.
    """

    def __init__(self, address: str | None, port: int) -> None:
        self._address = address
        self._port = port
        self.pages_domain = LOCAL_DOMAIN

    def listen(self) -> list[str]:
        """The addresses and ports for nginx to listen on."""
        if self._address is None:
            return loopback(self._port)
        address = f"[{self._address}]" if ":" in self._address else self._address
        return [f"{address}:{self._port}"]

    def aliases(self, host: str) -> list[str]:
        """Further names of a domain."""
        label, _, parent = host.partition(".")
        return [f"{label}.{LOCAL_DOMAIN}"] if parent == self.pages_domain != LOCAL_DOMAIN else []

    def base_url(self, host: VirtualHostSpec) -> str:
        """The URL of a domain on this machine."""
        return self.url(next(iter(self.aliases(host.domain)), host.domain))

    def url(self, name: str) -> str:
        """The URL of a host name."""
        return f"http://{name}" if self._port == _HTTP_PORT else f"http://{name}:{self._port}"
