"""Folders that hold only what the roadmap asks for: nothing in them is called wrong, and what they lack is named."""

from pathlib import Path

import pytest
from tests.checklist.mistaken_workflows import SIMPLE
from tests.checklist.roadmap_manifests import MANIFESTS

from workbook.checklist import run
from workbook.checks.folders import parted, seen_from_here
from workbook.checks.report import Check, Outcome

ADDITION = "an addition to the roadmap, see phase5-k8s/README.md"


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> list[Check]:
    root = tmp_path_factory.mktemp("roadmap")
    manifests, workflows = root / "k8s", root / ".github" / "workflows"
    for folder, name, text in ((manifests, "all.yaml", MANIFESTS), (workflows, "all.yml", SIMPLE)):
        folder.mkdir(parents=True)
        (folder / name).write_text(text)
    report = run(5, f"manifests={manifests},workflows={workflows}")
    assert not report.problem
    return [check for check in report.checks if not check.box.startswith("5.2")]


def test_nothing_of_it_is_wrong(checks: list[Check]) -> None:
    assert {check.said for check in checks if check.outcome is Outcome.FAILED} == set()
    assert sum(check.outcome is Outcome.PASSED for check in checks) == 19


def test_what_it_lacks_is_named(checks: list[Check]) -> None:
    lacks = [
        "startupProbe",
        "a Job that migrates",
        "securityContext",
        "PodDisruptionBudgets",
        "actions named by their commit",
        "permissions",
        "a deployment that waits, such as by kubectl rollout status",
        "a job that goes back, such as by kubectl rollout undo",
    ]
    assert {check.said for check in checks if check.outcome is Outcome.NOT_RUN} == {
        *(f"needs {what}: {ADDITION}" for what in lacks),
        "needs a cluster: --target kubernetes",
    }


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    report = run(5, f"manifests={tmp_path / 'nowhere'}")
    assert report.problem == f"there is no folder manifests={tmp_path / 'nowhere'}"


def test_a_gateway_that_is_not_there_is_said_so() -> None:
    report = run(5, "gateway=127.0.0.1:1")
    assert report.problem.startswith("nothing answers over HTTP at 127.0.0.1:1 (")


def test_a_folder_is_the_one_that_is_meant_where_the_command_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = seen_from_here("gateway=127.0.0.1:8080, manifests=k8s")
    assert parted(target) == ("gateway=127.0.0.1:8080", {"manifests": tmp_path / "k8s"})
