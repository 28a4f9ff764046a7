"""Manifests are read from files, and their mistakes are reported."""

from pathlib import Path

import pytest

from pages import manifests
from pages.api import StaticSite
from pages.core import Namespace, Secret

PATH = Path("sites/blog.yaml")
SITE = """\
apiVersion: pages.kup6s.com/v1beta1
kind: StaticSite
metadata:
  name: blog
  namespace: team
spec:
  repo: https://forge.example.com/team/blog
"""


def problems(text: str, *, allow_local: bool = False) -> list[str]:
    return [str(problem) for problem in manifests.parse(text, PATH, allow_local=allow_local)[1]]


def test_a_file_may_hold_several_documents_and_lists() -> None:
    listed = f"kind: List\napiVersion: v1\nitems:\n- {SITE.replace(chr(10), chr(10) + '  ').rstrip()}\n"
    read, wrong = manifests.parse(f"{SITE}---\n---\n{listed}", PATH)
    assert wrong == []
    assert [(each.object.metadata.name, each.line) for each in read] == [("blog", 1), ("blog", 13)]


def test_the_output_of_kubectl_get_is_a_valid_manifest() -> None:
    dumped = SITE.replace(
        "  namespace: team\n",
        "  namespace: team\n  uid: u1\n  resourceVersion: '7'\n  generation: 2\n"
        "  creationTimestamp: 2026-01-01T00:00:00Z\n  managedFields: []\n  finalizers: [a]\n  labels: {a: b}\n",
    )
    read, wrong = manifests.parse(f"{dumped}status: {{phase: Ready, other: 1}}\n", PATH)
    assert wrong == []
    assert isinstance(read[0].object, StaticSite)
    assert read[0].object.metadata.uid == "u1"


def test_secrets_are_decoded_and_namespaces_are_read() -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: aGk=}\nstringData: {b: text}\n---\n"
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {pages: 'yes'}}\n"
    )
    (secret, namespace), wrong = manifests.parse(text, PATH)
    assert wrong == []
    assert isinstance(secret.object, Secret)
    assert secret.object.data == {"a": b"hi", "b": b"text"}
    assert "hi" not in repr(secret) + str(secret.object)
    assert isinstance(namespace.object, Namespace)


def test_objects_of_other_kinds_are_skipped() -> None:
    assert manifests.parse("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n", PATH) == ([], [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SITE + "  brnch: x\n", "sites/blog.yaml:8: StaticSite team/blog: spec.brnch is not a known field; did you mean branch?"),
        (SITE + "  branch: 1.0\n", "sites/blog.yaml:8: StaticSite team/blog: spec.branch must be text, not float; put it in quotes"),
        (SITE + "  branch: on\n", "sites/blog.yaml:8: StaticSite team/blog: spec.branch must be text, not bool; put it in quotes"),
        (SITE + "  secretRef: {nam: x, name: y}\n", "sites/blog.yaml:8: StaticSite team/blog: spec.secretRef.nam is not a known field; did you mean name?"),
        (SITE + "  repo: x\n", "sites/blog.yaml:8: has the key 'repo' twice; remove one of them"),
        (SITE + "  pathPrefix: /x\n", "sites/blog.yaml:6: StaticSite team/blog: spec: pathPrefix needs domain; add the domain on which to serve the site"),
        (SITE.replace("blog\n", "b--log\n", 1), "sites/blog.yaml:1: StaticSite team/b--log: metadata.name must not contain '--'"),
        (SITE.replace("StaticSite", "StaticSit"), "sites/blog.yaml:1: unknown kind 'StaticSit'; did you mean StaticSite?"),
        (SITE.replace("v1beta1", "v1"), "sites/blog.yaml:1: StaticSite: apiVersion must be pages.kup6s.com/v1beta1, not pages.kup6s.com/v1"),
        (SITE.replace("spec:\n", "spec: null\nx:\n"), "sites/blog.yaml:6: StaticSite team/blog: spec must be a mapping, not NoneType"),
        ("just text", "sites/blog.yaml:1: is not a Kubernetes object; it needs apiVersion, kind and metadata"),
        ("kind: StaticSite", "sites/blog.yaml:1: apiVersion is missing; every Kubernetes object needs it"),
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: '%'}", "sites/blog.yaml:1: Secret default/s: data.a must be base64; write plain text into stringData"),
        ("a: !!python/object/apply:os.system [id]", "sites/blog.yaml:1: has the unsupported tag tag:yaml.org,2002:python/object/apply:os.system; remove it"),
        ("a: &a [*a]", "sites/blog.yaml:1: is nested more than 50 levels deep"),
        ("{a: 1, b: {<<: {c: 1}}}", "sites/blog.yaml:1: merge keys (<<) are not supported; write the fields out"),
        ("a: 1\n? [b]\n: 2", "sites/blog.yaml:2: has a key that is not text; put it in quotes"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_file_line_object_and_field(text: str, says: str) -> None:
    assert says in problems(text)


def test_a_file_whose_aliases_expand_to_many_values_is_rejected() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert problems(bomb) == ["sites/blog.yaml:1: has more than 200000 values; split the file"]


def test_documents_before_a_syntax_error_are_used() -> None:
    read, wrong = manifests.parse(f"{SITE}---\na: [1\n", PATH)
    assert len(read) == 1
    assert "is not YAML" in str(wrong[0])


def test_a_local_repository_needs_allow_local(tmp_path: Path) -> None:
    text = SITE.replace("https://forge.example.com/team/blog", "../repositories/blog.git")
    assert "--allow-local" in problems(text)[0]
    read, wrong = manifests.parse(text, tmp_path / "sites" / "blog.yaml", allow_local=True)
    assert wrong == []
    assert read[0].raw["spec"]["repo"] == str(tmp_path / "repositories/blog.git")


def test_a_folder_is_read_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/x.yml", "c.json", ".hidden/d.yaml", ".e.yaml", "f.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SITE.replace("blog\n", f"{Path(name).stem.strip('.')}\n", 1))
    (tmp_path / "c.json").write_text(
        '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"}, "stringData": {"a": "b"}}'
    )
    contents = manifests.read([tmp_path])
    assert contents.complete
    assert contents.problems == []
    assert [each.object.metadata.name for each in contents.manifests] == ["b", "c", "x"]


def test_the_first_of_two_objects_with_one_name_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SITE)
    (tmp_path / "b.yaml").write_text(SITE)
    contents = manifests.read([tmp_path])
    assert [each.path.name for each in contents.manifests] == ["a.yaml"]
    assert [str(each) for each in contents.problems] == [
        f"{tmp_path}/b.yaml:1: StaticSite team/blog is already defined in {tmp_path}/a.yaml:1, which is used; rename or remove one of them"
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"# " + b"x" * (5 << 20)])
def test_a_file_that_is_not_a_manifest_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.yaml").write_bytes(content)
    (problem,) = manifests.read([tmp_path]).problems
    assert str(problem).startswith(f"{tmp_path}/odd.yaml: is ")


def test_a_file_that_cannot_be_read_makes_the_list_incomplete(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    contents = manifests.read([tmp_path])
    assert not contents.complete
    assert "gone.yaml: cannot be read" in str(contents.problems[0])


def test_dumped_objects_can_be_read_again() -> None:
    read, _ = manifests.parse(SITE, PATH)
    assert manifests.parse(manifests.dump([read[0].raw]), PATH)[0][0].raw == read[0].raw
