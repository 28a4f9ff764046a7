"""docs/tutorial.md, typed word for word by a reader with two terminals, a home folder and a free port."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.control_plane import ROOT
from tests.support.serving import SECONDS, eventually, free_port, processes_of

DOCUMENT = ROOT / "docs/tutorial.md"
_SESSION = re.compile(r"```console\n(.*?)```", re.DOTALL)
_DONE = "the command has ended"


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command and its output in the tutorial; ``…`` matches anything."""
    for session in _SESSION.findall(DOCUMENT.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            more = [line for line in lines[1:] if line.startswith(">")]
            yield "\n".join([lines[0], *(line[2:] for line in more)]), lines[1 + len(more) :]


def matches(printed: str, expected: list[str]) -> bool:
    pattern = "\n".join(expected) + "\n" if expected else ""
    return bool(re.fullmatch(re.escape(pattern).replace("…\\\n", "(.*\\n)*?").replace("…", ".*"), printed))


class Terminal:
    """A shell for typed commands. A long-running program such as `pages serve` keeps running."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.printed = ""
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._shell.stdout
        for line in self._shell.stdout:
            self.printed += line

    def type(self, command: str) -> None:
        assert self._shell.stdin
        self.printed = ""
        self._shell.stdin.write(f"{command}\necho {_DONE}\n")
        self._shell.stdin.flush()

    def run(self, command: str) -> str:
        """Return the output of the command once it has ended."""
        self.type(command)
        eventually(lambda: self.printed.endswith(f"{_DONE}\n") or self._shell.poll() is not None)
        return self.printed.removesuffix(f"{_DONE}\n")

    def wait_for(self, expected: list[str]) -> None:
        """Wait until a running program has printed this."""
        try:
            eventually(lambda: matches(self.printed, expected) or self.printed.endswith(f"{_DONE}\n"))
        except AssertionError:
            raise AssertionError(self.printed) from None
        assert matches(self.printed, expected), self.printed

    def interrupt(self) -> None:
        """Press Ctrl-C, which ends every program of the terminal except the shell."""
        os.killpg(self._shell.pid, signal.SIGINT)
        eventually(lambda: self.printed.endswith(f"{_DONE}\n") or self._shell.poll() is not None)

    def close(self) -> None:
        self.interrupt()
        assert self._shell.stdin and self._shell.stdout
        self._shell.stdin.close()
        self._shell.wait(SECONDS)
        self._reader.join()
        self._shell.stdout.close()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(tmp_path: Path, port: int) -> dict[str, str]:
    who = {f"GIT_{role}_{what}": "tess@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return (
        os.environ
        | who
        | {
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MAKEFLAGS": "n",  # checks that `make install nginx` exists, without its minute
            "PAGES_SERVE_PORT": str(port),
        }
    )


@pytest.fixture
def terminals(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[Terminal, Terminal]]:
    first, second = Terminal(environment, ROOT), Terminal(environment, tmp_path)
    yield first, second
    for each in (first, second):
        each.close()
    assert processes_of(tmp_path) == []


def test_every_command_does_what_the_tutorial_says(
    terminals: tuple[Terminal, Terminal], port: int, tmp_path: Path
) -> None:
    first, second = terminals
    serving = False
    for command, output in commands():
        typed = command.replace(":8080", f":{port}")
        shown = [line.replace(":8080", f":{port}") for line in output]
        if typed.startswith("pages serve"):
            if serving:
                first.interrupt()
            first.run(f"cd {tmp_path}/tutorial")
            first.type(typed)
            first.wait_for([*shown, "…"])
            second.run(f"cd {tmp_path}/tutorial")
            serving = True
        else:
            printed = (second if serving else first).run(typed)
            assert matches(printed, shown), f"{typed}\n{printed}"
