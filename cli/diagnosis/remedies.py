"""Remedies, as lines that a reader can copy: kubectl for a cluster, the manifest for `pages serve`."""

from collections.abc import Callable

from cli.diagnosis.facts import Facts

# Changes an existing Secret; only its type cannot change.
_APPLY = """--dry-run=client -o yaml | kubectl apply -f -
# delete a Secret of another type than Opaque first"""


def of_sync(facts: Facts, reason: str, message: str) -> str:
    """The remedy for a reason of Synced, where its message does not already end with what to apply."""
    remedy = _OF_SYNC.get(reason)
    return remedy(facts) if remedy and "\n" not in message else ""


def change(facts: Facts, patch: str, in_words: str) -> str:
    """How to change the StaticSite, where it is."""
    if facts.served is not None:
        return f"{in_words} in the site's manifest"
    metadata = facts.site["metadata"]
    return f"kubectl -n {metadata['namespace']} patch ss {metadata['name']} --type=merge -p '{patch}'"


def look_at_hooks(facts: Facts) -> str:
    """How an administrator finds out why an object is not generated."""
    return (
        f"kubectl -n {facts.system} get pods -l app.kubernetes.io/name=pages-operator\n"
        f"kubectl -n {facts.system} logs -l app.kubernetes.io/name=pages-operator --all-containers --tail=50\n"
        "pages doctor   # checks the whole installation"
    )


def no_index(facts: Facts) -> str:
    """For a release without a first page."""
    path = facts.site["spec"].get("path", "/")
    publish = change(facts, '{"spec": {"path": "/FOLDER"}}', "set spec.path to it")
    return (
        f"commit an index.html to the folder {path} of the repository, or publish the folder that has one:\n{publish}"
    )


def choose_branch(facts: Facts) -> str:
    """For a branch that the repository does not have."""
    return change(facts, '{"spec": {"branch": "NAME"}}', "set spec.branch to one of the repository's")


def unpin(facts: Facts) -> str:
    """For a revision that the repository does not have."""
    return change(facts, '{"spec": {"revision": null}}', "remove spec.revision")


def choose_folder(facts: Facts) -> str:
    """For a folder that the branch does not have."""
    return change(facts, '{"spec": {"path": "/FOLDER"}}', "set spec.path to a folder of the branch")


def allow_server(_facts: Facts) -> str:
    """For a git server that the platform does not allow."""
    return "ask the administrator to add the git server to --allowed-hosts, or use a repository elsewhere"


def give_token(facts: Facts) -> str:
    """For a repository that git cannot read without credentials."""
    if facts.site["spec"].get("secretRef"):
        return ""
    return "\n".join(
        (
            "if the repository is private, give the site a token that has permission to read it:",
            _create_token(facts, "site-token", "password"),
            change(facts, '{"spec": {"secretRef": {"name": "site-token"}}}', "set spec.secretRef.name to site-token"),
        )
    )


def fix_token(facts: Facts) -> str:
    """For a Secret of spec.secretRef that does not exist, or lacks the key."""
    secret = facts.site["spec"].get("secretRef") or {}
    if not secret.get("name"):
        return ""
    create = _create_token(facts, secret["name"], secret.get("key", "password"))
    return create if facts.served is not None else f"{create} {_APPLY}"


def fix_passwords(facts: Facts) -> str:
    """For a Secret of spec.basicAuth that cannot be used."""
    visitors = facts.site["spec"].get("basicAuth")
    if not visitors:  # removed a moment ago
        return ""
    namespace, name = facts.site["metadata"]["namespace"], visitors["secretRef"]["name"]
    if facts.served is not None:
        return f"add a Secret {name} in namespace {namespace} to the manifests, with an htpasswd file as its key users"
    return f"""htpasswd -nB NAME > users
kubectl -n {namespace} create secret generic {name} --from-file=users {_APPLY}"""


def _create_token(facts: Facts, name: str, key: str) -> str:
    namespace = facts.site["metadata"]["namespace"]
    if facts.served is not None:
        return f"add a Secret {name} in namespace {namespace} with the key {key} to the manifests"
    return (
        f"kubectl -n {namespace} create secret generic {name} --from-literal=username=USER --from-literal={key}=TOKEN"
    )


_OF_SYNC: dict[str, Callable[[Facts], str]] = {
    "BranchNotFound": choose_branch,
    "RevisionNotFound": unpin,
    "AuthFailed": give_token,
    "RepoNotFound": give_token,
    "SecretMissing": fix_token,
    "HostNotAllowed": allow_server,
    "AddressNotAllowed": allow_server,
    "SubpathNotFound": choose_folder,
    "NotADirectory": choose_folder,
    "SiteClosed": fix_passwords,
}
