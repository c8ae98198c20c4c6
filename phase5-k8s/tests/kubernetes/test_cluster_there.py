"""Whether there is a cluster: asked of a kubectl that says what the test says."""

from pathlib import Path

import pytest

from workbook.cluster.kubectl import cluster_there


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
