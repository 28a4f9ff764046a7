"""Whom to ask, by options and by what there is here.

--state: that `pages serve`. --cluster, --context, --kubeconfig: that cluster. Neither, from the first that there is:
a `pages serve` that runs from ./.pages, a kubeconfig, a ./.pages that was left. `kubectl pages` always means a cluster.
"""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.backends import Backend, key, kubeconfig
from syncer.stores.state import State

HERE = Path(".pages")
_SYSTEM = "kup6s-pages"
_Command = Callable[..., None]


def asks(command: _Command) -> _Command:
    """The options that say whom to ask; the command gets a Backend in their place."""

    @functools.wraps(command)
    def choosing(
        *args: Any,  # noqa: ANN401 - click's own
        state: Path | None,
        cluster: bool,
        context: str | None,
        kube_config: Path | None,
        system_namespace: str,
        **options: Any,  # noqa: ANN401
    ) -> None:
        cluster = cluster or context is not None or kube_config is not None
        backend = choose(state, kube_config, context, system_namespace, cluster=cluster)
        command(*args, backend=backend, **options)

    for add in (
        click.option(
            "--system-namespace",
            default=_SYSTEM,
            show_default=True,
            metavar="NAME",
            help="Where the Platform and everything generated are.",
        ),
        click.option(
            "--kubeconfig",
            "kube_config",
            type=click.Path(path_type=Path, dir_okay=False),
            help="This kubeconfig, not that of KUBECONFIG or ~/.kube/config.",
        ),
        click.option("--context", metavar="NAME", help="The cluster of this context of the kubeconfig."),
        click.option(
            "--cluster", is_flag=True, help="The cluster of the current context, even beside a `pages serve`."
        ),
        click.option(
            "--state",
            envvar="PAGES_STATE",
            type=click.Path(path_type=Path, file_okay=False),
            help="The `pages serve` with this directory.  [default: .pages where one runs there, else the cluster]",
        ),
    ):
        choosing = add(choosing)
    return choosing


def namespace_option(command: _Command) -> _Command:
    """``-n``."""
    return click.option("-n", "--namespace", metavar="NAME", help="The namespace.", shell_complete=_namespaces)(command)


def choose(state: Path | None, kube_config: Path | None, context: str | None, system: str, *, cluster: bool) -> Backend:
    """The backend that the options and the surroundings name; says which where it could be another."""
    if state and cluster:
        raise click.UsageError(
            "--state is a `pages serve`, --cluster, --context and --kubeconfig are a cluster: choose one"
        )
    if state:
        return _local(State(state))
    if cluster or is_kubectl():
        return _cluster(kube_config, context, system)
    here = State(HERE)
    if here.exists() and here.is_served():
        if kubeconfig.is_there():
            click.echo(f"Asking the `pages serve` of {HERE}; for the cluster add --cluster.", err=True)
        return _local(here)
    if kubeconfig.is_there():
        if here.exists():
            click.echo(f"Asking the cluster; for what `pages serve` left in {HERE} add --state {HERE}.", err=True)
        return _cluster(None, None, system)
    if here.exists():
        return _local(here)
    raise click.UsageError(
        "there is nobody to ask: no kubeconfig (KUBECONFIG, --kubeconfig), and no state of `pages serve` in .pages "
        "(name its directory with --state)"
    )


def is_kubectl() -> bool:
    """Whether we were called as ``kubectl pages``."""
    return Path(sys.argv[0]).name.startswith(("kubectl-", "kubectl_"))


def _local(state: State) -> Backend:
    from cli.backends.local import Local  # noqa: PLC0415

    if not state.exists():
        raise click.UsageError(f"there is no state of `pages serve` in {state.folder}: name its directory with --state")
    return Local(state)


def _cluster(kube_config: Path | None, context: str | None, system: str) -> Backend:
    from cli.backends.cluster import Cluster  # noqa: PLC0415 - half a second that only this needs

    return Cluster(kubeconfig.read(kube_config, context), system)


def complete_sites(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Site names, for the shell. Whatever goes wrong, there is just nothing to choose from."""
    try:
        backend, options = _of(context), context.params
        namespace = options.get("namespace") or backend.default_namespace
        found = backend.sites(None if options.get("all_namespaces") else namespace)
    except click.ClickException:
        return []
    names = {each["metadata"]["name"] for each in found}
    names |= {key(each) for each in found if "/" in incomplete}
    return sorted(name for name in names if name.startswith(incomplete))


def _namespaces(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        found = _of(context).sites(None)
    except click.ClickException:
        return []
    return sorted(
        {each["metadata"]["namespace"] for each in found if each["metadata"]["namespace"].startswith(incomplete)}
    )


def _of(context: click.Context) -> Backend:
    given = context.params
    cluster = bool(given.get("cluster") or given.get("context") or given.get("kube_config"))
    return choose(
        given.get("state"),
        given.get("kube_config"),
        given.get("context"),
        given.get("system_namespace") or _SYSTEM,
        cluster=cluster,
    )
