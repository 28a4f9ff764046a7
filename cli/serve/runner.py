"""`pages serve` at work: hooks, syncer and nginx around one directory of manifests."""

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from cli import metacontroller
from cli.options import metrics_port
from cli.options.serve_settings import ServeSettings
from cli.processes.listener import Listener
from cli.serve import api, dashboard, edge, nginx_config
from cli.serve.local_addresses import LOCAL_DOMAIN, LocalAddresses
from cli.serve.nginx import Nginx, NginxError
from cli.serve.progress import Progress
from cli.serve.watch import Watch
from hooks.site_reader import SiteReader
from pages import metrics
from pages.api import Object, SiteKey, VirtualHostSpec
from syncer.assembly import World, assemble, make_workspace
from syncer.git.commands import Git
from syncer.metrics.counted import Counted
from syncer.metrics.observed import Observed
from syncer.stores.directory import DirectoryStore
from syncer.stores.site_log import SiteLog
from syncer.stores.state import State
from syncer.wakeup import Wakeup

log = structlog.get_logger(__name__)

DEFAULT_PLATFORM: Object = {
    "apiVersion": "pages.kup6s.com/v1beta1",
    "kind": "Platform",
    "metadata": {"name": "local", "namespace": "kup6s-pages"},
    "spec": {"pagesDomain": LOCAL_DOMAIN, "tls": {"mode": "Off"}},
}
_NGINX_CHECK_SECONDS = 2.0


class Runner:
    """The assembled syncer with nginx and a watch of the manifests, in a ``state`` that is locked.

    ``run`` blocks until ``stop``, which a signal handler may call.
    """

    def __init__(self, settings: ServeSettings, state: State, git: Git, counted: Counted) -> None:
        self._site_metrics = settings.site_metrics
        allow_local = settings.syncer.hosts.local
        self._reader = SiteReader(allow_local=allow_local)
        self._counted = counted
        self._wakeup = Wakeup()  # after edits
        self._progress = Progress()
        self._addresses = LocalAddresses(settings.address, settings.port)
        self._store = DirectoryStore(
            settings.manifests,
            state,
            DEFAULT_PLATFORM,
            allow_local=allow_local,
            sync_interval=settings.sync_interval,
            wakeup=self._wakeup,
        )
        recorders = [self._progress, SiteLog(state.folder / "log")]
        workspace = make_workspace(settings.syncer, git)
        world = World(self._store, workspace, counted, addresses=self._addresses, recorders=recorders)
        trust = replace(settings.syncer.trust, token_key=state.token_key())
        self._parts = assemble(replace(settings.syncer, trust=trust), world)
        self._syncer_thread = threading.Thread(target=self._parts.syncer.run, name="syncer")
        self._nginx = Nginx(state.folder, live="volume/live")
        self._watch = Watch(settings.manifests, self._wakeup)
        self._api = Listener("127.0.0.1:0")  # behind nginx
        self._dashboard = Listener("127.0.0.1:0")  # as is this
        self._metrics = metrics_port.listen(settings.metrics_bind)
        state.write_api_port(self._api.port)

    def stop(self) -> None:
        """Make ``run`` return, soon."""
        self._wakeup.stop()

    def run(self) -> None:
        """Serve until stopped. Raises NginxError, and other errors that prevent the start."""
        with ExitStack() as stack:
            stack.callback(self._nginx.stop)
            self._progress.problems(self._store.reload())
            self._nginx.start(self._routes())
            self._start_syncer(stack)
            self._start_web(stack)
            self._watch.start()
            stack.callback(self._watch.stop)
            self._wakeup.change()  # what was edited before the watch started
            sites = self._store.sites()
            self._progress.serving(
                [_key(site) for site in sites],
                [_key(site) for site in sites if site["spec"].get("suspend")],
                where=f"{self._addresses.url(f'*.{LOCAL_DOMAIN}')}/",
                webhooks=f"{self._addresses.url(api.HOST)}/webhook/",
                dashboard=f"{self._addresses.url(LOCAL_DOMAIN)}/",
            )
            self._follow_edits()

    def _start_syncer(self, stack: ExitStack) -> None:
        self._syncer_thread.start()
        stack.callback(self._syncer_thread.join)
        self._parts.start()
        stack.callback(self._parts.stop)

    def _start_web(self, stack: ExitStack) -> None:
        self._api.start(self._parts.api())
        stack.callback(self._api.stop)
        self._dashboard.start(self._parts.dashboard())
        stack.callback(self._dashboard.stop)
        if self._metrics:
            registry = self._counted.registry
            registry.register(Observed(self._parts.syncer.observation, lambda: True, self._site_metrics))
            self._metrics.start(metrics.create_app(metrics.of_one_process(registry)))
            stack.callback(self._metrics.stop)

    def _follow_edits(self) -> None:
        while not self._wakeup.stopped.is_set():
            self._wakeup.wait(_NGINX_CHECK_SECONDS)
            try:
                if self._wakeup.take_change():
                    self._progress.problems(self._store.reload())
                    self._nginx.reload(self._routes())
                    self._parts.syncer.store_changed()
                elif not self._nginx.alive():
                    log.error("nginx_died")
                    self._nginx.start(self._routes())
            except (NginxError, edge.UnsupportedObject) as error:
                log.error("routes_not_changed", error=str(error))  # noqa: TRY400 - the message says it all
            except Exception:  # a bug must not take the sites down that are live
                log.exception("edit_not_followed")

    def _routes(self) -> str:
        """Ask the hooks for the routes, and keep their answer where the syncer reads it."""
        platform = local_platform(self._store.platform())
        reconciled = metacontroller.reconcile(
            platform,
            self._store.sites(),
            self._store.namespaces(),
            self._store.virtual_hosts(),
            now=datetime.now(UTC),
            reader=self._reader,
        )
        self._store.write_answer(reconciled.platform_status, reconciled.virtual_hosts)
        self._addresses.pages_domain = platform["spec"]["pagesDomain"]
        self._progress.routed(self._urls(reconciled.virtual_hosts), reconciled.platform_status.get("rejections", []))
        listen = self._addresses.listen()
        sites = edge.render(
            reconciled.objects,
            listen=listen,
            upstream=nginx_config.SITES,
            aliases=self._addresses.aliases,
            unknown_host=api.locations(),
        )
        shown = dashboard.server(LOCAL_DOMAIN, listen, self._dashboard.port)
        return f"{api.server(listen, self._api.port)}\n{shown}\n{sites}"

    def _urls(self, hosts: Iterable[Object]) -> dict[SiteKey, str]:
        specs = [VirtualHostSpec.model_validate(host["spec"]) for host in hosts]
        return {
            route.site.site_key: f"{self._addresses.base_url(spec)}{route.path_prefix}/"
            for spec in specs
            for route in spec.routes
        }


def local_platform(platform: Object) -> Object:
    """The Platform without TLS: one machine has no certificates."""
    spec = {key: value for key, value in platform["spec"].items() if key != "ingress"}
    return {**platform, "spec": spec | {"tls": {"mode": "Off"}}}


def _key(site: Object) -> SiteKey:
    return SiteKey(site["metadata"]["namespace"], site["metadata"]["name"])
