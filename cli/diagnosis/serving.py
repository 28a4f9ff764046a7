"""Whether a `pages serve` works: the facts about its state and its nginx in, a verdict for each check out."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cli.diagnosis.facts import Response
from cli.diagnosis.verdicts import Verdict, broken, ok, unknown

_HTTP_PORT = 80


@dataclass(frozen=True)
class Served:
    """The state of a `pages serve`. ``response`` is that of its nginx for a site, None where no site has a URL."""

    where: str
    running: bool
    sites: int
    mistakes: Sequence[str] = ()
    response: Response | None = None


def examine(served: Served) -> list[Verdict]:
    """All checks."""
    return [process(served), *manifests(served), port(served)]


def process(served: Served) -> Verdict:
    """Whether the process is running."""
    name = "pages serve"
    if served.running:
        return ok(name, f"{served.where} is running")
    return broken(name, "NotRunning", f"{served.where} is not running", "start it: pages serve …")


def manifests(served: Served) -> list[Verdict]:
    """The mistakes in the manifests."""
    if not served.mistakes:
        return [ok("Manifests", f"{served.sites} sites, no mistakes")]
    return [broken("Manifests", "Mistake", each, "correct this line") for each in served.mistakes]


def port(served: Served) -> Verdict:
    """Whether nginx responds at the port of the sites' URLs."""
    response = served.response
    if response is None:
        return unknown("Port", "no site has a URL yet")
    where = f"127.0.0.1:{urlsplit(response.url).port or _HTTP_PORT}"
    if response.problem:
        remedy = "check that `pages serve` is running with this --port and --address"
        return broken("Port", "NoAnswer", f"{where}: {response.detail}", remedy)
    return ok("Port", f"{where} answers")
