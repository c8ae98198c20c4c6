"""What section 9 of lesson 5 stands on: a registry that keeps content by its digest, and releases that are played."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workbook.props.expressions import NotAnExpression, filled, value_of
from workbook.props.registry import NotTheSame, Registry
from workbook.props.release import HAPPENS, overlapping, own_release, released
from workbook.props.workflow_run import NotAWorkflow, Tree, permissions, read

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
FILES = {"app/booking.py": b"PRICE = 10\n", "app/version": b"2\n"}
STATUS = {"success": False, "failure": True, "cancelled": False, "always": True}


def test_what_was_pushed_comes_back_by_tag_and_by_digest(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    digest = registry.push("shop:v2", FILES, NOW)
    assert registry.pull("shop:v2") == registry.pull(digest) == FILES


def test_the_same_files_are_another_image_an_hour_later_and_the_tag_follows(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first = registry.push("shop:v2", FILES, NOW)
    assert registry.push("shop:v2", FILES, NOW) == first  # the time is all that differs below
    later = registry.push("shop:v2", {**FILES, "app/version": b"3\n"}, NOW + timedelta(hours=1))
    assert registry.push("shop:v1", FILES, NOW + timedelta(hours=1)) not in {first, later}
    assert registry.digest("shop:v2") == later != first
    assert registry.pull(first) == FILES  # it is still there


def test_a_byte_that_changed_is_noticed(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    digest = registry.push("shop:v2", FILES, NOW)
    registry.spoil(digest, b"PRICE = 10", b"PRICE = 99")
    with pytest.raises(NotTheSame):
        registry.pull(digest)


def test_it_is_laid_out_as_oci_wants_it(tmp_path: Path) -> None:
    digest = Registry(tmp_path).push("shop:v2", FILES, NOW)
    index = json.loads((tmp_path / "index.json").read_text())
    assert json.loads((tmp_path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (pushed,) = index["manifests"]
    manifest = json.loads((tmp_path / "blobs" / digest.replace(":", "/")).read_text())
    assert (pushed["digest"], manifest["schemaVersion"]) == (digest, 2)
    for part in (manifest["config"], *manifest["layers"]):
        assert (tmp_path / "blobs" / part["digest"].replace(":", "/")).stat().st_size == part["size"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("failure() && steps.smoke.conclusion == 'failure'", True),
        ("success() || !cancelled()", True),
        ("!(failure() && always())", False),
        ("steps.smoke.conclusion != 'failure'", False),
        ("steps.nobody.outcome == ''", True),
        ("github.ref_name == 'v2' && 'yes' || 'no'", "yes"),
        ("'it''s' == 'it''s' && 1 == 1 && true", True),
    ],
)
def test_expressions_mean_what_github_says(expression: str, value: object) -> None:
    assert value_of(expression, _named, STATUS) == value


@pytest.mark.parametrize("wrong", ["failure(", "a b", "&&", "nobody()", "'open", "a ==", "contains(a, b)"])
def test_what_cannot_be_read_is_refused(wrong: str) -> None:
    with pytest.raises(NotAnExpression):
        value_of(wrong, _named, STATUS)


def test_text_is_filled_in() -> None:
    assert filled("${{ github.ref_name }}: ${{ failure() }}", _named, STATUS) == "v2: true"


def _named(name: str) -> str:
    return {"steps.smoke.conclusion": "failure", "github.ref_name": "v2"}.get(name, "")


@pytest.mark.parametrize("text", ["jobs: [", "a: 1", "jobs: {}", "jobs: {a: {}}", "jobs: {a: {steps: [b]}}"])
def test_what_is_no_workflow_is_refused(text: str) -> None:
    with pytest.raises(NotAWorkflow):
        read(text)


def test_jobs_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(NotAWorkflow, match="wait for each other"):
        released(read("jobs: {a: {needs: b, steps: []}, b: {needs: [a], steps: []}}"), "all goes well")


def test_whoever_says_nothing_may_do_everything() -> None:
    assert permissions({}, {})["packages"] == "write"
    assert permissions({"permissions": {}}, {}) == permissions({}, {"permissions": None}) == {}


WELL = {"all goes well", "the tag is built again meanwhile"}


@pytest.mark.parametrize("happens", HAPPENS)
def test_our_own_release_ends_with_the_right_version(happens: str) -> None:
    ended = released(own_release(), happens)
    assert (ended.runs, ended.red) == (("version 2", False) if happens in WELL else ("version 1", True))


def test_our_own_releases_come_one_after_the_other() -> None:
    assert overlapping(own_release(), "smoke", "").runs == "version 3"
    assert overlapping(own_release(), "", "migrate").tried


def test_a_release_that_forgets_something_is_seen_to_end_otherwise() -> None:
    assert released(_without_if(own_release()), "all goes well").runs == "version 1"
    assert released({**own_release(), "concurrency": None}, "all goes well").runs == "version 2"
    assert overlapping({**own_release(), "concurrency": None}, "smoke", "").runs == "version 2"
    assert not overlapping(
        {**own_release(), "concurrency": {"group": "a", "cancel-in-progress": True}}, "", "migrate"
    ).tried


def _without_if(workflow: Tree) -> Tree:
    for step in workflow["jobs"]["deploy"]["steps"]:
        step.pop("if", None)
    return workflow
