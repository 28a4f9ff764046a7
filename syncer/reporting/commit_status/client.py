"""One bounded POST to the API of a forge: no redirects, no proxies, and only the status of the response is read."""

import ssl

import requests

from syncer.egress.dialling import CONNECT_SECONDS, Addresses, CheckedAdapter, Clock, hanging_up
from syncer.errors import Unreachable
from syncer.reporting.commit_status.calls import Call

_SECONDS = 20.0  # for the whole request, however slowly the forge answers
_FORBIDDEN = {401, 403, 404}
_LATER = {408, 409, 425, 429}
_OK, _REDIRECT, _REFUSED, _BROKEN = 200, 300, 400, 500


class NotAccepted(Exception):
    """The forge did not accept the status. ``again``: it may accept it later."""

    def __init__(self, text: str, *, again: bool) -> None:
        super().__init__(text)
        self.again = again


class Client:
    """Connects only to checked addresses of the forge (U8, U9). From any thread."""

    def __init__(self, addresses: Addresses, *, seconds: float = _SECONDS) -> None:
        self._adapter = CheckedAdapter(addresses, ssl.create_default_context())
        self._seconds = seconds

    def post(self, call: Call) -> None:
        """Send it. Raises NotAccepted, and what ``addresses`` raises if the name leads to a forbidden address."""
        code = self._code(call)
        if _OK <= code < _REDIRECT:
            return
        if code < _REFUSED:
            raise NotAccepted(
                f"the forge answered with a redirect ({code}), which is not followed; check spec.repo", again=False
            )
        if code in _FORBIDDEN:
            raise NotAccepted(
                f"the forge answered {code}; allow the token to write commit statuses of this repository",
                again=False,
            )
        raise NotAccepted(f"the forge answered {code}", again=code in _LATER or code >= _BROKEN)

    def _code(self, call: Call) -> int:
        try:
            headers = {"User-Agent": "kup6s-pages", **call.headers}
            request = requests.Request("POST", call.url, headers=headers, json=call.content).prepare()
            with hanging_up(Clock(self._seconds)) as clock:
                timeout = (min(CONNECT_SECONDS, self._seconds), self._seconds)
                with self._adapter.send(request, stream=True, timeout=timeout) as response:
                    code = response.status_code
        except (requests.RequestException, UnicodeError) as error:
            raise NotAccepted(f"the forge cannot be reached ({type(error).__name__})", again=True) from error
        except Unreachable as error:
            raise NotAccepted(str(error), again=True) from error
        if clock.overdue:  # headers that are cut off look complete
            raise NotAccepted(f"the forge did not answer within {self._seconds:g} seconds", again=True)
        return code
