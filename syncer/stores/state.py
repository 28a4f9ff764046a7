"""Persists the objects of `pages serve`, with their uids and statuses, as JSON files in one folder.

::

    lock                          held while a process uses the folder
    sites/{namespace}--{name}.json  {"file": manifest, "object": StaticSite with metadata and status}
    answer.json                   {"platform": Platform, "virtualHosts": [VirtualHost, …]} as the hooks answered
    token-key                     the key of the sites' syncTokens, readable by the owner only, as is sites/
    api.json                      {"port": the API's port on 127.0.0.1}
    problems.json                 the problems in the manifests, one sentence each
    volume/ mirrors/              live sites and releases; the git cache

Every write is a rename, so that readers (``pages status``) see complete files.
"""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

RawObject = dict[str, Any]  # an object as its JSON has it


class StateNotUsable(Exception):
    """The state folder cannot be written, or another process holds it."""


class State:
    """The folder. Any process may read it; the one that writes holds ``locked``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.volume = self.folder / "volume"
        self.mirrors = self.folder / "mirrors"
        self._sites = self.folder / "sites"
        self._answer = self.folder / "answer.json"
        self._problems = self.folder / "problems.json"
        self._api = self.folder / "api.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and lock it. Raises StateNotUsable."""
        try:
            self._sites.mkdir(parents=True, exist_ok=True)
            self._sites.chmod(0o700)
            self._check_writable()
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StateNotUsable(
                f"the state directory {self.folder} cannot be written ({error.strerror}): choose another with --state"
            ) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StateNotUsable(
                    f"another `pages serve` uses the state directory {self.folder}: stop it, or use another --state"
                ) from None
            yield
        finally:
            os.close(lock)

    def _check_writable(self) -> None:
        with tempfile.TemporaryFile(dir=self.folder):
            pass

    def exists(self) -> bool:
        """Whether the folder has ever been used."""
        return self._sites.is_dir()

    def is_served(self) -> bool:
        """Whether a process has locked the folder."""
        try:
            lock = os.open(self.folder / "lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def sites(self) -> list[tuple[str, RawObject]]:
        """All StaticSites with the files of their manifests, sorted by name."""
        entries = (_read(path, None) for path in sorted(self._sites.glob("*.json")))
        return [(entry["file"], entry["object"]) for entry in entries if entry]

    def write_site(self, file: str, site: Mapping[str, Any]) -> None:
        """Keep a StaticSite."""
        _write(self._site_file(site["metadata"]), {"file": file, "object": site})

    def remove_site(self, site: Mapping[str, Any]) -> None:
        """Forget a StaticSite."""
        self._site_file(site["metadata"]).unlink(missing_ok=True)

    def answer(self) -> tuple[RawObject | None, list[RawObject]]:
        """The Platform and the VirtualHosts, as the hooks answered."""
        answer = _read(self._answer, {})
        return answer.get("platform"), answer.get("virtualHosts", [])

    def write_answer(self, platform: RawObject, virtual_hosts: list[RawObject]) -> None:
        """Keep the answer of the hooks."""
        _write(self._answer, {"platform": platform, "virtualHosts": virtual_hosts})

    def problems(self) -> list[str]:
        """The problems in the manifests."""
        return cast("list[str]", _read(self._problems, []))

    def write_problems(self, problems: list[str]) -> None:
        """Keep the problems in the manifests."""
        _write(self._problems, problems)

    def api_port(self) -> int | None:
        """The port of the API, while a process serves it."""
        port = _read(self._api, {}).get("port")
        return port if isinstance(port, int) and self.is_served() else None

    def write_api_port(self, port: int) -> None:
        """Keep the port of the API."""
        _write(self._api, {"port": port})

    def token_key(self) -> bytes:
        """The key of the sites' tokens, made at its first use."""
        file = self.folder / "token-key"
        try:
            return file.read_bytes()
        except FileNotFoundError:
            temporary = file.with_name(".tmp-token-key")
            temporary.unlink(missing_ok=True)
            temporary.touch(mode=0o600)
            temporary.write_bytes(secrets.token_bytes(32))
            temporary.replace(file)
            return file.read_bytes()

    def _site_file(self, metadata: Mapping[str, str]) -> Path:
        return self._sites / f"{metadata['namespace']}--{metadata['name']}.json"


def _read(path: Path, absent: Any) -> Any:  # noqa: ANN401 - JSON
    """The JSON in the file; a missing or broken file counts as absent, because all content can be recreated."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return absent


def _write(path: Path, content: Any) -> None:  # noqa: ANN401 - JSON
    temporary = path.with_name(f".tmp-{path.name}")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)
