"""Webhook deliveries: recorded ones from tests/fixtures, GitHub's and GitLab's built from their documentation."""

import base64
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).parents[1] / "fixtures/deliveries"
SECRET = b"lab-hook-secret"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def hexadecimal(secret: bytes, signed: bytes) -> str:
    """HMAC-SHA256, as the documentation of all forges describes it."""
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Sent:
    """A request to ``/webhook/{forge}``."""

    forge: str
    headers: dict[str, str]
    body: bytes
    name: str = field(default="", compare=False)

    def but(self, **headers: str | None) -> Self:
        """The same with other headers (``X_Some_Name="value"``); None leaves one out."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        names = {name.lower() for name in changed}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in names}
        return replace(self, headers=kept | {name: value for name, value in changed.items() if value is not None})


def recorded(forge: str, folder: str | None = None) -> list[Sent]:
    """The real deliveries of a forge, in the order in which they came."""
    files = sorted((FOLDER / (folder or forge)).glob("*.json"))
    found = [(file.stem, json.loads(file.read_text())) for file in files]
    return [
        Sent(forge, {name: value for name, value in each["headers"] if name != "Host"}, each["raw"].encode(), stem)
        for stem, each in found
    ]


def gitea(payload: Any, secret: bytes = SECRET, *, event: str = "push", forge: str = "gitea") -> Sent:
    """A delivery of Gitea, or of Forgejo, which sends its own headers and all of Gitea's and GitHub's (JSON)."""
    body = json.dumps(payload).encode()
    signature, delivery = hexadecimal(secret, body), str(uuid.uuid4())
    prefixes = ["X-Gitea", "X-Gogs"] + (["X-Forgejo"] if forge == "forgejo" else [])
    headers = {"Content-Type": JSON, "X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": delivery}
    headers |= {"X-GitHub-Event": event}
    for prefix in prefixes:
        headers |= {
            f"{prefix}-Event": event,
            f"{prefix}-Delivery": delivery,
            f"{prefix}-Signature": signature,
        }
    return Sent(forge, headers, body)


def gitea_push(repo: str, ref: str = "refs/heads/main", secret: bytes = SECRET, **more: Any) -> Sent:
    """A push at Gitea."""
    return gitea({"ref": ref, "after": "a" * 40, "repository": {"clone_url": repo}, **more}, secret)


def github(payload: Any, secret: bytes = SECRET, *, event: str = "push", body: bytes | None = None) -> Sent:
    """A delivery of GitHub."""
    body = json.dumps(payload).encode() if body is None else body
    headers = {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": JSON,
        "X-GitHub-Hook-ID": "292430182",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6",
        "X-Hub-Signature-256": f"sha256={hexadecimal(secret, body)}",
        "X-GitHub-Hook-Installation-Target-Type": "repository",
    }
    return Sent("github", headers, body)


def gitlab(payload: Any, secret: bytes = SECRET, *, event: str = "Push Hook") -> Sent:
    """A delivery of GitLab with its secret token."""
    headers = {
        "User-Agent": "GitLab/18.4.0",
        "Content-Type": JSON,
        "Idempotency-Key": str(uuid.uuid4()),
        "X-Gitlab-Event": event,
        "X-Gitlab-Webhook-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "X-Gitlab-Instance": "https://gitlab.example.com",
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        "X-Gitlab-Token": secret.decode(),
    }
    return Sent("gitlab", headers, json.dumps(payload).encode())


def gitlab_signed(payload: Any, key: bytes, *, moment: str = "1700000000") -> Sent:
    """A delivery of GitLab with a signing token, whose key these bytes are."""
    plain = gitlab(payload, b"")
    name = plain.headers["Idempotency-Key"]
    mac = hmac.new(key, f"{name}.{moment}.".encode() + plain.body, hashlib.sha256).digest()
    return plain.but(
        **{
            "X-Gitlab-Token": None,
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }
    )


def generic(repo: str, ref: str, secret: bytes = SECRET) -> Sent:
    """A delivery of a script."""
    body = json.dumps({"repo": repo, "ref": ref}).encode()
    signature = f"sha256={hexadecimal(secret, body)}"
    return Sent("generic", {"Content-Type": JSON, "X-Hub-Signature-256": signature}, body)


GITHUB_REPOSITORY = {
    "id": 186853002,
    "name": "docs",
    "full_name": "team/docs",
    "html_url": "https://github.com/team/docs",
    "git_url": "git://github.com/team/docs.git",
    "ssh_url": "git@github.com:team/docs.git",
    "clone_url": "https://github.com/team/docs.git",
    "default_branch": "main",
}
GITLAB_PROJECT = {
    "id": 15,
    "name": "Docs",
    "web_url": "https://gitlab.example.com/group/team/docs",
    "git_ssh_url": "git@gitlab.example.com:group/team/docs.git",
    "git_http_url": "https://gitlab.example.com/group/team/docs.git",
    "path_with_namespace": "group/team/docs",
    "default_branch": "main",
}


def github_push(ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    """The payload of a push at GitHub."""
    return {
        "ref": ref,
        "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "after": "59b20b8d5c6ff8d09518454d4dd8b7a99d47bd8b",
        "created": False,
        "deleted": False,
        "forced": False,
        "commits": [],
        "repository": GITHUB_REPOSITORY,
        **more,
    }


def gitlab_push(ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    """The payload of a push at GitLab."""
    return {
        "object_kind": "push",
        "event_name": "push",
        "before": "95790bf891e76fee5e1747ab589903a6a1f80f22",
        "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
        "ref": ref,
        "project": GITLAB_PROJECT,
        "commits": [],
        **more,
    }
