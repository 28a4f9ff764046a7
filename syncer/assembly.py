"""Builds the syncer from its parts, the same in a cluster and on one machine."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import Flask

from syncer import app
from syncer.app import Engine
from syncer.dashboard import app as dashboard
from syncer.dashboard.journal import Journal
from syncer.dashboard.view import View
from syncer.duty import Duty, Fence
from syncer.egress.addresses import Addresses
from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.metrics.counted import Counted
from syncer.publishing.credentials import Secrets
from syncer.publishing.release import CurrentSites, Publishing
from syncer.publishing.source import SourceSync
from syncer.publishing.workspace import Workspace
from syncer.recorder import Recorder, Recorders
from syncer.reporting import status
from syncer.reporting.commit_status.writer import CommitStatuses
from syncer.reporting.status import PublicAddresses, Wording
from syncer.reporting.status_writer import StatusWriter
from syncer.reporting.statuses import Statuses
from syncer.service.housekeeping import Housekeeper
from syncer.service.loop import Syncer
from syncer.service.reports import Reports
from syncer.service.sites import Sites
from syncer.service.source_queue import SourceQueue
from syncer.settings import Settings
from syncer.stores import Store
from syncer.volume.releases import Releases
from syncer.wakeup import Wakeup
from syncer.webhooks.matching import LatestIndex
from syncer.webhooks.record import Record
from syncer.webhooks.requests import Requests
from syncer.webhooks.trust import Trust


@dataclass(frozen=True)
class World:
    """Where the syncer runs: in a cluster, on one machine, or in a test."""

    store: Store
    workspace: Workspace
    counted: Counted = field(default_factory=Counted)
    wakeup: Wakeup = field(default_factory=Wakeup)
    addresses: status.Addresses = field(default_factory=PublicAddresses)
    recorders: Sequence[Recorder] = ()


@dataclass(frozen=True)
class Assembly:
    """A syncer whose parts are complete, but not started."""

    trust: Trust
    workspace: Workspace
    queue: SourceQueue
    syncer: Syncer
    requests: Requests
    commit_statuses: CommitStatuses
    engine: Engine
    view: View

    def start(self) -> None:
        """Start the threads beside ``syncer.run``."""
        self.requests.start()
        self.commit_statuses.start()

    def stop(self) -> None:
        """Stop them, and make ``syncer.run`` return soon."""
        self.requests.stop()
        self.commit_statuses.stop()
        self.syncer.stop()
        self.workspace.git.close()

    def api(self) -> Flask:
        """The application that takes webhooks."""
        return app.create_app(self.trust, self.engine)

    def dashboard(self) -> Flask:
        """The application that shows all sites."""
        return dashboard.create_app(self.view)


def make_git(settings: Settings, recorder: Recorder | None = None) -> Git:
    """Git as the operator limits it."""
    limits, hosts = settings.limits, settings.hosts
    return Git(limits.timeouts, limits.process, addresses=Addresses(hosts), local=hosts.local, recorder=recorder)


def make_workspace(settings: Settings, git: Git, fence: Fence | None = None) -> Workspace:
    """The volume and the cache of mirrors."""
    fence = fence or Fence()
    releases = Releases(settings.volume, settings.disk, fence=fence.check)
    return Workspace(git, Mirrors(settings.cache, git, settings.disk, releases.relieve), releases)


def make_source_sync(
    settings: Settings,
    workspace: Workspace,
    secrets: Secrets,
    sites: CurrentSites | None = None,
    recorder: Recorder | None = None,
) -> SourceSync:
    """What syncs one source."""
    sites, recorder = sites or CurrentSites(), recorder or Recorder()
    publishing = Publishing(workspace.releases, settings.limits.site, sites, recorder)
    return SourceSync(workspace, settings.hosts, secrets, publishing)


def assemble(settings: Settings, world: World, duty: Duty | None = None) -> Assembly:
    """The whole syncer; its API and dashboard answer while it is on duty."""
    duty, journal, deliveries = duty or Duty(), Journal(), Record()
    commit_statuses = CommitStatuses(world.store, settings.hosts, recorder=world.counted)
    recorder = Recorders(world.counted, journal, *world.recorders, commit_statuses)
    workspace = world.workspace
    sites = Sites(world.store, workspace.releases)
    queue = SourceQueue(settings.capacity, settings.backoff, world.wakeup)
    writer = StatusWriter(world.store, recorder)
    wording = Wording(world.addresses, settings.trust, settings.heartbeat)
    statuses = Statuses(writer, workspace.releases, wording, recorder)
    syncer = Syncer(
        sites=sites,
        source_sync=make_source_sync(settings, workspace, world.store, sites, recorder),
        queue=queue,
        reports=Reports(sites, statuses, writer, recorder),
        housekeeper=Housekeeper(workspace, sites, queue, recorder, settings.housekeeping_seconds),
        wakeup=world.wakeup,
    )
    requests = Requests(queue)
    return Assembly(
        trust=settings.trust,
        workspace=workspace,
        queue=queue,
        syncer=syncer,
        requests=requests,
        commit_statuses=commit_statuses,
        engine=Engine(
            index=LatestIndex(sites),
            requests=requests,
            live=workspace.releases,
            commit_statuses=commit_statuses,
            deliveries=deliveries,
            recorder=recorder,
            duty=duty,
        ),
        view=View(sites=syncer, journal=journal, deliveries=deliveries, commit_statuses=commit_statuses, duty=duty),
    )
