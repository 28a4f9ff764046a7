"""Finds the cluster as kubectl does: --kubeconfig, KUBECONFIG (several files), ServiceAccount, ~/.kube/config."""

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
_ANONYMOUS = "(anonymous)"
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_KINDS = ("clusters", "contexts", "users")


def files(explicit: Path | None = None) -> list[Path]:
    """The kubeconfigs to read; empty where there are none, as in a pod."""
    if explicit:
        return [explicit]
    if variable := os.environ.get("KUBECONFIG"):
        return [Path(part).expanduser() for part in variable.split(os.pathsep) if part]
    home = _HOME.expanduser()
    return [home] if home.is_file() and not _IN_POD.exists() else []


def is_there() -> bool:
    """Whether there is a kubeconfig, or a pod's ServiceAccount."""
    return any(file.is_file() for file in files()) or _IN_POD.exists()


def read(explicit: Path | None, context: str | None) -> Any:  # noqa: ANN401 - lightkube's, slow to import
    """The configuration of one context. Raises CannotAsk."""
    from lightkube import KubeConfig  # noqa: PLC0415 - half a second that only a cluster needs
    from lightkube.core.exceptions import ConfigError  # noqa: PLC0415

    paths = files(explicit)
    if not paths:
        return _of_pod()
    title = os.pathsep.join(map(str, paths))
    try:
        merged = _merge([path for path in paths if path.is_file()])
        if not merged["contexts"]:
            raise CannotAsk(f"{title}: there is no such kubeconfig, or it has no contexts: name one in KUBECONFIG")
        _log_in(merged, context or merged["current-context"])
        return _context(KubeConfig.from_dict(merged), context)
    except ConfigError as error:
        raise CannotAsk(f"{title}: {error}") from None
    except KeyError as error:
        raise CannotAsk(f"{title} cannot be used as a kubeconfig: it refers to {error}, which it lacks") from None
    except (OSError, yaml.YAMLError, TypeError, ValueError, MsgspecError) as error:
        text = " ".join(str(error).split())
        raise CannotAsk(f"{title} cannot be used as a kubeconfig: {text}") from None


def _of_pod() -> Any:  # noqa: ANN401 - lightkube's
    from lightkube import KubeConfig  # noqa: PLC0415
    from lightkube.core.exceptions import ConfigError  # noqa: PLC0415

    try:
        return KubeConfig.from_service_account().get()
    except (ConfigError, OSError) as error:
        raise CannotAsk(f"there is no kubeconfig, nor a ServiceAccount of a pod ({error}): set KUBECONFIG") from None


def _context(config: Any, name: str | None) -> Any:  # noqa: ANN401 - lightkube's
    from lightkube.core.exceptions import ConfigError  # noqa: PLC0415

    try:
        return config.get(name)
    except ConfigError as error:
        names = ", ".join(config.contexts)
        raise ConfigError(f"{error}; its contexts: {names} (kubectl config use-context, or --context)") from None


def _log_in(merged: dict[str, Any], context: str | None) -> None:
    """Complete the user of the context for lightkube: it must exist, and have its credential."""
    chosen: dict[str, Any] = next((each["context"] for each in merged["contexts"] if each["name"] == context), {})
    if not chosen.get("user"):
        chosen["user"] = _ANONYMOUS
        merged["users"].append({"name": _ANONYMOUS, "user": {}})
    for each in merged["users"]:
        if each["name"] == chosen["user"] and isinstance(each.get("user"), dict) and "exec" in each["user"]:
            each["user"] = exec_credentials.credential(each["user"]["exec"])


def _merge(paths: Sequence[Path]) -> dict[str, Any]:
    """Of several entries with one name the first counts; relative paths start at the file that has them."""
    merged: dict[str, Any] = {**{kind: [] for kind in _KINDS}, "current-context": None}
    for path in paths:
        content = yaml.safe_load(path.read_text()) or {}
        merged["current-context"] = merged["current-context"] or content.get("current-context")
        for kind in _KINDS:
            names = {each["name"] for each in merged[kind]}
            new = [each for each in content.get(kind) or [] if each["name"] not in names]
            merged[kind] += [_with_full_paths(each, path.absolute().parent) for each in new]
    return merged


def _with_full_paths(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        part: {key: str(folder / value) if key in _FILES else value for key, value in content.items()}
        if isinstance(content, dict)
        else content
        for part, content in entry.items()
    }
