"""One version into the cluster that kubectl knows: what it stands on first, its Jobs, then its services.

1. everything but the services: the namespace, settings and secrets, PostgreSQL and Kafka, the version's Jobs
2. the Jobs have ended: the databases are as this version wants them, and the one before still gets on with them
3. the services, pod by pod; if they do not become ready, back to the version before
"""

import re

from workbook.cluster.kubectl import KubectlFailed, asked, kubectl
from workbook.cluster.overlays import NAMESPACE, overlay, rendered
from workbook.terminal import console

_VERSION = "app.kubernetes.io/version"
_SERVICES = "app.kubernetes.io/component=server"
_EVERYTHING_ELSE = "app.kubernetes.io/component!=server"
_APPLY = ("apply", "--server-side", "--force-conflicts", "--filename=-")  # what we write is ours, also after `undo`


class NotDeployed(Exception):
    """The version did not become ready, and the one before runs; the text says what to look at."""


def deploy(name: str, patience: int = 600) -> None:
    """Returns when every pod of the version is ready. `patience` is in seconds, once for Jobs and once for services."""
    manifests = rendered(overlay(name))
    version = version_of(manifests)
    console.print(f"{name}: version {version}, first what its services stand on")
    kubectl(*_APPLY, f"--selector={_EVERYTHING_ELSE}", given=manifests)
    _wait_for_jobs(version, patience)
    console.print("its services, pod by pod")
    known = _deployments()
    kubectl(*_APPLY, given=manifests)
    try:
        _wait_for_services(patience)
    except KubectlFailed as failed:
        _go_back(known)
        raise NotDeployed(f"version {version} did not become ready; see kubectl -n {NAMESPACE} get pods") from failed


def go_back() -> None:
    """The version before, of every service. Databases stay as they are: that version gets on with them."""
    _go_back(_deployments())
    _wait_for_services(600)


def version_of(manifests: str) -> str:
    """The one version that all rendered objects are of; one that reads like a number stands in quotes there."""
    versions: set[str] = set(re.findall(rf'{re.escape(_VERSION)}: "?([^\s"]+)', manifests))
    if len(versions) != 1:
        raise NotDeployed(f"all objects must be of one version, not of {sorted(versions) or 'none'}")
    return versions.pop()


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


def _deployments() -> list[str]:
    """The services that have a version before the next."""
    return asked("get", "deployment", f"--selector={_SERVICES}", "--output=name").split()


def _go_back(deployments: list[str]) -> None:
    for deployment in deployments:
        kubectl("--namespace", NAMESPACE, "rollout", "undo", deployment)
