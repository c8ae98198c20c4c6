"""The workflows deploy by the commands that are tested here, in the order that loses nothing."""

import re
import shlex
from typing import Any

import pytest
import yaml

from workbook.cli import parser
from workbook.phases import ROOT


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
    return found


WORKFLOWS = {name: read(name) for name in ("release", "rollback", "kubernetes")}


def commands(workflow: dict[str, Any]) -> list[str]:
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    return re.findall(r"^\s*\./learn (.*)$", "\n".join(step.get("run", "") for step in steps), re.MULTILINE)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_each_command_is_one(name: str) -> None:
    for command in commands(WORKFLOWS[name]):
        parser().parse_args(shlex.split(command))


def test_a_release_is_deployed_then_tried_then_kept_or_taken_back() -> None:
    steps = WORKFLOWS["release"]["jobs"]["deploy"]["steps"]
    assert [command.split()[1] for command in commands(WORKFLOWS["release"])] == ["release", "deploy", "smoke", "undo"]
    assert steps[-1]["if"] == "failure() && steps.smoke.conclusion == 'failure'"
    assert WORKFLOWS["release"]["jobs"]["deploy"]["needs"] == "images"


def test_nothing_is_built_before_all_tests_have_passed() -> None:
    jobs, ci = WORKFLOWS["release"]["jobs"], read("ci")
    called = jobs[jobs["images"]["needs"]]
    assert called["uses"] == "./.github/workflows/ci.yml"
    assert "workflow_call" in ci[True]  # YAML 1.1 reads `on` as yes
    rights = {right for job in ci["jobs"].values() for right in job["permissions"].items()}
    assert rights <= called["permissions"].items()  # a workflow that is called gets no more than its caller has


def test_images_are_built_once_with_where_they_come_from() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    assert len(re.findall(r"docker (?:buildx )?(?:bake|build)\b", text)) == 1
    assert {"--provenance=mode=max", "--sbom=true", "--push"} <= set(text.split())


def test_only_who_pushes_may_write() -> None:
    rights = {
        f"{name}: {job}": {right for right, what in one["permissions"].items() if what == "write"}
        for name, workflow in WORKFLOWS.items()
        for job, one in workflow["jobs"].items()
    }
    assert {job: what for job, what in rights.items() if what} == {"release: images": {"packages"}}
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())
