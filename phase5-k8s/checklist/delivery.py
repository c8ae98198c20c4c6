"""What workflows do on the way from a push to a cluster, told by what they run."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from checklist.workflows import Job, Workflow

Workflows = Sequence[Workflow]
TESTS = re.compile(r"\b(pytest|tox|nox|unittest|gradlew? \S*check|mvn\b.*\bverify|tests?)\b")
BUILDS = re.compile(r"docker (buildx |compose )?(build|bake)\b|buildah (bud|build)|podman build|kaniko|ko build|jib")
PUSHES = re.compile(r"docker (image |compose )?push|--push\b|(buildah|podman|crane) push|kaniko|ko build")
DEPLOYS = re.compile(
    r"kubectl [^\n]*\b(apply|set image|replace)\b|helm (upgrade|install)|cluster deploy|argocd app|flux reconcile|"
    r"skaffold (run|deploy)"
)
OWN_CLUSTER = re.compile(r"kind create|kind load|minikube start|k3d cluster create")
WAITS = re.compile(r"rollout status|--wait\b|kubectl wait|cluster deploy|argocd app wait|--atomic")
GOES_BACK = re.compile(r"rollout undo|helm rollback|--atomic|--rollback-on-failure|cluster undo|argocd app rollback")
VERSIONS = re.compile(
    r"github\.(sha|ref_name|run_number)|GITHUB_(SHA|REF_NAME|RUN_NUMBER)|git (rev-parse|describe)|sha256:|digest|"
    r"steps\.\w+\.outputs|needs\.\w+\.outputs|metadata-action"
)
SECRET = re.compile(r"\$\{\{\s*(secrets\.\w+)\s*\}\}")
STRANGERS = re.compile(
    r"\$\{\{[^}]*(github\.head_ref|github\.event\.(pull_request|issue|comment|review|head_commit|commits|discussion)\b"
    r"[^}]*\.(title|body|ref|label|message|name|email)\b)"
)
PINNED = re.compile(r"@[0-9a-f]{40}$|^\./|^docker://[^@]+@sha256:")


def jobs(found: Workflows) -> list[Job]:
    return [job for workflow in found for job in workflow.jobs]


def testers(found: Workflows, event: str) -> list[Job]:
    """Jobs that run tests at such an event, and fail when they do."""
    asked = [job for workflow in found if event in workflow.events for job in workflow.jobs]
    return [job for job in asked if TESTS.search(job.whole()) and not _ignores(job)]


def _ignores(job: Job) -> bool:
    tested = [step for step in job.steps if TESTS.search(job.with_scripts(str(step.get("run", ""))))]
    let_go = [step for step in tested if step.get("continue-on-error") is True or "|| true" in str(step.get("run"))]
    return job.raw.get("continue-on-error") is True or (bool(tested) and len(let_go) == len(tested))


def builders(found: Workflows) -> list[Job]:
    return [job for job in jobs(found) if BUILDS.search(job.whole()) or _acts(job, "build-push-action", "bake-action")]


def pushers(found: Workflows) -> list[Job]:
    return [job for job in builders(found) if PUSHES.search(job.whole()) or _pushes_by_action(job)]


def _acts(job: Job, *names: str) -> bool:
    return any(name in used for used in job.uses for name in names)


def _pushes_by_action(job: Job) -> bool:
    built = [step for step in job.steps if re.search("build-push-action|bake-action", str(step.get("uses", "")))]
    return any(str(step.get("with", {}).get("push", "")).lower() not in {"", "false"} for step in built)


def deployers(found: Workflows) -> list[Job]:
    """Into a cluster that stays, not one that the job makes for itself."""
    candidates = [job for job in jobs(found) if DEPLOYS.search(job.whole()) or _acts(job, "k8s-deploy")]
    return [job for job in candidates if not OWN_CLUSTER.search(job.runs) and not _acts(job, "kind-action")]


def unordered(found: Workflows) -> Iterator[str]:
    """Deployed though nothing was built before it."""
    built = {job.name for job in pushers(found)}
    after = {str(job.workflow.raw.get("name", job.workflow.path.name)) for job in pushers(found)}
    for job in deployers(found):
        waits = {other.name for other in job.workflow.before(job)} & built
        follows = set(_listed(job.workflow.events.get("workflow_run", {}))) & after
        if job.name not in built and not waits and not follows:
            yield f"{job} deploys, and waits for no job that pushes an image"


def _listed(how: Any) -> list[str]:
    return list(how.get("workflows", [])) if isinstance(how, dict) else []


def of_anybody(found: Workflows) -> Iterator[str]:
    """What a stranger's pull request sets going."""
    for job in deployers(found):
        events = job.workflow.events.keys() & {"pull_request", "pull_request_target"}
        if events and "if" not in job.raw:
            yield f"{job} deploys at {' and '.join(sorted(events))}"
    for workflow in found:
        if "pull_request_target" in workflow.events and "head.sha" in str(workflow.raw):
            yield f"{workflow.path.name} runs a stranger's code with your secrets"


def unnamed(found: Workflows) -> Iterator[str]:
    """An image whose name says nothing of its version: the next apply would change nothing."""
    for job in [*pushers(found), *deployers(found)]:
        if not VERSIONS.search(f"{job.raw}\n{job.whole()}"):
            yield f"{job} names no version"


def told_secrets(found: Workflows) -> Iterator[str]:
    """Secrets that stand in a command, or are printed."""
    for job in jobs(found):
        for step in (step for step in job.steps if "run" in step):
            run, known = str(step["run"]), {**(job.raw.get("env") or {}), **(step.get("env") or {})}
            yield from (f"{job} writes {secret} into a command" for secret in SECRET.findall(run))
            yield from (f"{job} prints {name}" for name in _secret(known) if _prints(run, name))


def _secret(variables: dict[str, Any]) -> list[str]:
    return [name for name, value in variables.items() if SECRET.search(str(value))]


def _prints(run: str, name: str) -> bool:
    """Whether a line shows it: what goes into a file, or into another program, is not shown."""
    shown = re.compile(rf"^\s*(echo|printf|cat)\b[^|>]*\$\{{?{name}\b[^|>]*$", re.MULTILINE)
    return bool(shown.search(run)) or (re.search(r"set -\w*x", run) is not None and f"${name}" in run.replace("{", ""))


def injected(found: Workflows) -> Iterator[str]:
    """A stranger's words in a command."""
    for job in jobs(found):
        if match := STRANGERS.search(job.runs):
            yield f"{job} runs {match[0]}, which a stranger writes"


def unpinned(found: Workflows) -> Iterator[str]:
    return (f"{job} uses {used}" for job in jobs(found) for used in job.uses if not PINNED.search(used))


def permitted(found: Workflows) -> Iterator[str]:
    """More than they need: everything, or what the repository's settings say."""
    for workflow in found:
        for job in workflow.jobs:
            given = job.raw.get("permissions", workflow.raw.get("permissions", "what the repository's settings say"))
            if isinstance(given, str) and given != "read-all":
                yield f"{job} may {given}"
        written = workflow.raw.get("permissions")
        if isinstance(written, dict) and len(workflow.jobs) > 1 and "write" in written.values():
            yield f"{workflow.path.name} lets all of its jobs write"


def hasty(found: Workflows) -> Iterator[str]:
    """Deployed, and not looked at."""
    return (f"{job} does not wait for the new version" for job in deployers(found) if not WAITS.search(job.whole()))
