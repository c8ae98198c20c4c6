"""Boxes 5.1 and 5.3, proved: this workbook's own folders pass, each mistake in them fails in its box, by its words.

Manifests are read for one box and workflows for the other, so a run takes a mistake of each: that halves the runs.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path

import pytest
from checklist.test_5_1_running import test_running as checked_running
from tests.checklist import mistaken_manifests as m
from tests.checklist import mistaken_workflows as w
from tests.checklist.kinds import failed_kinds, kind_of
from tests.checklist.test_gateway_systems import told

from workbook.checklist import run
from workbook.checks import verdict
from workbook.checks.folders import ours
from workbook.checks.report import Outcome, Report
from workbook.checks.system import System
from workbook.cluster.manifests import Manifests
from workbook.cluster.overlays import copied, rendered
from workbook.needs import missing, needs
from workbook.phases import ROOT

Boards = Mapping[str, "Future[Report]"]
AT_ONCE = 6
RIGHT = "right"
WORDS = {
    **{name: ("5.1", words) for name, (_, words) in {**m.CHANGED, **m.GONE, **m.FOLDERS}.items()},
    **{f"{name} (CI)": ("5.3", words) for name, (_, words) in w.WRONG.items()},
}


@pytest.fixture(scope="module")
def boards(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boards]:
    """The checklist's report on each folder that is asked about, as it becomes ready."""
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    chosen = [case["mistake"] for case in cases if case.get("mistake") in WORDS]
    folder = tmp_path_factory.mktemp("folders")
    dev = None if missing("kubectl") else Manifests.of(rendered(copied(folder) / "overlays" / "dev"))
    targets = {name: target for name in chosen if (target := made(name, folder, dev))}
    both = ",".join(f"{name}={path}" for name, path in ours().items())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {RIGHT: pool.submit(run, 5, both)}
        for names in paired(list(targets)):
            report = pool.submit(run, 5, ",".join(targets[name] for name in names))
            started |= dict.fromkeys(names, report)
        yield started
        for report in started.values():  # after a failure that ends the session early
            report.cancel()


def paired(names: list[str]) -> Iterator[list[str]]:
    """One of each box, as long as there are."""
    of_each = [[name for name in names if WORDS[name][0] == box] for box in ("5.1", "5.3")]
    return ([name for name in pair if name] for pair in zip_longest(*of_each))


def made(name: str, folder: Path, dev: Manifests | None) -> str:
    """The target with such a mistake; "" where nothing can render what it is made of."""
    where = folder / name.replace(" ", "-")
    if name.endswith(" (CI)"):
        return f"workflows={edited(name.removesuffix(' (CI)'), where)}"
    if dev is None:
        return ""
    if name in m.FOLDERS:
        where.mkdir()
        m.FOLDERS[name][0](where, dev)
        return f"manifests={where}"
    return f"manifests={m.written(m.changed(dev, name) if name in m.CHANGED else m.without(dev, name), where)}"


def edited(name: str, where: Path) -> Path:
    """A copy of the workflows with this mistake, and of the script that they run."""
    folder = where / ".github" / "workflows"
    shutil.copytree(ours()["workflows"], folder)
    shutil.copytree(ROOT / ".ci", where / ".ci")
    for file, right, wrong in w.WRONG[name][0]:
        path = folder / file
        text = path.read_text() if path.exists() else ""
        assert right in text
        path.write_text(text.replace(right, wrong) if right else wrong)
    return folder


def test_our_own_folders_pass(boards: Boards) -> None:
    needs("kubectl")
    report = boards[RIGHT].result()
    assert not report.problem
    ours_alone = [check for check in report.checks if not check.box.startswith("5.2")]
    left = {check.said for check in ours_alone if check.outcome is not Outcome.PASSED}
    assert left == {"needs a cluster: --target kubernetes"}, told(report)


@pytest.mark.parametrize("mistake", WORDS)
def test_a_mistake_fails(boards: Boards, mistake: str) -> None:
    box, words = WORDS[mistake]
    if box == "5.1":
        needs("kubectl")
    report = boards[mistake].result()
    assert not report.problem
    failed = [check for check in report.checks if check.outcome is Outcome.FAILED]
    assert {check.box[:3] for check in failed} <= {"5.1", "5.3"}, told(report)
    said = "\n".join(check.said for check in failed if check.box.startswith(box))
    assert all(each in said for each in words), told(report)
    assert "the check itself broke" not in told(report)
    assert all(check.todo for check in failed)


def test_every_check_can_fail(boards: Boards) -> None:
    needs("kubectl")
    kinds = {kind_of(check) for check in boards[RIGHT].result().checks if not check.box.startswith("5.2")}
    left = kinds - failed_kinds(report.result() for report in boards.values())
    assert left == {("5.1", "In the cluster all of it runs, by the autoscalers' word, too")}  # see below


def live(kind: str, condition: str, status: str) -> System:
    told = {"conditions": [{"type": condition, "status": status}]}
    one = {"kind": kind, "metadata": {"name": "x"}, "spec": {}, "status": told}
    return System("a cluster", {}, kubectl=lambda *_: json.dumps({"items": [one]}))


@pytest.mark.parametrize(
    ("kind", "condition", "good"),
    [("Deployment", "Available", True), ("HorizontalPodAutoscaler", "AbleToScale", True), ("Job", "Failed", False)],
)
def test_what_a_cluster_says_is_heard(kind: str, condition: str, *, good: bool) -> None:
    checked_running(live(kind, condition, str(good)))
    with pytest.raises(verdict.Wrong, match=f"{kind}/x"):
        checked_running(live(kind, condition, str(not good)))
