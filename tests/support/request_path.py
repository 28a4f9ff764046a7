"""The whole way of a request, of real parts.

Traefik is fed by an API server with what the hooks made; behind it are nginx and the volume of a syncer that follows
that API server. Only cert-manager is played, and Metacontroller where there is none.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cryptography import x509

from hooks.platform import HELD_ABOVE
from tests.nginx.conftest import Sites, running
from tests.support import chart, http2
from tests.support.cluster import SyncerProcess
from tests.support.control_plane import SYSTEM, ControlPlane
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.operator import Operator, operating
from tests.support.raw_http import Answer, ask, exchange, request
from tests.support.serving import eventually
from tests.support.traefik import Traefik

PAGES = "pages.example.com"
ISSUER = {"kind": "ClusterIssuer", "name": "letsencrypt"}
NAMESPACES = ("one", "two", "team-a", "team-b")


class RequestPath:
    """The way from a visitor to a site's files."""

    def __init__(
        self,
        cluster: ControlPlane,
        operator: Operator,
        traefik: Traefik,
        nginx: Sites,
        syncer: SyncerProcess,
        git: GitServer,
    ) -> None:
        self.cluster = cluster
        self.operator = operator
        self.traefik = traefik
        self.nginx = nginx
        self.syncer = syncer
        self.git = git

    def platform(self, **spec: Any) -> None:
        """Make or change the Platform."""
        written = {"pagesDomain": PAGES, "tls": {"mode": "Individual", "issuerRef": ISSUER}, **spec}
        self.cluster.make(
            "platforms",
            {
                "apiVersion": "pages.kup6s.com/v1beta1",
                "kind": "Platform",
                "metadata": {"name": "platform", "namespace": SYSTEM},
                "spec": written | {"service": {"name": "static-sites-nginx", "port": self.nginx.port}},
            },
        )

    def site(self, namespace: str, name: str, repo: str, **spec: Any) -> None:
        """Make a StaticSite."""
        self.cluster.make("staticsites", static_site(name, namespace, repo=self.git.url(repo), **spec))

    def delete(self, namespace: str, *names: str) -> None:
        """Delete StaticSites."""
        for name in names:
            self.cluster.remove("staticsites", name, namespace)

    def delete_many(self, namespace: str, names: Sequence[str]) -> None:
        """Delete StaticSites, so few at a time that none is held back for minutes (the brake on mass removal)."""
        while names:
            some = max(HELD_ABOVE, len(names) // 2)
            self.delete(namespace, *names[:some])
            self.settle()
            names = names[some:]

    def settle(self) -> None:
        """The hooks look at what there is, and it is done."""
        self.operator.settle()

    def ask(self, domain: str, path: str, method: str = "GET", **headers: str) -> Answer:
        """What a visitor gets over HTTPS, the path being sent as it is."""
        with self.traefik.connect(domain) as connection:
            return exchange(connection, request(f"{method} {path} HTTP/1.1", {"Host": domain} | headers))

    def send(self, domain: str, sent: bytes) -> Answer:
        """What comes back for these bytes over HTTPS."""
        with self.traefik.connect(domain) as connection:
            return exchange(connection, sent)

    def ask_http2(self, domain: str, headers: http2.Headers, body: bytes = b"") -> Answer:
        """What comes back for these headers over HTTP/2."""
        with self.traefik.connect(domain, "h2") as connection:
            assert connection.selected_alpn_protocol() == "h2"
            return http2.exchange(connection, headers, body)

    def ask_plain(self, domain: str, path: str, method: str = "GET", **headers: str) -> Answer:
        """What a visitor gets over HTTP."""
        return ask(self.traefik.web, f"{method} {path} HTTP/1.1", Host=domain, **headers)

    def shows(self, domain: str, text: str, path: str = "/") -> bool:
        """Whether that is what a visitor sees."""
        answer = self.ask(domain, path)
        return answer.status == 200 and text in answer.text

    def nginx_saw(self, target: str) -> bool:
        """Whether nginx was ever asked for exactly that, which Traefik had not put below a site."""
        return f'"{target}"' in (self.nginx.root.parent / "access.log").read_text()

    def certificate(self, domain: str) -> x509.Certificate:
        """The certificate that a visitor is shown."""
        with self.traefik.connect(domain) as connection:
            shown = connection.getpeercert(binary_form=True)
        assert shown
        return x509.load_der_x509_certificate(shown)


@contextmanager
def request_path_in(folder: Path) -> Iterator[RequestPath]:
    """All of it, with its files in the folder."""
    (folder / "repositories").mkdir()
    with ControlPlane() as cluster, running(folder) as nginx, GitServer(folder / "repositories") as git:
        chart.prepare(cluster)
        cluster.apply(_service(nginx.port))
        for namespace in NAMESPACES:
            cluster.namespace(namespace)
        kubeconfig = cluster.service_account("pages-syncer", folder)
        volume = ("--volume", str(nginx.root))
        with (
            operating(cluster, folder) as operator,
            Traefik(folder, cluster) as traefik,
            SyncerProcess(folder, "syncer", kubeconfig, git.origin, volume) as syncer,
        ):
            traefik.wait_until_ready()
            syncer.wait_until_ready()
            yield RequestPath(cluster, operator, traefik, nginx, syncer, git)


def with_two_sites(path: RequestPath) -> RequestPath:
    """Two tenants, with a domain each, for whatever a visitor may try; the first has a site that lets nobody in."""
    path.platform()
    for tenant in ("team-a", "team-b"):
        path.git.repository(tenant).commit(
            {
                "index.html": f"home of {tenant}",
                "about.html": f"about {tenant}",
                "docs/index.html": f"docs of {tenant}",
                "secret.html": f"secret of {tenant}",
                "404.html": f"{tenant} has no such page",
                ".env": f"secret of {tenant}",
                "app.3f9a2b1c.js": "export {}\n" * 300,
                "big.bin": "0123456789" * 1000,
            }
        )
        path.site(tenant, "site", tenant, domain=f"{tenant}.example.org")
        path.site(tenant, "below", tenant, domain=f"{tenant}.example.org", pathPrefix="/below")
    closed = {"basicAuth": {"secretRef": {"name": "nobody"}}}  # there is no such Secret
    path.site("team-a", "closed", "team-a", domain="team-a.example.org", pathPrefix="/closed", **closed)
    path.settle()
    wanted = [(tenant, where) for tenant in ("team-a", "team-b") for where in ("/", "/below/")]
    eventually(lambda: all(path.shows(f"{each}.example.org", f"home of {each}", where) for each, where in wanted))
    eventually(lambda: path.ask("team-a.example.org", "/closed/").status == HTTPStatus.UNAUTHORIZED)
    return path


def _service(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "static-sites-nginx", "namespace": SYSTEM},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
