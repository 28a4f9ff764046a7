"""F20 without a Lease: two syncers on one volume get in each other's way, and no reader notices.

With a Lease only one works: tests/cluster/test_lease.py. `pages serve` locks its state:
tests/cli/commands/test_serve.py.
"""

from pathlib import Path

from tests.support.engine import Engine, Round
from tests.support.readers import Reader
from tests.support.repositories import Repository


def push(repository: Repository, number: int) -> None:
    repository.commit({"a": f"{number} of a", "b/b": f"{number} of b"} | {f"{each}.html": "x" for each in range(100)})


def test_f20_two_at_once_do_no_harm_and_converge(tmp_path: Path) -> None:
    """Each sweeps away what the other is writing: that may fail, but nothing half written ever goes live."""
    repository = Repository(tmp_path / "site.git")
    push(repository, 1)
    (tmp_path / "volume").mkdir()
    roots = [tmp_path / name for name in ("one", "two")]
    for root in roots:
        root.mkdir()
        (root / "volume").symlink_to(tmp_path / "volume")
    repo = f"file://{repository.folder}"
    with Engine() as one, Engine() as two:
        assert one.run(Round(str(roots[0]), repo)).error == ""
        with Reader(tmp_path / "volume/live/team/site", monotonic=False) as reader:
            for number in range(2, 9):
                push(repository, number)
                one.begin(Round(str(roots[0]), repo, grace_seconds=60))
                two.begin(Round(str(roots[1]), repo, grace_seconds=60))
                for ended in (one.end(), two.end()):
                    assert ended.error == "" or ended.error.startswith("StorageFailed"), ended
        assert one.run(Round(str(roots[0]), repo)).error == ""
    reader.assert_content()
    assert (tmp_path / "volume/live/team/site/a").read_text() == "8 of a"
    assert len(list((tmp_path / "volume/live/team/site").glob("*.html"))) == 100
    assert not list((tmp_path / "volume").rglob(".tmp-*"))
