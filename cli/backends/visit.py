"""One real HTTP request, as a visitor's browser makes it: name, connection, certificate, response."""

import http.client
import ipaddress
import socket
import ssl
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from cli.diagnosis.facts import Response

_SECONDS = 10
_BODY_BYTES = 4096
_PORTS = {"http": 80, "https": 443}
_EXPIRED, _NAME = 10, 62  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH
_TRAEFIK_DEFAULT = b"TRAEFIK DEFAULT CERT"


def visit(url: str, address: str | None = None, platform_name: str | None = None) -> Response:
    """Request the URL. ``address`` replaces DNS; ``platform_name`` is one of the platform's own names."""
    parts = urlsplit(url)
    # A user who gives an address knows where the platform is.
    platform = resolve(platform_name) if platform_name and not address else ()
    response = Response(url, platform_addresses=platform)
    try:
        response = replace(response, addresses=(address,) if address else _resolve(parts.hostname or ""))
    except OSError as error:
        return replace(response, problem="dns", detail=_text(error))
    return _request(response, parts)


def resolve(host: str) -> tuple[str, ...]:
    """The addresses of a name; empty where it does not resolve."""
    try:
        return _resolve(host)
    except OSError:
        return ()


def is_address(text: str) -> bool:
    """Whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _resolve(host: str) -> tuple[str, ...]:
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is not a valid host name") from error
    return tuple(dict.fromkeys(str(each[4][0]) for each in entries))


def _request(response: Response, parts: SplitResult) -> Response:
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        with _connect(response.addresses, port) as connection:
            return _exchange(response, parts, connection)
    except ssl.SSLCertVerificationError as error:
        kind = _certificate_problem(error, response.addresses, port, host)
        return replace(response, problem="tls", certificate=kind, detail=error.verify_message)
    except ssl.SSLError as error:
        return replace(response, problem="tls", detail=error.reason or _text(error))
    except http.client.HTTPException as error:
        return replace(response, problem="http", detail=_text(error))
    except OSError as error:
        return replace(response, problem="connect", detail=_text(error))


def _connect(addresses: tuple[str, ...], port: int) -> socket.socket:
    """To the first address that accepts, as browsers do."""
    problem: OSError = OSError("there is no address")
    for each in addresses:
        try:
            return socket.create_connection((each, port), timeout=_SECONDS)
        except OSError as error:
            problem = error
    raise problem


def _exchange(response: Response, parts: SplitResult, plain: socket.socket) -> Response:
    host, path = parts.hostname or "", parts.path or "/"
    connection = http.client.HTTPConnection(host)
    if parts.scheme == "https":
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    else:
        connection.sock = plain
    try:
        headers = {"Host": parts.netloc, "Accept": "text/html", "User-Agent": "pages-why", "X-Pages-Explain": "1"}
        connection.request("GET", path, headers=headers)
        received = connection.getresponse()
        answered = {key.lower(): value for key, value in received.getheaders()}
        return replace(response, status=received.status, headers=answered, body=received.read(_BODY_BYTES))
    finally:
        connection.close()


def _certificate_problem(error: ssl.SSLCertVerificationError, addresses: tuple[str, ...], port: int, host: str) -> str:
    if _TRAEFIK_DEFAULT in _certificate(addresses, port, host):
        return "default"
    return {_EXPIRED: "expired", _NAME: "name"}.get(error.verify_code, "untrusted")


def _certificate(addresses: tuple[str, ...], port: int, host: str) -> bytes:
    """The server's certificate without verification, only to recognise Traefik's default one."""
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        with _connect(addresses, port) as plain, unverified.wrap_socket(plain, server_hostname=host) as wrapped:
            return wrapped.getpeercert(binary_form=True) or b""
    except OSError:
        return b""


def _text(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
