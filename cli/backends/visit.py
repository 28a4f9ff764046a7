"""One real HTTP request, as a visitor's browser makes it: name, connection, certificate, answer."""

import http.client
import ipaddress
import socket
import ssl
from dataclasses import replace
from urllib.parse import urlsplit

from cli.diagnosis.facts import Answer

_SECONDS = 10
_BODY = 4096
_EXPIRED, _NAME = 10, 62  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH
_DEFAULT = b"TRAEFIK DEFAULT CERT"


def visit(url: str, address: str | None = None, platform_name: str | None = None) -> Answer:
    """Ask for the URL. ``address`` takes the place of DNS; ``platform_name`` is one of the platform's own names."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    answer = Answer(url)
    try:
        found = (address,) if address else _resolve(host)
    except OSError as error:
        return replace(
            answer, problem="dns", detail=_words(error), platform_addresses=_platform(platform_name, address)
        )
    answer = replace(answer, addresses=found, platform_addresses=_platform(platform_name, address))
    try:
        with _connect(found, port) as connection:
            return _ask(answer, connection)
    except ssl.SSLCertVerificationError as error:
        return replace(answer, problem="tls", certificate=_kind(error, found, port, host), detail=error.verify_message)
    except ssl.SSLError as error:
        return replace(answer, problem="tls", detail=error.reason or _words(error))
    except http.client.HTTPException as error:
        return replace(answer, problem="http", detail=_words(error))
    except OSError as error:
        return replace(answer, problem="connect", detail=_words(error))


def resolve(host: str) -> tuple[str, ...]:
    """The addresses of a name; none where it has none."""
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
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is no host name") from error
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def _platform(name: str | None, address: str | None) -> tuple[str, ...]:
    """Where the platform is: whoever names an address knows it himself."""
    return resolve(name) if name and not address else ()


def _connect(addresses: tuple[str, ...], port: int) -> socket.socket:
    """To the first that answers, as browsers do."""
    problem: OSError = OSError("there is no address")
    for each in addresses:
        try:
            return socket.create_connection((each, port), timeout=_SECONDS)
        except OSError as error:
            problem = error
    raise problem


def _ask(answer: Answer, plain: socket.socket) -> Answer:
    parts = urlsplit(answer.url)
    host, tls, path = parts.hostname or "", parts.scheme == "https", parts.path or "/"
    connection = http.client.HTTPConnection(host)
    connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if tls else plain
    try:
        connection.request(
            "GET", path, headers={"Host": parts.netloc, "Accept": "text/html", "User-Agent": "pages-why"}
        )
        given = connection.getresponse()
        headers = {key.lower(): value for key, value in given.getheaders()}
        return replace(answer, status=given.status, headers=headers, body=given.read(_BODY))
    finally:
        connection.close()


def _kind(error: ssl.SSLCertVerificationError, addresses: tuple[str, ...], port: int, host: str) -> str:
    if _DEFAULT in _shown(addresses, port, host):
        return "default"
    return {_EXPIRED: "expired", _NAME: "name"}.get(error.verify_code, "untrusted")


def _shown(addresses: tuple[str, ...], port: int, host: str) -> bytes:
    """The certificate as it came, only to be told apart from Traefik's own."""
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    try:
        with _connect(addresses, port) as plain, anything.wrap_socket(plain, server_hostname=host) as wrapped:
            return wrapped.getpeercert(binary_form=True) or b""
    except OSError:
        return b""


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
