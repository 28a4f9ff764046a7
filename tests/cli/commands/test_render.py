"""What a cluster would make of manifests, printed."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.serving import PAGES, pages

SAMPLES = Path(__file__).parents[2] / "cases" / "kup6s-pages-1.0"
SITE = """
apiVersion: pages.kup6s.com/v1beta1
kind: StaticSite
metadata: {name: docs, namespace: team}
spec: {repo: "https://forge.example.com/team/docs", domain: example.com, pathPrefix: /docs}
"""


def objects(text: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}


def test_the_objects_of_a_site_are_printed(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    done = pages("render", tmp_path / "site.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    made = objects(done.stdout)
    assert made.keys() == {
        ("VirtualHost", "example.com"),
        ("Certificate", "example-com-tls"),
        ("IngressRoute", "team--docs"),
        ("Middleware", "team--docs-strip"),
        ("Middleware", "team--docs-headers"),
        ("Middleware", "team--docs-prefix"),
    }
    route = made["IngressRoute", "team--docs"]["spec"]["routes"][0]
    assert route["match"] == "Host(`example.com`) && (Path(`/docs`) || PathPrefix(`/docs/`))"
    assert [each["name"] for each in route["middlewares"]] == [
        "team--docs-strip",
        "team--docs-headers",
        "team--docs-prefix",
    ]


def test_stdin_and_another_platform(tmp_path: Path) -> None:
    platform = tmp_path / "platform.yaml"
    platform.write_text(
        "apiVersion: pages.kup6s.com/v1beta1\nkind: Platform\nmetadata: {name: p, namespace: pages-system}\n"
        "spec: {pagesDomain: pages.example.com, tls: {mode: 'Off'}}\n"
    )
    done = subprocess.run(
        [*PAGES, "render", str(platform), "-"], input=SITE, capture_output=True, text=True, timeout=60, check=False
    )
    made = objects(done.stdout)
    assert ("Certificate", "example-com-tls") not in made
    assert made["IngressRoute", "team--docs"]["metadata"]["namespace"] == "pages-system"


def test_rejections_and_mistakes_go_to_stderr_with_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SITE)
    (tmp_path / "b.yaml").write_text(SITE.replace("docs,", "thief,").replace("namespace: team", "namespace: other"))
    (tmp_path / "c.yaml").write_text("a: [1")
    done = pages("render", tmp_path)
    assert done.returncode == 1
    assert "StaticSite other/thief: DomainConflict: example.com" in done.stderr
    assert "c.yaml" in done.stderr
    assert ("IngressRoute", "team--docs") in objects(done.stdout)
    assert ("IngressRoute", "other--thief") not in objects(done.stdout)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = pages("render", tmp_path / "nothing.yaml")
    assert done.returncode == 1
    assert "nothing.yaml" in done.stderr


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_manifests_for_kup6s_pages_1_0_are_accepted_unchanged(sample: Path) -> None:
    done = pages("render", sample, "--pages-domain", "pages.kup6s.example")
    assert (done.returncode, done.stderr) == (0, "")
    assert any(kind == "IngressRoute" for kind, _ in objects(done.stdout))


def test_there_are_samples() -> None:
    assert len(list(SAMPLES.glob("*.yaml"))) >= 5
