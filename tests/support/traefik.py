"""A real Traefik that follows an API server (`make tools`)."""

import base64
import socket
import ssl
from pathlib import Path

import yaml

from tests.support.control_plane import Cluster, tool
from tests.support.processes import Program, answer
from tests.support.serving import eventually, free_port


def traefik_is_there() -> bool:
    """Whether `make tools` has built it."""
    return Path(tool("traefik")).exists()


class Traefik(Program):
    """Traefik with the entry points ``web`` and ``websecure``, as in our docs."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.web, self.websecure, self.ping = free_port(), free_port(), free_port()
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        server = config["clusters"][0]["cluster"]
        authority = folder / "api.crt"
        authority.write_bytes(base64.b64decode(server["certificate-authority-data"]))
        provider = "--providers.kubernetescrd"
        command = [
            tool("traefik"),
            f"{provider}.endpoint={server['server']}",
            f"{provider}.token={config['users'][0]['user']['token']}",
            f"{provider}.certauthfilepath={authority}",
            f"{provider}.namespaces=kup6s-pages",
            f"{provider}.allowexternalnameservices=true",
            f"{provider}.throttleduration=100ms",
            f"--entrypoints.web.address=127.0.0.1:{self.web}",
            f"--entrypoints.websecure.address=127.0.0.1:{self.websecure}",
            "--entrypoints.websecure.http.tls=true",
            f"--entrypoints.ping.address=127.0.0.1:{self.ping}",
            "--ping=true",
            "--ping.entrypoint=ping",
            "--log.level=ERROR",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
        ]
        super().__init__(folder / "traefik.log", command)

    def wait_until_ready(self) -> None:
        eventually(lambda: answer(self.ping, "/ping")[0] == 200 or not self.running())
        assert self.running(), self.output

    def connect(self, domain: str, protocol: str = "http/1.1") -> ssl.SSLSocket:
        """Connect as a visitor of the domain who trusts any certificate."""
        anything = ssl.create_default_context()
        anything.set_alpn_protocols([protocol])
        anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
        connection = socket.create_connection(("127.0.0.1", self.websecure), timeout=10)
        return anything.wrap_socket(connection, server_hostname=domain)
