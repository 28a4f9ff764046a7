"""What the syncer's API reports to a site's owner: the last webhook, the last commit status."""

from collections.abc import Iterator

import requests

from cli.diagnosis.facts import Object, status

_SECONDS = 10


def lines(site: Object, api: str | None) -> list[str]:
    """The report, or the reason why there is none."""
    metadata, token = site["metadata"], status(site).get("syncToken")
    if not api or not token:
        missing = "the site has no syncToken" if api else "use --api URL to ask the syncer's API"
        return [f"Webhooks and commit status: not known ({missing})."]
    url = f"{api.rstrip('/')}/site/{metadata['namespace']}/{metadata['name']}"
    try:
        response = requests.get(url, headers={"X-API-Key": token}, timeout=_SECONDS, allow_redirects=False)
        response.raise_for_status()
        return list(_report(response.json()))
    except (requests.RequestException, LookupError, TypeError) as error:
        return [f"Webhooks and commit status: no valid response from {api} ({type(error).__name__})."]


def _report(content: Object) -> Iterator[str]:
    yield f"Last webhook: {_delivery(content['lastDelivery']) or 'none since the syncer started'}."
    if refused := _delivery(content["lastRefusedDelivery"]):
        yield f"Last rejected webhook: {refused}."
    if content["commitStatus"]:
        yield f"Last commit status: {content['commitStatus']}."


def _delivery(content: Object | None) -> str:
    return f"{content['time']} {content['forge']} {content['event']}: {content['outcome']}" if content else ""
