"""``pages render``: the objects that a cluster would generate from manifests."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli import exits, metacontroller
from cli.diagnosis.facts import condition
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
    help="The parent domain of sites without a custom domain. Ignored if a file has a Platform.",
)
@click.option(
    "--issuer",
    default="letsencrypt",
    show_default=True,
    help="The ClusterIssuer of the Certificates; empty for plain HTTP. Ignored if a file has a Platform.",
)
def render(files: tuple[str, ...], pages_domain: str, issuer: str) -> None:
    """Print the objects that the hooks would create for the manifests, as YAML.

    FILE is a YAML file, a directory of them, or - for stdin. If several sites claim a domain, the first in the order of
    the files gets it. A Platform among the files is used unchanged.

    \b
    Mistakes and rejected sites are explained on stderr, and the exit code is then 1.

    \b
    Examples:
      pages render site.yaml
      kubectl get staticsites -A -o yaml | pages render - --pages-domain pages.example.com
    """  # noqa: D301 - click wants the backspace
    contents = _read(files)
    platforms = [each for each in contents.manifests if isinstance(each.object, Platform)]
    sites = [each for each in contents.manifests if isinstance(each.object, StaticSite)]
    reconciled = metacontroller.reconcile(
        _admitted(platforms[0], 0) if platforms else _platform(pages_domain, issuer),
        [_admitted(each, number) for number, each in enumerate(sites)],
        _namespaces(contents),
        [],
        now=datetime.now(UTC),
    )
    click.echo(manifests.dump(map(_submitted, (*reconciled.virtual_hosts, *reconciled.objects))), nl=False)
    problems = [*map(str, contents.problems), *_rejections(reconciled.platform_status)]
    for text in problems:
        click.echo(text, err=True)
    if problems:
        sys.exit(exits.NOT_READY)


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
    """The object with what the API server would add; the order of the files is the order of creation."""
    metadata = manifest.raw["metadata"]
    created = (_BEGINNING + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    added = {
        "namespace": manifest.object.metadata.namespace,
        "uid": metadata.get("uid") or "/".join(manifest.key),
        "generation": 1,
        "creationTimestamp": metadata.get("creationTimestamp") or created,
    }
    return {**manifest.raw, "metadata": {**metadata, **added}}


def _namespaces(contents: Contents) -> list[Object]:
    """The Namespaces of all objects, with the labels that the files give them."""
    labels: dict[str, dict[str, str]] = {each.object.metadata.namespace: {} for each in contents.manifests}
    for each in contents.manifests:
        if each.object.kind == "Namespace":
            labels[each.object.metadata.name] = dict(each.object.metadata.labels)
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": own | {"kubernetes.io/metadata.name": name}},
        }
        for name, own in labels.items()
    ]


def _submitted(child: Object) -> Object:
    """What the hooks return, without what a cluster adds."""
    metadata = {key: value for key, value in child["metadata"].items() if key != "generation"}
    return {key: value for key, value in child.items() if key != "status"} | {"metadata": metadata}


def _rejections(platform_status: Object) -> Iterator[str]:
    for each in platform_status.get("rejections", []):
        yield f"StaticSite {each['namespace']}/{each['name']}: {each['reason']}: {each['message']}"
    ready = condition({"status": platform_status}, "Ready")
    if ready.reason == "InvalidSpec":
        yield f"Platform: {ready.reason}: {ready.message}"
