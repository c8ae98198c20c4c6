"""One version into the cluster that kubectl knows: what it stands on first, its Jobs, then its services.

1. everything but the services: the namespace, settings and secrets, PostgreSQL and Kafka, the version's Jobs
2. the Jobs have ended: the databases are as this version wants them, and the one before still gets on with them
3. the services, pod by pod; if they do not become ready, back to what ran
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from workbook.cluster.kubectl import KubectlFailed, asked, kubectl
from workbook.cluster.overlays import NAMESPACE, overlay, rendered
from workbook.cluster.revisions import histories
from workbook.terminal import console

_VERSION = "app.kubernetes.io/version"
_SERVICES = "app.kubernetes.io/component=server"
_EVERYTHING_ELSE = "app.kubernetes.io/component!=server"
_APPLY = ("apply", "--server-side", "--force-conflicts", "--filename=-")  # what we write is ours, also after `undo`


class NotDeployed(Exception):
    """The version did not become ready, and what ran before runs; the text names who did not go back."""


class CannotGoBack(Exception):
    """There is no version to go back to, or not every service did; the text says which."""


def deploy(name: str, patience: int = 600) -> None:
    """Returns when every pod of the version is ready. `patience` is in seconds, once for Jobs and once for services."""
    manifests = rendered(overlay(name))
    version = version_of(manifests)
    console.print(f"{name}: version {version}, first what its services stand on")
    _delete_failed_jobs(version)
    kubectl(*_APPLY, f"--selector={_EVERYTHING_ELSE}", given=manifests)
    _wait_for_jobs(version, patience)
    console.print("its services, pod by pod")
    running = {service: history.now for service, history in histories(_SERVICES).items()}
    try:
        kubectl(*_APPLY, given=manifests)
        _wait_for_services(patience)
    except KubectlFailed as failed:
        stuck = _go_back(running)
        said = f"version {version} did not become ready; see kubectl -n {NAMESPACE} get pods"
        raise NotDeployed(f"{said}. {_told(stuck)}" if stuck else said) from failed


def go_back() -> None:
    """The version before, of every service that has not gone back yet. Databases stay: it gets on with them.

    No further than that: what is older does not know what the newest version made of the databases.
    """
    before = {service: history.before for service, history in histories(_SERVICES).items()}
    revisions = {service: revision for service, revision in before.items() if revision is not None}
    if not revisions:
        raise CannotGoBack("there is no version to go back to: the newest was taken back already, or it is the first")
    if stuck := _go_back(revisions):
        raise CannotGoBack(_told(stuck))
    _wait_for_services(600)


def version_of(manifests: str) -> str:
    """The one version that all rendered objects are of; one that reads like a number stands in quotes there."""
    versions: set[str] = set(re.findall(rf'{re.escape(_VERSION)}: "?([^\s"]+)', manifests))
    if len(versions) != 1:
        raise NotDeployed(f"all objects must be of one version, not of {sorted(versions) or 'none'}")
    return versions.pop()


def _delete_failed_jobs(version: str) -> None:
    """What failed once would stay so for a day: `apply` finds nothing to change in it, and no pod tries again."""
    jobs = json.loads(asked("get", "jobs", f"--selector={_VERSION}={version}", "--output=json"))["items"]
    if failed := [job["metadata"]["name"] for job in jobs if _has_failed(job)]:
        kubectl("--namespace", NAMESPACE, "delete", "job", *failed)


def _has_failed(job: Mapping[str, Any]) -> bool:
    conditions = job.get("status", {}).get("conditions", [])
    return any(one["type"] == "Failed" and one["status"] == "True" for one in conditions)


def _wait_for_jobs(version: str, patience: int) -> None:
    these = f"--selector={_VERSION}={version}"
    try:
        kubectl("--namespace", NAMESPACE, "wait", "job", these, "--for=condition=Complete", f"--timeout={patience}s")
    except KubectlFailed as failed:
        raise NotDeployed(f"a Job did not end; see kubectl -n {NAMESPACE} logs --selector=job-name") from failed


def _wait_for_services(patience: int) -> None:
    kubectl(
        "--namespace", NAMESPACE, "rollout", "status", "deployment", f"--selector={_SERVICES}", f"--timeout={patience}s"
    )


def _go_back(revisions: Mapping[str, int]) -> Sequence[str]:
    """Each of these services to its revision; returns those that could not, and leaves none untried."""
    return [service for service, revision in revisions.items() if not _goes_back(service, revision)]


def _goes_back(service: str, revision: int) -> bool:
    try:
        kubectl("--namespace", NAMESPACE, "rollout", "undo", f"deployment/{service}", f"--to-revision={revision}")
    except KubectlFailed:
        return False
    return True


def _told(stuck: Sequence[str]) -> str:
    return f"{', '.join(stuck)} did not go back; see kubectl -n {NAMESPACE} rollout history deployment"
