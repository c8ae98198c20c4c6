"""Policies about single pods: what each may use, may do, and has to tell."""

import re
from collections.abc import Iterator

from workbook.cluster.manifests import COMPONENT, VERSION, Manifests, containers
from workbook.cluster.policies import amount, rights

_OURS = "ticket-workbook/"
_AT_REST = ("startupProbe", "livenessProbe", "readinessProbe")
_NOT_ALONE = {"/readyz", "/openz"}  # what the gateway answers there depends on others
_LEFT = 5  # seconds at the end, for what Kafka and the collector still have to be told


def resources(manifests: Manifests) -> Iterator[str]:
    """Each says what it needs, so that the scheduler and the autoscaler can count, and what memory it gets at most."""
    for workload, one in containers(manifests):
        asked, most = (one.get("resources", {}).get(what, {}) for what in ("requests", "limits"))
        if "cpu" not in asked or "memory" not in asked:
            yield f"{workload} asks for no CPU or no memory"
        elif "memory" not in most or amount(most["memory"]) < amount(asked["memory"]):
            yield f"{workload} has no limit of memory, or one below what it asks for"
        elif "cpu" in most:
            yield f"{workload} is held back by a limit of CPU"


def hardened(manifests: Manifests) -> Iterator[str]:
    """Nobody is root, may become it, writes to its own program, or sees the machine below."""
    for workload, one in containers(manifests):
        yield from (f"{workload}: {wrong}" for wrong in rights(workload, one))
        if one.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{workload} may write to its root"
        if not workload.pod.get("securityContext", {}).get("runAsUser"):
            yield f"{workload} does not say as whom it runs"
        if {"hostNetwork", "hostPID", "hostIPC"} & workload.pod.keys():
            yield f"{workload} shares something with its node"
        if any("hostPath" in volume for volume in workload.pod.get("volumes", [])):
            yield f"{workload} sees files of its node"
        if workload.pod.get("automountServiceAccountToken") is not False:
            yield f"{workload} holds a token of Kubernetes"
        if workload.pod.get("enableServiceLinks") is not False:
            yield f"{workload} gets variables by the names of Services"


def images(manifests: Manifests) -> Iterator[str]:
    """One image today and tomorrow: a digest, or a whole version; ours are of the version that the pods name."""
    for workload, one in containers(manifests):
        _, _, tag = one["image"].partition("@")[0].rpartition("/")[2].partition(":")
        named = workload.labels.get(VERSION)
        if not tag or tag == "latest":
            yield f"{workload}: {one['image']} may be another image tomorrow"
        elif named is None and not re.match(r"v?\d+\.\d+", tag):
            yield f"{workload}: {one['image']} has no exact version"
        elif named is not None and tag != named:
            yield f"{workload}: {one['image']} is not of version {named}"


def probes(manifests: Manifests) -> Iterator[str]:
    """Whoever serves is asked three things; whether it is alive depends on nobody else."""
    for workload, one in containers(manifests, "Deployment", "StatefulSet"):
        yield from (f"{workload} has no {probe}" for probe in _AT_REST if probe not in one)
        alive, ready = one.get("livenessProbe", {}), one.get("readinessProbe", {})
        if workload.labels.get(COMPONENT) != "server":
            continue
        if "service" in alive.get("grpc", {}) or alive.get("httpGet", {}).get("path") in _NOT_ALONE:
            yield f"{workload} is started again when its database is away"
        path = ready.get("httpGet", {}).get("path")
        if path == "/readyz":
            yield f"{workload} is shut to all when one service behind it is away"
        elif "service" not in ready.get("grpc", {}) and path != "/openz":
            yield f"{workload} is called ready before it can work"


def ends(manifests: Manifests) -> Iterator[str]:
    """Nobody is called while he goes, and what is under way may end."""
    grace = float(manifests.settings()["STOP_GRACE"]) + float(manifests.settings().get("DRAIN_DELAY", 0))
    for workload in manifests.workloads("Deployment"):
        if workload.labels[COMPONENT] != "server":
            continue
        (one,) = workload.containers
        pause = one.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if not pause:
            yield f"{workload} stops before its address is gone"
        if float(manifests.settings().get("DRAIN_DELAY", 0)) < 1:
            yield f"{workload} stops before those who keep a connection have heard of it"
        if workload.pod.get("terminationGracePeriodSeconds", 30) < pause + grace + _LEFT:
            yield f"{workload} is killed before its calls have ended"
