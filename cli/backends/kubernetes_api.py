"""The Kubernetes API with the user's rights: one client, and errors that name the next step."""

import contextlib
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx2
from lightkube import ApiError, Client
from lightkube.core.exceptions import ConfigError

from cli.diagnosis.facts import Lookup, Object
from cli.exits import CannotAsk, Forbidden

_SECONDS = 15.0
_UNAVAILABLE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class KubernetesAPI:
    """``config`` is lightkube's SingleConfig, ``system`` the namespace of the installation."""

    def __init__(self, config: Any, system: str) -> None:  # noqa: ANN401 - lightkube's
        self.where = f"the cluster of context {config.context_name} ({config.cluster.server})"
        self.system = system
        self._config = config
        with self.asking("be reached"):
            self.client = Client(config=config, timeout=httpx2.Timeout(_SECONDS))

    @contextlib.contextmanager
    def patient(self) -> Iterator[Client]:
        """A client that waits without limit for the next line of a log."""
        client = Client(config=self._config, timeout=httpx2.Timeout(_SECONDS, read=None))
        try:
            yield client
        finally:
            client.close()

    def get(self, resource: Any, name: str, namespace: str | None = None) -> Lookup:  # noqa: ANN401 - lightkube's
        """An object that may not exist, or that we may lack permission to view."""
        scope = {"namespace": namespace} if namespace else {}
        with self.asking(f"get {_plural(resource)} {name}"):
            try:
                return Lookup(plain(self.client.get(resource, name, **scope)))
            except ApiError as error:
                if error.status.code not in _UNAVAILABLE:
                    raise
                return Lookup(hidden=error.status.code == HTTPStatus.FORBIDDEN)

    def list_all(self, resource: Any, namespace: str | None, **selectors: Any) -> list[Object] | None:  # noqa: ANN401 - lightkube's
        """All objects of a kind; None where we lack permission to view them, or the kind does not exist."""
        scope: dict[str, Any] = {"namespace": namespace} if namespace else {}
        with self.asking(f"list {_plural(resource)}"):
            try:
                return [plain(each) for each in self.client.list(resource, **scope, **selectors)]
            except ApiError as error:
                if error.status.code not in _UNAVAILABLE:
                    raise
                return None

    @contextlib.contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Turn each failure of the API, the network or a credential into an error with the next step."""
        try:
            yield
        except ApiError as error:
            raise self._refused(error, what) from None
        except httpx2.HTTPError as error:
            raise CannotAsk(self._unreachable(error)) from None
        except json.JSONDecodeError:
            raise CannotAsk(
                f"{self.where} does not answer as a Kubernetes API does: check the server's address in your kubeconfig"
            ) from None
        except (ConfigError, OSError, LookupError, ValueError, AssertionError) as error:
            raise CannotAsk(f"the kubeconfig of {self.where} cannot be used: {error}") from None

    def _unreachable(self, error: httpx2.HTTPError) -> str:
        if not isinstance(error, httpx2.HTTPStatusError):
            return (
                f"{self.where} cannot be reached: {error or type(error).__name__}; check that it is running and that "
                "your kubeconfig has its address (kubectl cluster-info)"
            )
        code = error.response.status_code
        if code == HTTPStatus.NOT_FOUND:
            return self._no_kind()
        return f"{self.where} answers with status {code}: check that this is the address of a Kubernetes API"

    def _refused(self, error: ApiError, what: str) -> CannotAsk:
        code, message = error.status.code, (error.status.message or "").strip()
        if code == HTTPStatus.UNAUTHORIZED:
            return CannotAsk(
                f"{self.where} does not accept your credentials: they are wrong or have expired; log in again, or "
                "correct the user of your kubeconfig"
            )
        if code == HTTPStatus.FORBIDDEN:
            return Forbidden(
                f"you lack permission to {what}: ask for the role `view` (for changes, `edit`) there. {message}"
            )
        if code == HTTPStatus.NOT_FOUND and not names_object(error):
            return CannotAsk(self._no_kind())
        return CannotAsk(f"{self.where} does not {what}: {message}")

    def _no_kind(self) -> str:
        return (
            f"{self.where} has no StaticSites: kup6s-pages is not installed there (its CRDs are in crds/), or you are "
            "using the wrong cluster (--context)"
        )


def names_object(error: ApiError) -> bool:
    """Whether an object is missing, and not its kind."""
    return bool(error.status.details and error.status.details.name)


def plain(item: Any) -> Object:  # noqa: ANN401 - typed or generic
    """An object of lightkube's as the API has it."""
    return dict(item) if isinstance(item, dict) else item.to_dict()


def _plural(resource: Any) -> str:  # noqa: ANN401
    plural: str = resource._api_info.plural  # noqa: SLF001 - lightkube has no public name for it
    return plural
