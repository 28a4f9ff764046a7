"""What a tenant writes into spec.path: resolved in the git tree, never on disk (S1, S2)."""

import pytest

from pages import validation
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site


@pytest.mark.parametrize(
    "path",
    ["../..", "/..", "/a/../../b", "//", "/a//b", "/%2e%2e", "/a\0", "/.git", "/.GIT/x", "/a/./b", "/a\n", "/a\\..\\b"],
)
def test_s1_a_path_that_could_lead_out_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="must"):
        validation.path(path)


@pytest.mark.parametrize("path", ["/public:x", "/public^{tree}", "/public@{0}", "/*"])
def test_s1_a_path_is_no_expression_for_git(path: str) -> None:
    with pytest.raises(ValueError, match="must"):
        validation.path(path)


def test_s1_the_machines_folders_are_none_of_the_repositorys(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    assert bench.reason(parsed_site(repo=git_server.url(), path="/etc")) == "SubpathNotFound"
    assert bench.reason(parsed_site(repo=git_server.url(), path=str(bench.root))) == "SubpathNotFound"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nope", "SubpathNotFound"),
        ("/public/nope", "SubpathNotFound"),
        ("/file", "NotADirectory"),
        ("/file/deeper", "SubpathNotFound"),
        ("/link", "NotADirectory"),
        ("/out", "NotADirectory"),
        ("/module", "SubpathNotFound"),
    ],
)
def test_s2_what_is_no_folder_has_a_reason_and_the_last_release_stays(
    bench: Bench, git_server: GitServer, path: str, reason: str
) -> None:
    git_server.repository().commit(
        {"public/index.html": "good", "file": "x"},
        symlinks={"link": "public", "out": "../../.."},
        submodules={"module": "a" * 40},
    )
    bench.sync(parsed_site(repo=git_server.url(), path="/public"))
    assert bench.reason(parsed_site(repo=git_server.url(), path=path)) == reason
    assert bench.live() == {"index.html": "good"}
