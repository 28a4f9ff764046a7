"""`pages init` in real checkouts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cli import exits
from cli.commands.init import https, site_name
from tests.support.repositories import git
from tests.support.serving import pages

Checkout = Callable[..., Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Makes a checkout with some files."""

    def make(remote: str | None = "git@forge.example.com:you/My.Blog.git", *files: str, branch: str = "trunk") -> Path:
        folder = tmp_path / "checkout"
        git("init", "--quiet", f"--initial-branch={branch}", str(folder))
        if remote:
            git("-C", str(folder), "remote", "add", "origin", remote)
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text("x")
        return folder

    return make


def test_a_site_is_written_from_what_the_checkout_says(checkout: Checkout) -> None:
    folder = checkout("git@forge.example.com:you/My.Blog.git", "docs/index.html", "public/index.html", "src/x")
    done = pages("init", "--domain", "www.example.com", cwd=folder / "src")
    assert done.returncode == exits.OK, done.stderr
    assert yaml.safe_load(done.stdout) == {
        "apiVersion": "pages.kup6s.com/v1beta1",
        "kind": "StaticSite",
        "metadata": {"name": "my-blog"},
        "spec": {
            "repo": "https://forge.example.com/you/My.Blog.git",
            "branch": "trunk",
            "path": "/public",
            "domain": "www.example.com",
        },
    }


def test_a_file_is_never_overwritten_by_accident(checkout: Checkout) -> None:
    folder = checkout("https://forge.example.com/you/blog", "index.html")
    first = pages("init", "-o", "site.yaml", cwd=folder)
    assert first.returncode == exits.OK
    assert "kubectl apply -f site.yaml" in first.stderr
    (folder / "site.yaml").write_text("mine")
    again = pages("init", "-o", "site.yaml", cwd=folder)
    assert (again.returncode, "--force" in again.stderr) == (exits.NOT_READY, True)
    assert (folder / "site.yaml").read_text() == "mine"
    assert pages("init", "-o", "site.yaml", "--force", cwd=folder).returncode == exits.OK
    assert "path" not in yaml.safe_load((folder / "site.yaml").read_text())["spec"]


@pytest.mark.parametrize(
    ("remote", "options", "says"),
    [
        (None, (), "has no remote 'origin'"),
        ("/srv/git/blog.git", (), "cannot fetch"),
        ("https://forge.example.com/you/blog", ("--domain", "nonsense"), "spec.domain must"),
        ("https://forge.example.com/you/blog", ("--name", "Blog!"), "metadata.name must"),
    ],
)
def test_what_cannot_become_a_site_is_explained(
    checkout: Checkout, remote: str | None, options: tuple[str, ...], says: str
) -> None:
    done = pages("init", *options, cwd=checkout(remote, "index.html"))
    assert done.returncode == exits.NOT_READY
    assert says in done.stderr


def test_outside_of_a_checkout_and_without_an_index_it_says_so(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert "not in a git checkout" in pages("init", cwd=tmp_path / "plain").stderr
    done = pages("init", cwd=checkout("https://forge.example.com/you/blog", "readme"))
    assert done.returncode == exits.OK
    assert "no index.html" in done.stderr


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("git@forge.example.com:you/blog.git", "https://forge.example.com/you/blog.git"),
        ("forge.example.com:/you/blog", "https://forge.example.com/you/blog"),
        ("ssh://git@forge.example.com:2222/you/blog.git", "https://forge.example.com/you/blog.git"),
        ("https://you:token@Forge.example.com/you/blog.git", "https://forge.example.com/you/blog.git"),
        ("http://forge.example.com:3000/you/blog", "http://forge.example.com:3000/you/blog"),
    ],
)
def test_a_remote_becomes_an_https_url_without_credentials(remote: str, url: str) -> None:
    assert https(remote) == url


@pytest.mark.parametrize(
    ("repo", "name"), [("https://x.example/a/My_Site.git", "my-site"), ("https://x.example/a/--", "site")]
)
def test_the_name_is_the_repositorys_as_a_label(repo: str, name: str) -> None:
    assert site_name(repo) == name
