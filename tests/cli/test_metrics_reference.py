"""The reference of the metrics is made of their definitions."""

from cli import metrics_reference
from tests.support.control_plane import ROOT


def test_the_reference_is_up_to_date() -> None:
    written = (ROOT / "docs/reference/metrics.md").read_text()
    remedy = "run: python -m cli.metrics_reference > docs/reference/metrics.md"
    assert written == metrics_reference.markdown(), remedy


def test_it_names_metrics_with_their_type_and_labels() -> None:
    made = metrics_reference.markdown()
    assert "| `pages_syncs_total` | counter | `result`, `reason` | " in made
    assert "| `pages_hook_duration_seconds` | histogram | `hook` | " in made
