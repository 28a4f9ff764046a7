"""Objects that git itself would not write: `git hash-object --literally`."""

import subprocess
from pathlib import Path

from tests.support.repositories import ENVIRONMENT, git

Entry = tuple[bytes, bytes, str]


class RawRepository:
    """Writes objects into a bare repository as they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def blob(self, content: bytes) -> str:
        return self._write("blob", content)

    def tree(self, *entries: Entry) -> str:
        """A tree of modes, names and ids, in this order."""
        return self._write(
            "tree", b"".join(b"%b %b\0%b" % (mode, name, bytes.fromhex(oid)) for mode, name, oid in entries)
        )

    def commit(self, tree: str) -> str:
        """Make it the branch main."""
        person = b"Tess Tenant <tess@example.com> 1700000000 +0000"
        oid = self._write("commit", b"tree %b\nauthor %b\ncommitter %b\n\nx\n" % (tree.encode(), person, person))
        git("-C", str(self._folder), "update-ref", "refs/heads/main", oid)
        return oid

    def _write(self, kind: str, content: bytes) -> str:
        command = ["git", "-C", str(self._folder), "hash-object", "-t", kind, "-w", "--stdin", "--literally"]
        done = subprocess.run(command, input=content, env=ENVIRONMENT, capture_output=True, check=True)
        return done.stdout.decode().strip()
