"""5.3 Each push is tested, and each version built, pushed and deployed."""

import pytest
from checklist import delivery
from checklist.gateway import ADDITION
from checklist.workflows import Workflow, workflows

from workbook.checks.system import System
from workbook.checks.verdict import Wrong, expect, not_run

Found = list[Workflow]


@pytest.fixture(scope="module")
def found(system: System) -> Found:
    """The workflows that can be read."""
    try:
        return workflows(system.folder("workflows"))
    except Wrong:
        not_run("needs workflows that can be read, see above")


def _none(problems: list[str], todo: str) -> None:
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    expect(not problems, f"{problems and problems[0]}{more}", todo)


def test_read(system: System) -> None:
    """Workflows can be read."""
    workflows(system.folder("workflows"))


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_tests(found: Found, event: str) -> None:
    """Tests run at each push and each pull request, and a test that fails is a red mark."""
    said = f"no job runs tests at {event}, so that their failure is its failure"
    expect(delivery.testers(found, event), said, "run your test command in a job of its own, on push and pull_request")


def test_images(found: Found) -> None:
    """Images are built and pushed."""
    expect(delivery.builders(found), "no job builds an image", "docker build, or docker/build-push-action")
    expect(delivery.pushers(found), "images are built, and no job pushes them", "docker push, or push: true")


def test_versions(found: Found) -> None:
    """An image is named by its version."""
    _needs_images(found)
    todo = "name images by the commit, the tag or their digest: a name that stays deploys nothing new"
    _none(list(delivery.unnamed(found)), todo)


def test_deploy(found: Found) -> None:
    """A version is deployed after its images were pushed."""
    expect(delivery.deployers(found), "no job deploys to Kubernetes", "kubectl apply, kustomize or helm, in a job")
    _none(list(delivery.unordered(found)), "let the job that deploys need the one that pushes: needs: build")


def test_strangers(found: Found) -> None:
    """A stranger's pull request deploys nothing, and runs nothing of its own words."""
    _none(list(delivery.of_anybody(found)), "deploy at a tag, or on main, and from nobody's fork")
    _none(list(delivery.injected(found)), 'hand it over in env, and write "$TITLE" in the command')


def test_secrets(found: Found) -> None:
    """No secret is printed, or written into a command."""
    _none(list(delivery.told_secrets(found)), "hand secrets over in env, to a file or to standard input")


def test_pinned(found: Found) -> None:
    """Actions are those that were looked at."""
    used = [use for job in delivery.jobs(found) for use in job.uses]
    if not any(delivery.PINNED.search(use) for use in used):
        not_run(f"needs actions named by their commit: {ADDITION}")
    _none(list(delivery.unpinned(found)), "name actions by the whole commit: a tag can be moved")


def test_permissions(found: Found) -> None:
    """Jobs may what they need."""
    if not any("permissions" in str(workflow.raw) for workflow in found):
        not_run(f"needs permissions: {ADDITION}")
    _none(list(delivery.permitted(found)), "permissions: {} for the workflow, and what it needs for each job")


def test_ready(found: Found) -> None:
    """A deployment is over when the new version is ready."""
    _needs_deployers(found)
    if not any(delivery.WAITS.search(job.whole()) for job in delivery.deployers(found)):
        not_run(f"needs a deployment that waits, such as by kubectl rollout status: {ADDITION}")
    _none(list(delivery.hasty(found)), "kubectl rollout status, or helm --wait")


def test_back(found: Found) -> None:
    """There is a way back."""
    _needs_deployers(found)
    back = [job for job in delivery.jobs(found) if delivery.GOES_BACK.search(job.whole())]
    if not back:
        not_run(f"needs a job that goes back, such as by kubectl rollout undo: {ADDITION}")
    alone = [job for job in back if "failure()" in str(job.raw) or "workflow_dispatch" in job.workflow.events]
    said = f"{back[0]} goes back, and neither after a failure nor by hand"
    expect(alone, said, "if: failure(), or a workflow of its own at workflow_dispatch")


def _needs_images(found: Found) -> None:
    if not delivery.pushers(found):
        not_run("needs a job that pushes images, see above")


def _needs_deployers(found: Found) -> None:
    if not delivery.deployers(found):
        not_run("needs a job that deploys, see above")
