"""Whether there is a cluster, asked of a kubectl that says what the test says; and what it needs besides."""

import re
from pathlib import Path

import pytest

from workbook.cluster.building import METRICS_SERVER
from workbook.cluster.kubectl import cluster_there
from workbook.phases import ROOT


@pytest.mark.parametrize(
    ("answer", "there"),
    [
        ('echo \'{"gitVersion": "v1.37.0"}\'', True),
        ("echo '{\"status\": 404}'; exit 1", False),
        ("echo ready", False),  # the gateway, on the port that kubectl asks when it knows nothing
        ("echo refused >&2; exit 1", False),
    ],
)
def test_a_cluster_is_what_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, *, there: bool
) -> None:
    (tmp_path / "kubectl").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert cluster_there() is there


def test_without_kubectl_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not cluster_there()


def test_the_readme_brings_the_metrics_server_that_was_tried() -> None:
    """Without one no autoscaler does anything; kind has none."""
    readme = (ROOT / "phase5-k8s" / "README.md").read_text()
    assert re.findall(r"metrics-server/releases/download/([\w.]+)/", readme) == [METRICS_SERVER]
