"""What the syncer's API tells the site's owner: the last webhook, the last commit status."""

import requests

from cli.diagnosis.facts import Object, status

_SECONDS = 10


def lines(site: Object, api: str | None) -> list[str]:
    """What the API tells, or why it does not."""
    metadata, token = site["metadata"], status(site).get("syncToken")
    if not api or not token:
        missing = "the site has no syncToken" if api else "there is no API to ask"
        return [f"Webhooks and commit status: not known here ({missing})."]
    url = f"{api.rstrip('/')}/site/{metadata['namespace']}/{metadata['name']}"
    try:
        answer = requests.get(url, headers={"X-API-Key": token}, timeout=_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        told = answer.json()
        found = [f"Last webhook: {_delivery(told['lastDelivery']) or 'none since the syncer started'}."]
        if refused := _delivery(told["lastRefusedDelivery"]):
            found.append(f"Last webhook that was refused: {refused}.")
        if told["commitStatus"]:
            found.append(f"Last commit status: {told['commitStatus']}.")
    except (requests.RequestException, LookupError, TypeError) as error:
        return [f"Webhooks and commit status: {api} does not tell ({type(error).__name__})."]
    return found


def _delivery(told: Object | None) -> str:
    return f"{told['time']} {told['forge']} {told['event']}: {told['outcome']}" if told else ""
