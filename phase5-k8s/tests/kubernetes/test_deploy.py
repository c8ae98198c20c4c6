"""The order of a deployment, seen by a kubectl that writes down what it is asked and does what the test says."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from workbook.cluster import deploy as deploying
from workbook.cluster.deploy import CannotGoBack, NotDeployed, deploy, go_back

KUBECTL = """#!/bin/sh
echo "$*" >> "$CALLS"
echo "$*" | grep -qE "$FAILS" && exit 1
case "$*" in
  *"get replicasets"*) printf '%s' "$RAN" ;;
  *"get jobs"*) printf '%s' "$JOBS" ;;
esac
"""
Calls = Callable[[], list[str]]


def ran(**deployments: Mapping[int, int]) -> str:
    """ReplicaSets, by Deployment: the revision of each, and the second in which it was made."""
    return listed(
        {
            "metadata": {
                "creationTimestamp": f"2026-11-30T09:00:{second:02}Z",
                "annotations": {"deployment.kubernetes.io/revision": str(revision)},
                "ownerReferences": [{"kind": "Deployment", "name": name}],
            }
        }
        for name, revisions in deployments.items()
        for revision, second in revisions.items()
    )


def jobs(**conditions: str) -> str:
    """Jobs, by name, and the condition that each is in."""
    return listed(
        {"metadata": {"name": name}, "status": {"conditions": [{"type": condition, "status": "True"}]}}
        for name, condition in conditions.items()
    )


def listed(objects: Any) -> str:
    return json.dumps({"kind": "List", "items": list(objects)})


TWO = ran(a={3: 1, 4: 2}, b={1: 1, 2: 2})  # each has been deployed twice at least


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: Callable[[str], str]) -> Calls:
    manifests = text("dev")  # by the real kubectl
    program, written = tmp_path / "kubectl", tmp_path / "calls"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    values = {"CALLS": str(written), "FAILS": "nothing", "RAN": TWO, "JOBS": jobs()}
    for name, value in {**values, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(deploying, "overlay", Path)
    monkeypatch.setattr(deploying, "rendered", lambda _: manifests)
    return lambda: [line.replace("--namespace tickets ", "") for line in written.read_text().splitlines()]


def undone(calls: Calls) -> list[str]:
    return [line.removeprefix("rollout undo ") for line in calls() if "undo" in line]


def test_jobs_have_ended_before_a_service_changes(calls: Calls) -> None:
    deploy("dev")
    _, applied, waited, _, again, ready = calls()
    assert applied.endswith("--selector=app.kubernetes.io/component!=server")
    assert waited.startswith("wait job --selector=app.kubernetes.io/version=phase5 --for=condition=Complete")
    assert again.startswith("apply")
    assert "--selector" not in again
    assert ready.startswith("rollout status deployment")


def test_a_job_that_fails_leaves_the_services_alone(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "wait job")
    with pytest.raises(NotDeployed, match="a Job did not end"):
        deploy("dev")
    assert [line.split()[0] for line in calls()] == ["get", "apply", "wait"]


def test_a_job_of_this_version_that_has_failed_is_done_again(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS", jobs(migrate="Failed", topics="Complete"))
    deploy("dev")
    asked, deleted, applied, *_ = calls()
    assert asked.startswith("get jobs --selector=app.kubernetes.io/version=phase5")
    assert (deleted, applied.split()[0]) == ("delete job migrate", "apply")


def test_jobs_that_have_not_failed_stay(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS", jobs(migrate="Suspended", topics="Complete"))
    deploy("dev")
    assert not any("delete" in line for line in calls())


@pytest.mark.parametrize("fails", ["rollout status", "apply .*--filename=-$"])
def test_services_that_do_not_become_ready_go_back_to_what_ran(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    monkeypatch.setenv("FAILS", fails)
    with pytest.raises(NotDeployed, match="did not become ready"):
        deploy("dev")
    assert undone(calls) == ["deployment/a --to-revision=4", "deployment/b --to-revision=2"]


def test_one_that_cannot_go_back_keeps_no_other_from_it(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "rollout (status|undo deployment/a)")
    with pytest.raises(NotDeployed, match=r"did not become ready.* a did not go back"):
        deploy("dev")
    assert undone(calls)[-1] == "deployment/b --to-revision=2"


def test_the_first_version_has_nothing_to_go_back_to(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "rollout status")
    monkeypatch.setenv("RAN", ran())
    with pytest.raises(NotDeployed):
        deploy("dev")
    assert undone(calls) == []


def test_one_may_go_back_by_hand(calls: Calls) -> None:
    go_back()
    assert undone(calls) == ["deployment/a --to-revision=3", "deployment/b --to-revision=1"]
    assert calls()[-1].startswith("rollout status deployment")


def test_one_goes_back_to_what_ran_and_not_to_what_was_taken_back(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAN", ran(a={2: 2, 3: 1, 4: 3}))  # the second was taken back for the first, then came a third
    go_back()
    assert undone(calls) == ["deployment/a --to-revision=3"]


def test_two_versions_of_one_second_are_told_apart_by_their_numbers(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAN", ran(a={1: 1, 2: 1}))
    go_back()
    assert undone(calls) == ["deployment/a --to-revision=1"]


@pytest.mark.parametrize("history", [{2: 2, 3: 1}, {1: 1}], ids=["taken back already", "the first version"])
def test_nobody_goes_back_to_a_version_that_was_taken_back(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, history: Mapping[int, int]
) -> None:
    monkeypatch.setenv("RAN", ran(a=history))
    with pytest.raises(CannotGoBack, match="taken back already"):
        go_back()
    assert undone(calls) == []


def test_who_could_not_go_back_by_hand_is_named(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "rollout undo deployment/a")
    with pytest.raises(CannotGoBack, match="a did not go back"):
        go_back()
    assert undone(calls)[-1] == "deployment/b --to-revision=1"
