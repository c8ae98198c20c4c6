"""Task 5.10: a workflow that releases, played with everything that can fail; what runs in the end decides."""

import re
from collections.abc import Iterator
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.props.expressions import NotAnExpression
from workbook.props.release import HAPPENS, Ended, overlapping, released
from workbook.props.shop_world import COMMANDS
from workbook.props.workflow_run import NotAWorkflow, Tree, permissions, read
from workbook.tasks.phase5.wrong_workflow import WRONG

_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
_COMMAND = re.compile(rf"ci/({'|'.join(COMMANDS)})\b")


def check(text: Any) -> str:
    """First what it may do and whose code it runs, then what comes of it."""
    if not isinstance(text, str):
        raise Wrong(f"WORKFLOW is {type(text).__name__}: the text of the file is wanted")
    try:
        workflow = read(text)
        _pinned(workflow)
        _least(workflow)
        _goes_well(released(workflow, "all goes well"))
        _same_bytes(released(workflow, "the tag is built again meanwhile"))
        for happens, why in _BACK.items():
            _version_1_stays(happens, why, released(workflow, happens))
        _alone(workflow)
    except (NotAWorkflow, NotAnExpression) as error:
        raise Wrong(f"the workflow cannot be run: {error}") from error
    return f"{len(HAPPENS)} releases and two that overlap: each time the right version ran in the end"


def _pinned(workflow: Tree) -> None:
    for _, step in _steps(workflow):
        used = str(step.get("uses", ""))
        if used and not used.startswith("./") and not _PINNED.fullmatch(used):
            raise Wrong(
                f"{used}: a tag can be moved by whoever gets hold of that repository, and then runs with your token. A "
                "commit cannot: owner/name@ and its 40 digits"
            )


def _least(workflow: Tree) -> None:
    if permissions(workflow, {}):
        raise Wrong(
            f"every job that says nothing else may {_told(permissions(workflow, {}))}. Give the workflow none "
            "(`permissions: {}`), and each job what it needs"
        )
    builders = {name for name, step in _steps(workflow) if "ci/build" in str(step.get("run", ""))}
    for name, job in workflow["jobs"].items():
        may = {what for what, how in permissions(workflow, job).items() if how == "write"}
        if "packages" not in may and name in builders:
            raise Wrong(f"job {name} pushes an image and may not: packages: write")
        if more := may - ({"packages"} if name in builders else set()):
            raise Wrong(f"job {name} may write {', '.join(sorted(more))}, and does not need to")


def _told(may: Any) -> str:
    return ", ".join(f"{how} {what}" for what, how in sorted(may.items()))


def _goes_well(ended: Ended) -> None:
    acts = [each.split()[0] for each in ended.told]
    said = f"nothing fails, and the commands are: {', '.join(acts) or 'none'}"
    if acts.count("build") != 1:
        raise Wrong(f"{said}. An image is built once; what was tried is what is deployed")
    if "undo" in acts:
        raise Wrong(f"{said}. So a good version is taken back, too: only if the smoke test failed")
    if "deploy" in acts and "migrate" not in acts[: acts.index("deploy")]:
        raise Wrong(f"{said}. Version 2 does not find the database as it needs it: migrate first; version 1 bears it")
    if empty := [each for each in ended.told if each in {"migrate", "deploy"}]:
        raise Wrong(
            f"{said}; but `{empty[0]}` got no image. An output goes from the step to its job's `outputs`, and from "
            "there to a job that has the other one in its `needs`"
        )
    if ended.runs != "version 2":
        raise Wrong(
            f"{said}. {ended.runs} runs in the end: a job that does not need the other one starts at the same time, "
            "before the image is there"
        )
    if not ended.tried:
        raise Wrong(f"{said}. Nobody tried what was deployed: ci/smoke, after it")


def _same_bytes(ended: Ended) -> None:
    if ended.runs != "version 2":
        raise Wrong(
            f"the tag v2 is built again while the workflow is under way: {ended.runs} runs in the end. A tag is looked "
            "up when it is used; a digest is what was built: outputs.digest of the build"
        )


_BACK = {
    "the build fails": "nothing may happen after it",
    "the migration fails": "then nothing was deployed, and `ci/undo` has nothing of this run to take back",
    "the new pods do not become ready": "ci/deploy went back by itself; one more `ci/undo` is one too many",
    "the smoke test fails": "it has to be taken back: `if: failure()` with what failed, behind it",
}


def _version_1_stays(happens: str, why: str, ended: Ended) -> None:
    if ended.runs != "version 1":
        raise Wrong(f"{happens}: {ended.runs} runs in the end, version 1 is right: {why}")
    if not ended.red:
        raise Wrong(f"{happens}, and the run is green: nobody hears of it. A step that failed has to count as failed")


def _alone(workflow: Tree) -> None:
    cut = overlapping(workflow, first_fails="", second_fails="migrate")
    if cut.runs == "version 2" and not cut.tried:
        raise Wrong(
            "a second tag comes when the first run has just deployed, and its migration fails: version 2 runs, and "
            "nobody has tried it. The first run was cut off in the middle: cancel-in-progress: false"
        )
    both = overlapping(workflow, first_fails="smoke", second_fails="")
    if both.runs != "version 3":
        raise Wrong(
            f"v3 is released while v2 is tried, and v2 fails: {both.runs} runs in the end. The first run took back "
            "what the second had deployed. One at a time: a concurrency group that both have"
        )


def _steps(workflow: Tree) -> Iterator[tuple[str, Tree]]:
    return ((name, step) for name, job in workflow["jobs"].items() for step in job["steps"])


TASK = Task(
    id="5.10",
    title="A release that can go back",
    names=("WORKFLOW",),
    hints=(
        (
            "Play it in your head, a step at a time: the smoke test fails. The migration fails. Which version runs "
            "then, and who brought it there? And what does a tag mean an hour later?"
        ),
        (
            "`id` at the step that builds, `outputs` at its job, `needs` at the other job: so the digest gets there. "
            "Migrate, deploy, smoke, and then a step with an `if` that asks which step failed. `permissions` and "
            "`concurrency` stand beside `jobs`."
        ),
        (
            "IMAGE: ${{ needs.images.outputs.digest }} in the env of the job; if: failure() && steps.smoke.conclusion "
            "== 'failure' before ci/undo; concurrency with a group of a fixed name and cancel-in-progress: false; "
            "permissions: {} above, packages: write in the job that builds, and actions/checkout at a commit."
        ),
    ),
    check=check,
    wrong=WRONG,
)
