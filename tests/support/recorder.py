"""A `git` on the PATH that logs its arguments before it runs the real one."""

import os
import shutil
from pathlib import Path

import pytest


class GitRecorder:
    """Everything that is started as `git` from now on."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self._log = folder / "log"
        script = folder / "git"
        script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{self._log}\nexec {shutil.which("git")} "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    @property
    def commands(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []
