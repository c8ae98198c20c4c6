"""The order of a deployment, seen by a kubectl that writes down what it is asked and does what the test says."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workbook.cluster import deploy as deploying
from workbook.cluster.deploy import NotDeployed, deploy, go_back

KUBECTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"$FAILS"*) exit 1 ;;
  *"get deployment"*) printf '%s' "$RUNNING" ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: Callable[[str], str]) -> Callable[[], list[str]]:
    manifests = text("dev")  # by the real kubectl
    program, written = tmp_path / "kubectl", tmp_path / "calls"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    values = {"CALLS": str(written), "FAILS": "nothing", "RUNNING": "deployment.apps/a deployment.apps/b"}
    for name, value in {**values, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(deploying, "overlay", Path)
    monkeypatch.setattr(deploying, "rendered", lambda _: manifests)
    return lambda: [line.replace("--namespace tickets ", "") for line in written.read_text().splitlines()]


def test_jobs_have_ended_before_a_service_changes(calls: Callable[[], list[str]]) -> None:
    deploy("dev")
    applied, waited, _, again, ready = calls()
    assert applied.endswith("--selector=app.kubernetes.io/component!=server")
    assert waited.startswith("wait job --selector=app.kubernetes.io/version=phase5 --for=condition=Complete")
    assert again.startswith("apply")
    assert "--selector" not in again
    assert ready.startswith("rollout status deployment")


def test_a_job_that_fails_leaves_the_services_alone(
    calls: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "wait job")
    with pytest.raises(NotDeployed, match="a Job did not end"):
        deploy("dev")
    assert [line.split()[0] for line in calls()] == ["apply", "wait"]


def test_services_that_do_not_become_ready_go_back(
    calls: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "rollout status")
    with pytest.raises(NotDeployed, match="did not become ready"):
        deploy("dev")
    assert calls()[-2:] == ["rollout undo deployment.apps/a", "rollout undo deployment.apps/b"]


def test_the_first_version_has_nothing_to_go_back_to(
    calls: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "rollout status")
    monkeypatch.setenv("RUNNING", "")
    with pytest.raises(NotDeployed):
        deploy("dev")
    assert not any("undo" in line for line in calls())


def test_one_may_go_back_by_hand(calls: Callable[[], list[str]]) -> None:
    go_back()
    assert [line.partition(" --")[0] for line in calls()[1:]] == [
        "rollout undo deployment.apps/a",
        "rollout undo deployment.apps/b",
        "rollout status deployment",
    ]
