"""A kubeconfig's `exec` user: a program that logs in, as most managed clusters and OIDC have it."""

import base64
import json
import os
import subprocess
from typing import Any

from cli.exits import CannotAsk

_SECONDS = 120  # it may wait for a browser


def credential(wanted: dict[str, Any]) -> dict[str, Any]:
    """Run the program and return the user that it stands for. Raises CannotAsk."""
    command = [wanted["command"], *(wanted.get("args") or [])]
    request = {"apiVersion": wanted["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {each["name"]: each["value"] for each in wanted.get("env") or []}
    try:
        done = subprocess.run(
            command,
            env=os.environ | environment | {"KUBERNETES_EXEC_INFO": json.dumps(request)},
            stdout=subprocess.PIPE,  # what it says on stderr is for the person at the keyboard
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        given = json.loads(done.stdout)["status"]
    except FileNotFoundError:
        hint = (wanted.get("installHint") or "install it, or log in another way").strip()
        raise CannotAsk(f"the kubeconfig logs in by {command[0]}, which is not on the PATH: {hint}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotAsk(f"the kubeconfig logs in by {command[0]}, which fails: {error}; log in with it anew") from None
    except (ValueError, LookupError, TypeError):
        raise CannotAsk(f"the kubeconfig logs in by {command[0]}, which did not answer with a credential") from None
    names = {
        "token": "token",
        "clientCertificateData": "client-certificate-data",
        "clientKeyData": "client-key-data",
    }
    return {ours: _text(theirs, given[theirs]) for theirs, ours in names.items() if given.get(theirs)}


def _text(name: str, value: str) -> str:
    """A kubeconfig has PEM in base64, an ExecCredential as it is."""
    return value if name == "token" else base64.b64encode(value.encode()).decode()
