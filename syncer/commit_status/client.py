"""One bounded POST to a forge's API: no redirect, no proxy, and nothing of the answer but its status is read."""

import requests

from syncer.commit_status.calls import Call

_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 10.0
_FORBIDDEN = {401, 403, 404}
_LATER = {408, 409, 425, 429}
_OK, _REDIRECT, _REFUSED, _BROKEN = 200, 300, 400, 500


class NotAccepted(Exception):
    """The forge did not take the status. ``again``: it may later."""

    def __init__(self, text: str, *, again: bool) -> None:
        super().__init__(text)
        self.again = again


def post(call: Call) -> None:
    """Send it. Raises NotAccepted."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.post(
                call.url,
                json=call.content,
                headers={"User-Agent": "kup6s-pages", **call.headers},
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                code = response.status_code
        except (requests.RequestException, UnicodeError) as error:
            raise NotAccepted(f"the forge cannot be reached ({type(error).__name__})", again=True) from error
    if _OK <= code < _REDIRECT:
        return
    if code < _REFUSED:
        raise NotAccepted(f"the forge answers with a redirect ({code}), which is not followed", again=False)
    if code in _FORBIDDEN:
        raise NotAccepted(
            f"the forge answers {code}: the token must be allowed to write commit statuses of this repository",
            again=False,
        )
    raise NotAccepted(f"the forge answers {code}", again=code in _LATER or code >= _BROKEN)
