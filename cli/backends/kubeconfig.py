"""Which cluster is meant, as kubectl finds it: --kubeconfig, KUBECONFIG (several files), the pod's, ~/.kube/config."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from msgspec import MsgspecError

from cli.backends import exec_credentials
from cli.exits import CannotAsk

_IN_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_HOME = Path("~/.kube/config")
_ANONYMOUS = "(nobody)"
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def files(given: Path | None = None) -> list[Path]:
    """The kubeconfigs that count; empty where there is none, as in a pod."""
    if given:
        return [given]
    if named := os.environ.get("KUBECONFIG"):
        return [Path(part).expanduser() for part in named.split(os.pathsep) if part]
    home = _HOME.expanduser()
    return [home] if home.is_file() and not _IN_POD.exists() else []


def is_there() -> bool:
    """Whether anything says which cluster is ours."""
    return any(file.is_file() for file in files()) or _IN_POD.exists()


def read(given: Path | None, context: str | None) -> Any:  # noqa: ANN401 - lightkube's, which takes half a second to import
    """The configuration of one context. Raises CannotAsk."""
    from lightkube import KubeConfig  # noqa: PLC0415
    from lightkube.core.exceptions import ConfigError  # noqa: PLC0415

    named = files(given)
    try:
        if not named:
            return KubeConfig.from_service_account().get()
        merged = _merge([file for file in named if file.is_file()])
        if not merged["contexts"]:
            raise CannotAsk(
                f"{_list(named)}: there is no such kubeconfig, or it has no contexts: name one in KUBECONFIG"
            )
        _log_in(merged, context or merged["current-context"])
        return KubeConfig.from_dict(merged).get(context)
    except ConfigError as error:
        names = ", ".join(each["name"] for each in merged["contexts"]) if named else "none"
        raise CannotAsk(
            f"{_list(named)}: {error}; its contexts: {names} (kubectl config use-context, or --context)"
        ) from None
    except KeyError as error:
        raise CannotAsk(f"{_list(named)} cannot be used as a kubeconfig: it has no {error}, which it names") from None
    except (OSError, yaml.YAMLError, TypeError, ValueError, MsgspecError) as error:
        words = " ".join(str(error).split())
        raise CannotAsk(f"{_list(named)} cannot be used as a kubeconfig: {words}") from None


def _log_in(merged: dict[str, Any], context: str | None) -> None:
    """The user of the context as lightkube wants it: there is one, and it has its credential."""
    chosen: dict[str, Any] = next((each["context"] for each in merged["contexts"] if each["name"] == context), {})
    if not chosen.get("user"):
        chosen["user"] = _ANONYMOUS
        merged["users"].append({"name": _ANONYMOUS, "user": {}})
    for each in merged["users"]:
        if each["name"] == chosen["user"] and isinstance(each.get("user"), dict) and "exec" in each["user"]:
            each["user"] = exec_credentials.credential(each["user"]["exec"])


def _merge(found: Sequence[Path]) -> dict[str, Any]:
    """Of what several files say under one name, the first counts; paths are from the file that names them."""
    merged: dict[str, Any] = {"clusters": [], "contexts": [], "users": [], "current-context": None}
    for file in found:
        content = yaml.safe_load(file.read_text()) or {}
        merged["current-context"] = merged["current-context"] or content.get("current-context")
        for kind in ("clusters", "contexts", "users"):
            known = {each["name"] for each in merged[kind]}
            for each in content.get(kind) or []:
                if each["name"] not in known:
                    merged[kind].append(_with_full_paths(each, file.absolute().parent))
    return merged


def _with_full_paths(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        part: {key: str(folder / value) if key in _FILES else value for key, value in content.items()}
        if isinstance(content, dict)
        else content
        for part, content in entry.items()
    }


def _list(named: Sequence[Path]) -> str:
    return os.pathsep.join(map(str, named)) or "the pod's ServiceAccount"
