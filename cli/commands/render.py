"""``pages render``: what a cluster would make of some manifests."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli import metacontroller
from pages import manifests
from pages.api import API_VERSION, Object, Platform, StaticSite
from pages.manifests import Contents, Manifest

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--pages-domain",
    default="pages.localhost",
    show_default=True,
    help="The domain below which sites without one of their own are served. Counts where no file has a Platform.",
)
@click.option(
    "--issuer",
    default="letsencrypt",
    show_default=True,
    help="The ClusterIssuer of the Certificates; empty for plain HTTP. Counts where no file has a Platform.",
)
def render(files: tuple[str, ...], pages_domain: str, issuer: str) -> None:
    """Print the objects that the hooks would create for the manifests, as YAML.

    FILE is a YAML file, a directory of them, or - for stdin. Where two sites want one domain, the first in the order
    of the files has it. A Platform among the files is used as it is.

    \b
    Mistakes and rejected sites are explained on stderr, and the exit code is then 1.

    \b
    Examples:
      pages render site.yaml
      kubectl get staticsites -A -o yaml | pages render - --pages-domain pages.example.com
    """  # noqa: D301 - click wants the backspace
    contents = _read(files)
    for problem in contents.problems:
        click.echo(problem, err=True)
    found = [each for each in contents.manifests if isinstance(each.object, Platform)]
    platform = _admitted(found[0], 0) if found else _platform(pages_domain, issuer)
    sites = [each for each in contents.manifests if isinstance(each.object, StaticSite)]
    reconciled = metacontroller.reconcile(
        platform,
        [_admitted(each, number) for number, each in enumerate(sites)],
        _namespaces(contents),
        [],
        now=datetime.now(UTC),
    )
    click.echo(manifests.dump(_plain(each) for each in (*reconciled.virtual_hosts, *reconciled.objects)), nl=False)
    rejections = reconciled.platform_status.get("rejections", [])
    for each in rejections:
        click.echo(f"StaticSite {each['namespace']}/{each['name']}: {each['reason']}: {each['message']}", err=True)
    for text in _platform_trouble(reconciled.platform_status):
        click.echo(text, err=True)
    if contents.problems or rejections or _platform_trouble(reconciled.platform_status):
        sys.exit(1)


def _read(files: tuple[str, ...]) -> Contents:
    paths = [Path(file) for file in files if file != "-"]
    contents = manifests.read(paths)
    if "-" in files:
        objects, problems = manifests.parse(sys.stdin.read(), Path("<stdin>"))
        contents.manifests += objects
        contents.problems += problems
    return contents


def _platform(pages_domain: str, issuer: str) -> Object:
    tls = {"mode": "Individual", "issuerRef": {"name": issuer}} if issuer else {"mode": "Off"}
    return {
        "apiVersion": API_VERSION,
        "kind": "Platform",
        "metadata": {"name": "platform", "namespace": "kup6s-pages", "uid": "platform", "generation": 1},
        "spec": {"pagesDomain": pages_domain, "tls": tls},
    }


def _admitted(manifest: Manifest, number: int) -> Object:
    """The object with what the API server would add; the order of the files is that of creation."""
    metadata = manifest.raw["metadata"]
    given = {
        "namespace": manifest.object.metadata.namespace,
        "uid": metadata.get("uid") or "/".join(manifest.key),
        "generation": 1,
        "creationTimestamp": metadata.get("creationTimestamp")
        or (_BEGINNING + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {**manifest.raw, "metadata": {**metadata, **given}}


def _namespaces(contents: Contents) -> list[Object]:
    """The Namespaces of the sites, with the labels that the files give them."""
    labels: dict[str, dict[str, str]] = {each.object.metadata.namespace: {} for each in contents.manifests} | {
        each.object.metadata.name: dict(each.object.metadata.labels)
        for each in contents.manifests
        if each.object.kind == "Namespace"
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": own | {"kubernetes.io/metadata.name": name}},
        }
        for name, own in labels.items()
    ]


def _plain(made: Object) -> Object:
    """What the hooks answered, without what only a cluster knows."""
    metadata = {key: value for key, value in made["metadata"].items() if key != "generation"}
    return {key: value for key, value in made.items() if key != "status"} | {"metadata": metadata}


def _platform_trouble(status: Object) -> list[str]:
    return [
        f"Platform: {each['reason']}: {each.get('message', '')}"
        for each in status.get("conditions", [])
        if each["type"] == "Ready" and each["reason"] == "InvalidSpec"
    ]
