"""The options that choose a backend, and the default without them.

--state is a `pages serve`; --cluster, --context and --kubeconfig are a cluster. Without them, the first of these: a
`pages serve` that is running in ./.pages, a kubeconfig, the last state in ./.pages. `kubectl pages` uses a cluster.
"""

import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from cli.backends import Backend, key, kubeconfig
from cli.options.common import Command, decorated
from syncer.stores.state import State

HERE = Path(".pages")
_SYSTEM = "kup6s-pages"
_OPTIONS = {
    "state": click.option(
        "--state",
        envvar="PAGES_STATE",
        type=click.Path(path_type=Path, file_okay=False),
        help="Use the `pages serve` with this directory.  [default: .pages if one is running there, else the cluster]",
    ),
    "cluster": click.option(
        "--cluster", is_flag=True, help="Use the cluster of the current context, even if `pages serve` is running."
    ),
    "context": click.option("--context", metavar="NAME", help="Use the cluster of this context of the kubeconfig."),
    "kube_config": click.option(
        "--kubeconfig",
        "kube_config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Use this kubeconfig, not that of KUBECONFIG or ~/.kube/config.",
    ),
    "system_namespace": click.option(
        "--system-namespace",
        default=_SYSTEM,
        show_default=True,
        metavar="NAME",
        help="The namespace of the Platform and of all generated objects.",
    ),
}


@dataclass(frozen=True)
class Choice:
    """The values of the options."""

    state: Path | None = None
    cluster: bool = False
    context: str | None = None
    kube_config: Path | None = None
    system_namespace: str = _SYSTEM

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """From a command's options, some of which a shell that completes them does not have yet."""
        return cls(**{name: values[name] for name in _OPTIONS if values.get(name) is not None})

    @property
    def is_cluster(self) -> bool:
        """Whether an option or the program's name chooses a cluster."""
        return self.cluster or self.context is not None or self.kube_config is not None


def asks(command: Command) -> Command:
    """Add the options that choose a backend; the command gets the Backend instead of them."""

    @functools.wraps(command)
    def run(*args: Any, **values: Any) -> None:  # noqa: ANN401 - click's own
        backend = choose(Choice.of(values))
        command(*args, backend=backend, **{name: value for name, value in values.items() if name not in _OPTIONS})

    return decorated(run, list(_OPTIONS.values()))


def namespace_option(command: Command) -> Command:
    """``-n``."""
    return click.option("-n", "--namespace", metavar="NAME", help="The namespace.", shell_complete=_namespaces)(command)


def choose(choice: Choice) -> Backend:
    """The backend; where another one would be possible, a line on stderr says which one is used."""
    if choice.state and choice.is_cluster:
        raise click.UsageError(
            "--state uses a `pages serve`; --cluster, --context and --kubeconfig use a cluster: leave one of them out"
        )
    if choice.state:
        return _local(State(choice.state))
    if choice.is_cluster or is_kubectl():
        return _cluster(choice)
    return _default(choice)


def _default(choice: Choice) -> Backend:
    here = State(HERE)
    if here.exists() and here.is_served():
        if kubeconfig.is_there():
            click.echo(f"Using the `pages serve` of {HERE}; for the cluster add --cluster.", err=True)
        return _local(here)
    if kubeconfig.is_there():
        if here.exists():
            click.echo(f"Using the cluster; for the last state of `pages serve` add --state {HERE}.", err=True)
        return _cluster(choice)
    if here.exists():
        return _local(here)
    raise click.UsageError(
        "no cluster or `pages serve` found: set KUBECONFIG or --kubeconfig, or --state to the directory of a "
        "`pages serve`"
    )


def is_kubectl() -> bool:
    """Whether we were called as ``kubectl pages``."""
    return Path(sys.argv[0]).name.startswith(("kubectl-", "kubectl_"))


def _local(state: State) -> Backend:
    from cli.backends.local import Local  # noqa: PLC0415

    if not state.exists():
        raise click.UsageError(
            f"{state.folder} is not the state directory of a `pages serve`: set --state to one, or start `pages serve`"
        )
    return Local(state)


def _cluster(choice: Choice) -> Backend:
    from cli.backends.cluster import Cluster  # noqa: PLC0415 - half a second that only a cluster needs

    return Cluster(kubeconfig.read(choice.kube_config, choice.context), choice.system_namespace)


def complete_sites(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Site names, for the shell; none after an error."""
    options = context.params
    try:
        backend = choose(Choice.of(options))
        namespace = options.get("namespace") or backend.default_namespace
        sites = backend.sites(None if options.get("all_namespaces") else namespace)
    except click.ClickException:
        return []
    names = {each["metadata"]["name"] for each in sites}
    if "/" in incomplete:
        names |= set(map(key, sites))
    return _matching(names, incomplete)


def _namespaces(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        sites = choose(Choice.of(context.params)).sites(None)
    except click.ClickException:
        return []
    return _matching({each["metadata"]["namespace"] for each in sites}, incomplete)


def _matching(names: set[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
