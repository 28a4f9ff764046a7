"""What to do, in lines that can be copied: for a cluster kubectl, for `pages serve` the manifest."""

from collections.abc import Callable

from cli.diagnosis.facts import Facts

# What is there already is changed; only the type of a Secret cannot be.
_APPLIED = """--dry-run=client -o yaml | kubectl apply -f -
# one of another type than Opaque has to be deleted first"""


def of_sync(facts: Facts, reason: str, message: str) -> str:
    """What to do about a reason of Synced, where its message does not say all."""
    makes = _OF_SYNC.get(reason)
    return makes(facts) if makes and "\n" not in message else ""  # else it ends with what is to be applied


def change(facts: Facts, patch: str, in_words: str) -> str:
    """How to change the StaticSite, where it is."""
    if facts.served is not None:
        return f"{in_words} in the site's manifest"
    metadata = facts.site["metadata"]
    return f"kubectl -n {metadata['namespace']} patch ss {metadata['name']} --type=merge -p '{patch}'"


def look_at_hooks(facts: Facts) -> str:
    """How an administrator sees why nothing is generated."""
    return (
        f"kubectl -n {facts.system} get pods -l app.kubernetes.io/name=pages-operator\n"
        f"kubectl -n {facts.system} logs -l app.kubernetes.io/name=pages-operator --all-containers --tail=50\n"
        "pages doctor   # looks at all of it"
    )


def no_index(facts: Facts) -> str:
    """What to do where the first page of the site is not there."""
    path = facts.site["spec"].get("path", "/")
    how = change(facts, '{"spec": {"path": "/FOLDER"}}', "set spec.path to it")
    return f"commit an index.html to the folder {path} of the repository, or publish the folder that has one:\n{how}"


def _other_branch(facts: Facts) -> str:
    return change(facts, '{"spec": {"branch": "NAME"}}', "set spec.branch to one of the repository's")


def _no_revision(facts: Facts) -> str:
    return change(facts, '{"spec": {"revision": null}}', "remove spec.revision")


def _other_folder(facts: Facts) -> str:
    return change(facts, '{"spec": {"path": "/FOLDER"}}', "set spec.path to a folder of the branch")


def _other_server(_facts: Facts) -> str:
    return "ask the administrator to add the git server to --allowed-hosts, or use a repository elsewhere"


def _give_token(facts: Facts) -> str:
    if facts.site["spec"].get("secretRef"):
        return ""
    return "\n".join(
        (
            "where the repository is private, give the site a token that may read it:",
            _create_secret(facts, "site-token", "password"),
            change(facts, '{"spec": {"secretRef": {"name": "site-token"}}}', "set spec.secretRef.name to site-token"),
        )
    )


def _mend_secret(facts: Facts) -> str:
    """Whether or not it is there."""
    secret = facts.site["spec"].get("secretRef") or {}
    if not secret.get("name"):
        return ""
    create = _create_secret(facts, secret["name"], secret.get("key", "password"))
    return create if facts.served is not None else f"{create} {_APPLIED}"


def _create_secret(facts: Facts, name: str, key: str) -> str:
    namespace = facts.site["metadata"]["namespace"]
    if facts.served is not None:
        return f"add a Secret {name} in namespace {namespace} with the key {key} to the manifests"
    return (
        f"kubectl -n {namespace} create secret generic {name} --from-literal=username=USER --from-literal={key}=TOKEN"
    )


def _let_visitors_in(facts: Facts) -> str:
    visitors = facts.site["spec"].get("basicAuth")
    if not visitors:  # it was taken away just now
        return ""
    namespace, name = facts.site["metadata"]["namespace"], visitors["secretRef"]["name"]
    if facts.served is not None:
        return f"have a Secret {name} in namespace {namespace} of the manifests, with an htpasswd file as its key users"
    return f"""htpasswd -nB NAME > users
kubectl -n {namespace} create secret generic {name} --from-file=users {_APPLIED}"""


_OF_SYNC: dict[str, Callable[[Facts], str]] = {
    "BranchNotFound": _other_branch,
    "RevisionNotFound": _no_revision,
    "AuthFailed": _give_token,
    "RepoNotFound": _give_token,
    "SecretMissing": _mend_secret,
    "HostNotAllowed": _other_server,
    "AddressNotAllowed": _other_server,
    "SubpathNotFound": _other_folder,
    "NotADirectory": _other_folder,
    "SiteClosed": _let_visitors_in,
}
