"""Symlinks are followed inside the tree: what they lead to is published under their name (C1)."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

import pytest

from syncer.content import symlinks
from syncer.content.tree import File, Listing
from syncer.errors import LimitExceeded
from syncer.limits import SiteLimits


def follow(
    files: Sequence[str], targets: Mapping[str, str | bytes], limits: SiteLimits | None = None
) -> tuple[dict[str, str], int]:
    """What is published: each path with the file whose content it has; and how many links are not."""
    texts = {path: text.encode() if isinstance(text, str) else text for path, text in targets.items()}

    def blobs(oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        for oid in oids:
            yield oid, len(texts[oid]), io.BytesIO(texts[oid])

    listing = Listing(
        [File(path, f"content of {path}", 7) for path in files],
        links=[File(path, path, len(text)) for path, text in texts.items()],
    )
    followed = symlinks.follow(listing, blobs, limits or SiteLimits())
    assert followed.links == []
    assert len({file.path for file in followed.files}) == len(followed.files)
    return {file.path: file.oid.removeprefix("content of ") for file in followed.files}, followed.skipped["symlink"]


@pytest.mark.parametrize(
    ("link", "target", "content"),
    [
        ("copy.html", "index.html", "index.html"),
        ("copy.html", "./index.html", "index.html"),
        ("copy.html", "docs//v2/../v1/./page.html", "docs/v1/page.html"),
        ("docs/home.html", "../index.html", "index.html"),
        ("docs/v1/other.html", "../v2/page.html", "docs/v2/page.html"),
    ],
)
def test_a_link_to_a_file_becomes_a_copy(link: str, target: str, content: str) -> None:
    files = ["index.html", "docs/v1/page.html", "docs/v2/page.html"]
    published, skipped = follow(files, {link: target})
    assert published == dict(zip(files, files, strict=True)) | {link: content}
    assert skipped == 0


def test_a_link_to_a_folder_becomes_a_copy_of_all_in_it() -> None:
    published, skipped = follow(["v2/index.html", "v2/img/a.png", "v1/index.html"], {"latest": "v2"})
    assert published["latest/index.html"] == "v2/index.html"
    assert published["latest/img/a.png"] == "v2/img/a.png"
    assert (len(published), skipped) == (5, 0)


def test_links_on_the_way_are_followed_as_an_operating_system_does() -> None:
    published, skipped = follow(
        ["v2/index.html", "shared/a.png"],
        {"latest": "v2", "current": "latest", "v2/img": "../shared", "home": "current/index.html", "up": "v2/img/../x"},
    )
    assert published["home"] == "v2/index.html"
    assert published["current/index.html"] == "v2/index.html"
    assert published["current/img/a.png"] == "shared/a.png"
    assert skipped == 1  # v2/img/.. is where shared is, not v2: there is no x


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "../outside",
        "docs/../../outside",
        "../../../../../../etc/passwd",
        "nowhere",
        "docs/nowhere",
        ".git/config",
        ".env",
        "index.html/",
        "index.html/x",
        "index.html/../index.html",
        "",
        ".",
        "..",
        "docs/..",
        "itself",
        "a" * 1025,
        b"\xff\xfe",
        b"index.html\0",
        "docs\\page.html",
    ],
)
def test_a_link_that_leads_to_nothing_published_is_counted(target: str | bytes) -> None:
    files = ["index.html", "docs/page.html"]
    published, skipped = follow(files, {"itself": target})
    assert sorted(published) == sorted(files)
    assert skipped == 1


@pytest.mark.parametrize(
    "targets",
    [
        {"a": "b", "b": "a"},
        {"a": "b/x", "b": "a/x"},
        {"d/up": "..", "e/up": "../d/up"},
        {f"l{number}": f"l{number + 1}" for number in range(60)},
    ],
)
def test_loops_and_endless_chains_are_counted(targets: Mapping[str, str]) -> None:
    published, skipped = follow(["index.html"], targets)
    assert sorted(published) == ["index.html"]
    assert skipped == len(targets)


def test_a_chain_may_have_forty_links() -> None:
    chain = {f"l{number}": f"l{number + 1}" for number in range(39)} | {"l39": "index.html"}
    published, skipped = follow(["index.html"], chain)
    assert (published["l0"], skipped) == ("index.html", 0)


def test_folders_that_lead_into_each_other_are_copied_once() -> None:
    published, skipped = follow(["a/x", "b/y"], {"a/b": "../b", "b/a": "../a"})
    assert published == {"a/x": "a/x", "b/y": "b/y", "a/b/y": "b/y", "b/a/x": "a/x"}
    assert skipped == 2  # each leads round once more


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (SiteLimits(files=4), "4 files"),
        (SiteLimits(site_bytes=34), "34 bytes"),
        (SiteLimits(path_depth=2), "names deep"),
        (SiteLimits(path_bytes=9), "has 10 bytes"),
    ],
)
def test_copies_count_against_the_limits(limits: SiteLimits, message: str) -> None:
    files, targets = ["v2/a", "v2/b"], {"latest": "v2", "one": "v2/a"}
    assert len(follow(files, targets, SiteLimits(files=5, site_bytes=35, path_depth=2, path_bytes=8))[0]) == 5
    deeper = {"old/latest": "../v2", "one": "v2/a"}
    with pytest.raises(LimitExceeded, match=message):
        follow(files, deeper, limits)


def test_a_bomb_of_links_is_given_up() -> None:
    """Each folder leads twice into the next: 2^30 copies of one file, or of none."""
    bomb = {f"d{level}/{side}": f"../d{level + 1}" for level in range(30) for side in "ab"}
    with pytest.raises(LimitExceeded, match="20,000 files"):
        follow(["d30/x"], bomb)
    with pytest.raises(LimitExceeded, match="too often"):
        follow(["x"], {**bomb, "d30/l": "nowhere"})


def test_a_long_chain_of_folders_is_given_up() -> None:
    chain = {f"d{level}/next": f"../d{level + 1}" for level in range(5000)}
    with pytest.raises(LimitExceeded, match="names deep"):
        follow(["d5000/x"], chain)
