"""Real bare repositories, made by one `git fast-import` per commit."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}
_AUTHOR = "Tess Tenant <tess@example.com>"


def git(*arguments: str, stdin: bytes = b"") -> str:
    """The output of git, without this machine's configuration."""
    done = subprocess.run(["git", *arguments], input=stdin, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode().strip()


class Repository:
    """A bare repository. Paths are text; content is text or bytes; None deletes."""

    def __init__(self, folder: Path, *, object_format: str = "sha1") -> None:
        self.folder = folder
        self._moment = 1_700_000_000
        git("init", "--quiet", "--bare", "--initial-branch=main", f"--object-format={object_format}", str(folder))

    def commit(
        self,
        files: Mapping[str, str | bytes | None] | None = None,
        *,
        branch: str = "main",
        symlinks: Mapping[str, str] | None = None,
        submodules: Mapping[str, str] | None = None,
        orphan: bool = False,
        message: str = "Update",
    ) -> str:
        """Commit on top of the branch (or, as an orphan, in its place) and return the commit's id."""
        self._moment += 1
        said = message.encode()
        head = f"commit refs/heads/{branch}\ncommitter {_AUTHOR} {self._moment} +0000\ndata {len(said)}\n"
        parts = [head.encode() + said + b"\n"]
        if not orphan and self.head(branch):
            parts.append(f"from refs/heads/{branch}^0\n".encode())
        elif orphan:
            parts.insert(0, f"reset refs/heads/{branch}\n\n".encode())
        for path, content in (files or {}).items():
            parts.append(_delete(path) if content is None else _file("100644", path, content))
        parts += [_file("120000", path, target) for path, target in (symlinks or {}).items()]
        parts += [f"M 160000 {commit} {path}\n".encode() for path, commit in (submodules or {}).items()]
        git("-C", str(self.folder), "fast-import", "--quiet", "--force", stdin=b"".join(parts))
        return self.head(branch)

    def head(self, branch: str = "main") -> str:
        """The branch's commit, or an empty string."""
        return git("-C", str(self.folder), "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def delete_branch(self, branch: str) -> None:
        """Delete the branch."""
        git("-C", str(self.folder), "update-ref", "-d", f"refs/heads/{branch}")

    def tag(self, name: str, commit: str, *, message: str = "") -> None:
        """Set a tag to an object; with a message, to an annotated one of its own."""
        if message:
            stdin = f"object {commit}\ntype commit\ntag {name}\ntagger {_AUTHOR} 1700000000 +0000\n\n{message}\n"
            commit = git("-C", str(self.folder), "mktag", stdin=stdin.encode())
        git("-C", str(self.folder), "update-ref", f"refs/tags/{name}", commit)

    def delete_tag(self, name: str) -> None:
        """Delete a tag."""
        git("-C", str(self.folder), "update-ref", "-d", f"refs/tags/{name}")


def _delete(path: str) -> bytes:
    return f"D {path}\n".encode()


def _file(mode: str, path: str, content: str | bytes) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return f"M {mode} inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
