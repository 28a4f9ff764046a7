"""What to do, in lines that can be copied: for a cluster kubectl, for `pages serve` the manifest."""

from pages.cli.backends.facts import Facts


def change(facts: Facts, patch: str, in_words: str) -> str:
    """How to change the StaticSite, where it is."""
    if facts.served is not None:
        return f"{in_words} in the site's manifest"
    metadata = facts.site["metadata"]
    return f"kubectl -n {metadata['namespace']} patch ss {metadata['name']} --type=merge -p '{patch}'"


def create_secret(facts: Facts, name: str, key: str) -> str:
    """How to give the site a credential."""
    namespace = facts.site["metadata"]["namespace"]
    if facts.served is not None:
        return f"add a Secret {name} in namespace {namespace} with the key {key} to the manifests"
    return (
        f"kubectl -n {namespace} create secret generic {name} --from-literal=username=USER --from-literal={key}=TOKEN"
    )


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
