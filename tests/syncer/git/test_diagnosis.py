"""What git says is untrusted text: it is sorted by its words, cleaned and cut."""

import pytest

from syncer import errors
from syncer.git import diagnosis


@pytest.mark.parametrize(
    ("stderr", "error"),
    [
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", errors.AuthFailed),
        ("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://x'", errors.AuthFailed),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 302", errors.RepoMoved),
        ("remote: Not found.\nfatal: repository 'https://x/' not found", errors.RepoNotFound),
        ("fatal: https://x/info/refs not valid: is this a git repository?", errors.RepoNotFound),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 503", errors.Unreachable),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", errors.Unreachable),
        ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate", errors.Unreachable),
        ("error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec", errors.TimedOut),
        ("error: RPC failed; curl 18 transfer closed\nfatal: early EOF", errors.Unreachable),
        ("fatal: write error: No space left on device", errors.StorageFull),
        ("fatal: couldn't find remote ref refs/heads/x", errors.BranchNotFound),
        ("error: object 1234: hasDotgit: contains '.git'\nfatal: fsck error in packed object", errors.GitFailed),
        ("error: index-pack died of signal 25", errors.LimitExceeded),
        ("fatal: mismatched algorithms: client sha1; server sha256", errors.ObjectNotGiven),
        (
            "remote: aborting due to possible repository corruption on the remote side.\nfatal: early EOF",
            errors.GitFailed,
        ),
        ("error: object 11 is a blob, not a tree\nfatal: invalid tree", errors.GitFailed),
        ("an unknown message", errors.GitFailed),
        ("", errors.GitFailed),
    ],
)
def test_each_trouble_has_its_own_reason(stderr: str, error: type[errors.SyncError]) -> None:
    found = diagnosis.explain("fetch", 128, stderr.encode())
    assert type(found) is error
    assert str(found)


def test_a_secret_and_control_characters_never_show() -> None:
    text = "fatal: \x1b[31mboom\x07 t0ken\x00 \xff".encode("latin-1") + b"x" * 5000
    shown = str(diagnosis.explain("fetch", 128, text, secrets=["t0ken"]))
    assert "t0ken" not in shown
    assert shown.isprintable()
    assert len(shown) < 500
