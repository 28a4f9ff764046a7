"""`pages serve` at work: hooks, syncer and nginx around one directory of manifests."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from cli import metacontroller
from cli.options import metrics_port
from cli.processes.listener import Listener
from cli.serve import api, dashboard, edge, nginx_config
from cli.serve.nginx import Nginx, NginxError, loopback
from cli.serve.progress import Progress, SiteName
from cli.serve.watch import Watch
from hooks.payload import Object
from pages import metrics
from pages.api import StaticSite, VirtualHostSpec
from syncer.app import Engine, create_app
from syncer.dashboard.app import create_app as create_dashboard
from syncer.dashboard.journal import Journal
from syncer.dashboard.view import View
from syncer.disk.policy import DiskPolicy
from syncer.egress.hosts import AllowedHosts
from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.limits import SiteLimits
from syncer.metrics.counted import Counted
from syncer.metrics.observed import Observed
from syncer.publishing.release import Outcome
from syncer.publishing.source import SourceSync
from syncer.reporting.commit_status.writer import CommitStatuses
from syncer.schedule.schedule import Capacity
from syncer.service.loop import Syncer
from syncer.stores.directory import DirectoryStore
from syncer.stores.site_log import SiteLog
from syncer.stores.state import State
from syncer.volume.releases import Releases
from syncer.webhooks.matching import LatestIndex
from syncer.webhooks.record import Record
from syncer.webhooks.requests import Requests
from syncer.webhooks.trust import Trust

log = structlog.get_logger(__name__)

LOCAL_DOMAIN = "pages.localhost"
DEFAULT_PLATFORM: Object = {
    "apiVersion": "pages.kup6s.com/v1beta1",
    "kind": "Platform",
    "metadata": {"name": "local", "namespace": "kup6s-pages"},
    "spec": {"pagesDomain": LOCAL_DOMAIN, "tls": {"mode": "Off"}},
}
_NGINX_CHECK_SECONDS = 2.0


@dataclass(frozen=True)
class Settings:
    """What was asked for on the command line."""

    manifests: Sequence[Path]
    state: Path
    address: str | None
    port: int
    hosts: AllowedHosts
    sync_interval: str
    capacity: Capacity
    limits: SiteLimits
    disk: DiskPolicy
    metrics_bind: str
    site_metrics: int
    webhook_secret: bytes | None = field(default=None, repr=False)


class Runner:
    """Everything `pages serve` owns. ``run`` blocks until ``stop``, which a signal handler may call."""

    def __init__(self, settings: Settings, git: Git, progress: Progress, counted: Counted) -> None:
        self._settings = settings
        self._counted = counted
        self._git = git
        self._progress = progress
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._edited = threading.Event()
        self._journal = Journal()
        self._record = Record()

    def stop(self) -> None:
        """Make ``run`` return, soon."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Serve until stopped. Raises StateNotUsable, NginxError and what else keeps it from starting."""
        state = State(self._settings.state)
        with ExitStack() as stack:
            stack.enter_context(state.locked())
            self._store = DirectoryStore(
                self._settings.manifests,
                state,
                DEFAULT_PLATFORM,
                allow_local=self._settings.hosts.local,
                sync_interval=self._settings.sync_interval,
                rules_changed=self._notice_edit,
            )
            self._site_log = SiteLog(state.folder / "log")
            self._nginx = Nginx(state.folder, live="volume/live")
            self._releases = Releases(state.volume, self._settings.disk)
            self._trust = Trust(self._settings.webhook_secret, state.token_key())
            self._syncer = self._make_syncer(state)
            self._listener = Listener("127.0.0.1:0")  # nginx stands before it
            self._dashboard = Listener("127.0.0.1:0")  # and before this
            metrics_listener = metrics_port.listen(self._settings.metrics_bind)
            state.write_api_port(self._listener.port)
            stack.callback(self._nginx.stop)
            self._progress.problems(self._store.reload())
            self._nginx.start(self._routes())
            self._start_syncer(stack)
            self._start_api(stack)
            self._start_dashboard(stack)
            if metrics_listener:
                self._show_metrics(metrics_listener, stack)
            self._watch(stack)
            sites = self._store.sites()
            self._progress.serving(
                [_name(site) for site in sites],
                [_name(site) for site in sites if site["spec"].get("suspend")],
                f"http://*.{LOCAL_DOMAIN}{self._port()}/",
                f"http://{api.HOST}{self._port()}/webhook/",
                f"http://{LOCAL_DOMAIN}{self._port()}/",
            )
            self._follow_edits()

    def _make_syncer(self, state: State) -> Syncer:
        mirrors = Mirrors(state.mirrors, self._git, self._settings.disk, self._releases.relieve)
        noted = self._counted.commit_status
        self._commit_statuses = CommitStatuses(self._store.secret, self._settings.hosts, noted=noted)
        source_sync = SourceSync(
            git=self._git,
            mirrors=mirrors,
            releases=self._releases,
            hosts=self._settings.hosts,
            read_secret=self._store.secret,
            limits=self._settings.limits,
            begin=self._commit_statuses.begun,
        )
        return Syncer(
            self._store,
            source_sync,
            self._releases,
            mirrors,
            capacity=self._settings.capacity,
            heartbeat=timedelta(seconds=1),  # a status is a file here: each sync may say that it was
            base_url=self._base_url,
            sync_token=self._trust.sync_token,
            observer=self._synced,
            counted=self._counted,
        )

    def _synced(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        self._journal.note(site, outcome)
        self._progress.synced(site, outcome)
        self._site_log.note(site, outcome, seconds)
        self._commit_statuses.ended(site, outcome)

    def _start_syncer(self, stack: ExitStack) -> None:
        thread = threading.Thread(target=self._syncer.run, name="syncer")
        thread.start()
        stack.callback(thread.join)
        stack.callback(self._git.close)
        stack.callback(self._syncer.stop)

    def _start_api(self, stack: ExitStack) -> None:
        requests = Requests(self._syncer.request)
        requests.start()
        stack.callback(requests.stop)
        self._commit_statuses.start()
        stack.callback(self._commit_statuses.stop)
        engine = Engine(
            index=LatestIndex(self._syncer.sites),
            request=requests.put,
            take_offline=self._releases.take_offline,
            commit_status=self._commit_statuses.result,
            delivered=self._counted.delivered,
        )
        self._listener.start(create_app(self._trust, engine, self._record))
        stack.callback(self._listener.stop)

    def _start_dashboard(self, stack: ExitStack) -> None:
        view = View(
            sites=self._syncer.seen,
            events=self._journal.of,
            deliveries=self._record.recent,
            commit_status=self._commit_statuses.result,
        )
        self._dashboard.start(create_dashboard(view))
        stack.callback(self._dashboard.stop)

    def _show_metrics(self, listener: Listener, stack: ExitStack) -> None:
        registry = self._counted.registry
        registry.register(Observed(self._syncer.observation, lambda: True, self._settings.site_metrics))
        listener.start(metrics.create_app(metrics.of_one_process(registry)))
        stack.callback(listener.stop)

    def _watch(self, stack: ExitStack) -> None:
        watch = Watch(self._settings.manifests, self._notice_edit)
        watch.start()
        stack.callback(watch.stop)
        self._notice_edit()  # what was edited before the watch began

    def _notice_edit(self) -> None:
        self._edited.set()
        self._wake.set()

    def _follow_edits(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(_NGINX_CHECK_SECONDS)
            self._wake.clear()
            try:
                if self._edited.is_set():
                    self._edited.clear()
                    self._progress.problems(self._store.reload())
                    self._nginx.reload(self._routes())
                    self._syncer.store_changed()
                elif not self._nginx.alive():
                    log.error("nginx_died")
                    self._nginx.start(self._routes())
            except (NginxError, edge.UnsupportedObject) as error:
                log.error("routes_not_changed", error=str(error))  # noqa: TRY400 - the sentence says it all
            except Exception:  # a bug must not take the sites down that are live
                log.exception("edit_not_followed")

    def _routes(self) -> str:
        """Ask the hooks what is to be routed, and keep their answer where the syncer finds it."""
        platform = local_platform(self._store.platform())
        reconciled = metacontroller.reconcile(
            platform,
            self._store.sites(),
            self._store.namespaces(),
            self._store.virtual_hosts(),
            now=datetime.now(UTC),
            allow_local=self._settings.hosts.local,
        )
        self._store.write_answer(reconciled.platform_status, reconciled.virtual_hosts)
        self._pages_domain = platform["spec"]["pagesDomain"]
        self._progress.routed(self._urls(reconciled.virtual_hosts), reconciled.platform_status.get("rejections", []))
        sites = edge.render(
            reconciled.objects,
            listen=self._listen(),
            upstream=nginx_config.SITES,
            aliases=self._aliases,
            unknown_host=api.locations(),
        )
        shown = dashboard.server(LOCAL_DOMAIN, self._listen(), self._dashboard.port)
        return f"{api.server(self._listen(), self._listener.port)}\n{shown}\n{sites}"

    def _listen(self) -> list[str]:
        if self._settings.address is None:
            return loopback(self._settings.port)
        address = f"[{self._settings.address}]" if ":" in self._settings.address else self._settings.address
        return [f"{address}:{self._settings.port}"]

    def _aliases(self, host: str) -> Iterable[str]:
        """A default domain of the real Platform is also found at a name that leads to this machine."""
        label, _, parent = host.partition(".")
        return [f"{label}.{LOCAL_DOMAIN}"] if parent == self._pages_domain != LOCAL_DOMAIN else []

    def _urls(self, hosts: Iterable[Object]) -> dict[SiteName, str]:
        specs = [VirtualHostSpec.model_validate(host["spec"]) for host in hosts]
        return {
            (route.site.namespace, route.site.name): f"{self._base_url(spec)}{route.path_prefix}/"
            for spec in specs
            for route in spec.routes
        }

    def _base_url(self, host: VirtualHostSpec) -> str:
        name = next(iter(self._aliases(host.domain)), host.domain)
        return f"http://{name}{self._port()}"

    def _port(self) -> str:
        return "" if self._settings.port == 80 else f":{self._settings.port}"  # noqa: PLR2004 - http


def local_platform(platform: Object) -> Object:
    """The Platform without TLS: there are no certificates on one machine."""
    spec = {key: value for key, value in platform["spec"].items() if key != "ingress"}
    return {**platform, "spec": spec | {"tls": {"mode": "Off"}}}


def _name(site: Object) -> SiteName:
    return site["metadata"]["namespace"], site["metadata"]["name"]
