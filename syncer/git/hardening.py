"""The settings of a git child: none of the machine's own, no prompt, no redirect, no filter.

They are all in the environment of that one child, because argv is visible to every process of the machine and a file
would have to be deleted: neither ever holds a credential or a setting.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

# Answers for one host only: git would otherwise offer the secret to any host that a server names.
_CREDENTIAL_HELPER = (
    '!f() { [ "$1" = get ] || exit 0; h=; while IFS="=" read -r k v; do [ "$k" = host ] && h=$v; done; '
    '[ "$h" = "$PAGES_HOST" ] || exit 0; '
    'printf "username=%s\\npassword=%s\\n" "$PAGES_USERNAME" "$PAGES_PASSWORD"; }; f'
)
CONFIG = {
    "protocol.allow": "never",
    "protocol.http.allow": "always",  # only after AllowedHosts has admitted the URL
    "protocol.https.allow": "always",
    "protocol.version": "2",
    "http.followRedirects": "false",  # a credential would follow (U10)
    "http.sslVerify": "true",
    "http.proxy": "",
    "http.maxRequests": "2",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "20",
    "http.cookieFile": "",
    "http.saveCookies": "false",
    "transfer.credentialsInUrl": "die",
    "transfer.bundleURI": "false",
    "core.sshCommand": "/bin/false",
    "core.gitProxy": "/bin/false",
    "fetch.fsckObjects": "true",
    "transfer.fsckObjects": "true",
    "fetch.unpackLimit": "1",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "core.fsync": "none",  # a mirror may be lost at any time, and waiting for the disk is half of a small fetch
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.symlinks": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.attributesFile": "/dev/null",
    "core.alternateRefsCommand": "/bin/false",
    "gc.auto": "0",
    "gc.autoDetach": "false",
    "maintenance.auto": "false",
    "safe.bareRepository": "explicit",
    "pack.threads": "1",
    "index.threads": "1",
    "pack.windowMemory": "64m",
    "core.deltaBaseCacheLimit": "32m",
    "core.packedGitLimit": "256m",
    "core.bigFileThreshold": "8m",
}


def environment(config: Mapping[str, str], git_dir: Path | None, login: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a child; ``login`` comes from ``log_in``."""
    settings = {
        **config,
        **({"safe.directory": str(git_dir)} if git_dir else {}),
        **({"credential.helper": _CREDENTIAL_HELPER} if login else {}),
    }
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **login,
    }
    for index, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables


def log_in(url: str, username: str, password: str) -> Mapping[str, str]:
    """The variables of the credential helper, which answers for the URL's host and port only."""
    return {"PAGES_HOST": urlsplit(url).netloc, "PAGES_USERNAME": username, "PAGES_PASSWORD": password}


def pin(url: str, addresses: Sequence[str]) -> Mapping[str, str]:
    """The setting that keeps git from using the DNS, which may answer differently a moment later (U9)."""
    parts = urlsplit(url)
    if not addresses or parts.hostname in addresses:
        return {}
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    listed = ",".join(f"[{each}]" if ":" in each else each for each in addresses)
    return {"http.curloptResolve": f"{parts.hostname}:{port}:{listed}"}
