"""The nginx process of ``pages serve``: found, started, given new configurations and stopped."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from cli.serve import nginx_config, nginx_modules

_MORE_PLACES = (
    *("/usr/sbin", "/usr/local/sbin", "/usr/local/openresty/nginx/sbin", "/opt/homebrew/opt/openresty/nginx/sbin"),
    *("/usr/local/opt/openresty/nginx/sbin", "/opt/homebrew/bin", "/usr/local/bin"),
)
_READY_SECONDS = 15.0
_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.02
_BIND_FAILED = re.compile(r"bind\(\) to (\S+) failed \(\d+: ([^)]*)\)")
_EMERGENCY = re.compile(r"\[emerg\] (?:\d+#\d+: )?(.*)")


class NginxError(Exception):
    """nginx could not do what was asked; the text says what to do."""


class NginxNotFound(NginxError):
    """There is no nginx on this machine."""


class LuaNotFound(NginxError):
    """This nginx cannot evaluate rules, for its Lua is not there."""


class PortInUse(NginxError):
    """Another program listens on the address."""


class AddressUnusable(NginxError):
    """The address is not this machine's, or the port is not for this user."""


class ConfigurationRefused(NginxError):
    """nginx refused a configuration; the one before goes on."""


def find() -> Path:
    """The nginx program, also where a user's PATH has no sbin. Raises NginxNotFound."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_MORE_PLACES))
    if found := shutil.which("nginx", path=path):
        return Path(found)
    raise NginxNotFound(
        "nginx is not installed: run `apt-get install nginx-light libnginx-mod-http-lua lua-cjson lua-resty-core "
        "lua-resty-lrucache` (Debian, Ubuntu) or `brew install openresty/brew/openresty` (macOS)"
    )


def lua(binary: Path) -> str:
    """The lines of a configuration that load nginx's Lua. Raises LuaNotFound."""
    lines = nginx_modules.load(binary)
    if lines is None:
        raise LuaNotFound(f"{binary} has no Lua, which evaluates redirects and headers: {nginx_modules.INSTALL}")
    return lines


def loopback(port: int) -> list[str]:
    """What to listen on for this machine alone: ``127.0.0.1:8080`` and, where there is IPv6, ``[::1]:8080``."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return [f"127.0.0.1:{port}"]
    return [f"127.0.0.1:{port}", f"[::1]:{port}"]


class Nginx:
    """One nginx, whose files are in ``{state}/nginx``. The caller sees to it that a state directory has one owner.

    ``live`` is the live tree, relative to ``state``. Configurations are given as the http-level text that
    ``traefik.render`` returns; ``nginx_config.SITES`` is where its requests go.
    """

    def __init__(self, state: Path, *, live: str, workers: int = 2) -> None:
        self._state = state.absolute()
        self._live = live
        self._workers = workers
        self._folder = self._state / "nginx"
        self._config = self._folder / "nginx.conf"
        self._log = self._folder / "error.log"
        self._modules = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, servers: str) -> None:
        """Start and return when connections are served.

        Raises NginxNotFound, LuaNotFound, PortInUse, AddressUnusable, ConfigurationRefused, NginxError; then nothing
        is running.
        """
        self.stop()
        binary = find()
        self._modules = lua(binary)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stop_stale()
        for leftover in self._folder.glob("*.sock"):
            leftover.unlink()
        (self._folder / nginx_config.RULES).write_text(nginx_config.shipped(nginx_config.RULES))
        self._config.write_text(self._text(servers))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(binary, self._config),
                cwd=self._state,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the caller, who then stops us
            )
        try:
            self._wait_for("start worker process ", 0)
        except BaseException:
            self.stop(grace=0)
            raise

    def reload(self, servers: str) -> None:
        """Change to a new configuration and return when only the new one answers new connections.

        Raises ConfigurationRefused, and the old one goes on; NginxError where nginx is gone or does not follow.
        """
        text = self._text(servers)
        if not self.alive() or self._process is None:
            raise NginxError(f"nginx is not running; the reason may be in {self._log}")
        if text == self._config.read_text():
            return
        candidate = self._config.with_suffix(".new")
        candidate.write_text(text)
        self._test(candidate)
        candidate.replace(self._config)
        seen = self._log.stat().st_size
        self._process.send_signal(signal.SIGHUP)
        # Logged by each old worker before it closes its listening sockets, and after the new ones were started.
        self._wait_for("gracefully shutting down", seen)

    def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """Finish running requests within ``grace`` seconds, then end. No process is left."""
        process, self._process = self._process, None
        if process is None:
            return
        if not grace or not _ends(process, signal.SIGQUIT, grace):
            _ends(process, signal.SIGTERM, 2.0)
        if process.poll() != 0:  # still there, or died without its workers
            _kill_group(process.pid)
            process.wait()

    def alive(self) -> bool:
        """Whether nginx runs."""
        return self._process is not None and self._process.poll() is None

    def _text(self, servers: str) -> str:
        return nginx_config.compose(servers, modules=self._modules, live=self._live, workers=self._workers)

    def _command(self, binary: Path, config: Path, *options: str) -> list[str]:
        return [str(binary), "-p", str(self._state), "-c", str(config), *options]

    def _test(self, candidate: Path) -> None:
        command = self._command(find(), candidate, "-t", "-q")
        done = subprocess.run(command, cwd=self._state, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise ConfigurationRefused(f"nginx refuses the configuration: {_reason(done.stderr)}")

    def _wait_for(self, event: str, seen: int) -> None:
        """Wait until each worker has logged ``event`` after the first ``seen`` bytes of the log."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            with self._log.open("rb") as log:
                log.seek(seen)
                text = log.read().decode(errors="replace")
            if text.count(event) >= self._workers:
                return
            _raise_failure(text)
            if not self.alive():
                raise NginxError(f"nginx ended unexpectedly: {_reason(text)}")
            time.sleep(_POLL_SECONDS)
        raise NginxError(f"nginx did not take the configuration within {_READY_SECONDS:.0f} s; see {self._log}")

    def _stop_stale(self) -> None:
        """End the nginx that a killed predecessor left in this state directory."""
        try:
            pid = int((self._folder / "nginx.pid").read_text())
        except (FileNotFoundError, ValueError):
            return
        if self._is_ours(pid):
            os.kill(pid, signal.SIGTERM)
            if not _until(lambda: not self._is_ours(pid), _GRACE_SECONDS):
                _kill_group(pid)

    def _is_ours(self, pid: int) -> bool:
        """Whether the process is an nginx with our configuration, not a later one that got the same number."""
        words = _command_line(pid)
        return "nginx: master process" in words and str(self._config) in words


def _raise_failure(log: str) -> None:
    """Raise what a log says to have gone wrong. nginx itself goes on trying to bind for seconds."""
    if failed := _BIND_FAILED.search(log):
        address, reason = failed.groups()
        if "in use" in reason:
            raise PortInUse(f"{address} is in use by another program: choose another port with --port")
        raise AddressUnusable(f"cannot listen on {address} ({reason}): choose another with --port or --address")
    if nginx_modules.lacks_library(log):
        raise LuaNotFound(f"nginx's Lua lacks a library that evaluates redirects and headers: {nginx_modules.INSTALL}")
    if _EMERGENCY.search(log):
        raise ConfigurationRefused(f"nginx refuses the configuration: {_reason(log)}")


def _reason(log: str) -> str:
    found = _EMERGENCY.search(log)
    return found[1] if found else log.strip()[-500:] or "it gave no reason"


def _command_line(pid: int) -> str:
    """What the process list shows for a process, or "" where there is none."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout


def _ends(process: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> bool:
    process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return
