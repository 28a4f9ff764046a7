"""The `exec` user of a kubeconfig: a login program, as most managed clusters and OIDC use it."""

import base64
import json
import os
import subprocess
from typing import Any

from cli.exits import CannotAsk

_SECONDS = 120  # it may wait for a browser
_FIELDS = {
    "token": "token",
    "clientCertificateData": "client-certificate-data",
    "clientKeyData": "client-key-data",
}


def credential(login: dict[str, Any]) -> dict[str, Any]:
    """Run the login program and return the fields of a kubeconfig's user. Raises CannotAsk."""
    command = [login["command"], *(login.get("args") or [])]
    title = f"the kubeconfig's login program {command[0]}"
    try:
        issued = json.loads(_output(command, login))["status"]
    except FileNotFoundError:
        hint = (login.get("installHint") or "install it, or log in another way").strip()
        raise CannotAsk(f"{title} is not on the PATH: {hint}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotAsk(f"{title} failed: {error}; run it to log in again") from None
    except (ValueError, LookupError, TypeError):
        raise CannotAsk(f"{title} did not return a credential; run it to see what it prints") from None
    return {ours: _text(theirs, issued[theirs]) for theirs, ours in _FIELDS.items() if issued.get(theirs)}


def _output(command: list[str], login: dict[str, Any]) -> str:
    request = {"apiVersion": login["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {each["name"]: each["value"] for each in login.get("env") or []}
    return subprocess.run(
        command,
        env=os.environ | environment | {"KUBERNETES_EXEC_INFO": json.dumps(request)},
        stdout=subprocess.PIPE,  # its stderr is for the user
        text=True,
        timeout=_SECONDS,
        check=True,
    ).stdout


def _text(name: str, value: str) -> str:
    """A kubeconfig has PEM in base64, an ExecCredential in plain text."""
    return value if name == "token" else base64.b64encode(value.encode()).decode()
