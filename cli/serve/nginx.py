"""The nginx process of ``pages serve``: find it, start it, reload its configuration, stop it."""

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
    """nginx failed; the message has the next step."""


class NginxNotFound(NginxError):
    """nginx is not installed."""


class LuaNotFound(NginxError):
    """This nginx cannot evaluate rules, for its Lua is not there."""


class PortInUse(NginxError):
    """Another program listens on the address."""


class AddressUnusable(NginxError):
    """The address belongs to another machine, or this user may not listen on the port."""


class ConfigurationRefused(NginxError):
    """nginx rejected a configuration, and keeps the previous one."""


def find() -> Path:
    """The nginx program, even if the PATH has no sbin. Raises NginxNotFound."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_MORE_PLACES))
    if program := shutil.which("nginx", path=path):
        return Path(program)
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
    """The addresses that only this machine reaches: ``127.0.0.1:8080`` and, with IPv6, ``[::1]:8080``."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return [f"127.0.0.1:{port}"]
    return [f"127.0.0.1:{port}", f"[::1]:{port}"]


class Nginx:
    """One nginx, with its files in ``{state}/nginx``. The caller ensures that a state directory has one owner.

    ``live`` is the live tree, relative to ``state``. ``servers`` is the http-level text that ``edge.render`` returns;
    it sends its requests to ``nginx_config.SITES``.
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
        """Start, and return when nginx serves connections.

        Raises NginxNotFound, LuaNotFound, PortInUse, AddressUnusable, ConfigurationRefused or NginxError; nothing runs
        after these.
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
                start_new_session=True,  # Ctrl-C goes to the caller only, which then stops nginx
            )
        try:
            self._wait_for("start worker process ", 0)
        except BaseException:
            self.stop(grace=0)
            raise

    def reload(self, servers: str) -> None:
        """Change the configuration, and return when it serves all new connections.

        Raises ConfigurationRefused, and the old one stays; NginxError if nginx has died or does not reload.
        """
        text = self._text(servers)
        if not self.alive() or self._process is None:
            raise NginxError(f"nginx is not running: see {self._log}")
        if text == self._config.read_text():
            return
        candidate = self._config.with_suffix(".new")
        candidate.write_text(text)
        self._test(candidate)
        candidate.replace(self._config)
        offset = self._log.stat().st_size
        self._process.send_signal(signal.SIGHUP)
        # Each old worker logs this after the new ones have started, and before it closes its listening sockets.
        self._wait_for("gracefully shutting down", offset)

    def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """Finish the current requests within ``grace`` seconds, then end. No process remains."""
        process, self._process = self._process, None
        if process is None:
            return
        if not grace or not ends(process, signal.SIGQUIT, grace):
            ends(process, signal.SIGTERM, 2.0)
        if process.poll() != 0:  # still running, or it died before its workers
            kill_group(process.pid)
            process.wait()

    def alive(self) -> bool:
        """Whether nginx is running."""
        return self._process is not None and self._process.poll() is None

    def _text(self, servers: str) -> str:
        return nginx_config.compose(servers, modules=self._modules, live=self._live, workers=self._workers)

    def _command(self, binary: Path, config: Path, *options: str) -> list[str]:
        return [str(binary), "-p", str(self._state), "-c", str(config), *options]

    def _test(self, candidate: Path) -> None:
        command = self._command(find(), candidate, "-t", "-q")
        done = subprocess.run(command, cwd=self._state, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise ConfigurationRefused(f"nginx rejects the configuration: {cause_in(done.stderr)}")

    def _wait_for(self, event: str, offset: int) -> None:
        """Wait until each worker has logged ``event`` after this offset of the log."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            with self._log.open("rb") as log:
                log.seek(offset)
                text = log.read().decode(errors="replace")
            if text.count(event) >= self._workers:
                return
            raise_failure(text)
            if not self.alive():
                raise NginxError(f"nginx exited unexpectedly: {cause_in(text)}")
            time.sleep(_POLL_SECONDS)
        raise NginxError(f"nginx did not load the configuration within {_READY_SECONDS:.0f} s: see {self._log}")

    def _stop_stale(self) -> None:
        """End an nginx of this state directory whose `pages serve` was killed."""
        try:
            pid = int((self._folder / "nginx.pid").read_text())
        except (FileNotFoundError, ValueError):
            return
        if self._is_ours(pid):
            os.kill(pid, signal.SIGTERM)
            if not until(lambda: not self._is_ours(pid), _GRACE_SECONDS):
                kill_group(pid)

    def _is_ours(self, pid: int) -> bool:
        """Whether the process is an nginx with our configuration, not a later one with the same id."""
        words = command_line(pid)
        return "nginx: master process" in words and str(self._config) in words


def raise_failure(log: str) -> None:
    """Raise the failure that a log reports, because nginx itself retries to bind for seconds."""
    if failed := _BIND_FAILED.search(log):
        address, reason = failed.groups()
        if "in use" in reason:
            raise PortInUse(f"{address} is in use by another program; choose another port with --port")
        raise AddressUnusable(f"cannot listen on {address} ({reason}); choose another with --port or --address")
    if nginx_modules.lacks_library(log):
        raise LuaNotFound(f"nginx's Lua lacks a library that evaluates redirects and headers: {nginx_modules.INSTALL}")
    if _EMERGENCY.search(log):
        raise ConfigurationRefused(f"nginx rejects the configuration: {cause_in(log)}")


def cause_in(log: str) -> str:
    """The first serious line of a log, else its end."""
    match = _EMERGENCY.search(log)
    return match[1] if match else log.strip()[-500:] or "its log is empty"


def command_line(pid: int) -> str:
    """The command line of a process, or "" if it does not exist."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout


def ends(process: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> bool:
    """Whether the process ends within so many seconds after the signal."""
    process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition holds within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def kill_group(pid: int) -> None:
    """Kill a process and its children."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS raises the latter for a group of zombies
        return
