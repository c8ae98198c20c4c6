"""Policies about single pods: what each may use, may do, and has to tell."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.kubernetes.manifests import COMPONENT, VERSION, Manifests, Workload, containers

_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "m": 1e-3, "": 1}
_OURS = "ticket-workbook/"
_AT_REST = ("startupProbe", "livenessProbe", "readinessProbe")
_LEFT = 5  # seconds at the end, for what Kafka and the collector still have to be told


def amount(quantity: str) -> float:
    """Kubernetes' way to write amounts: 250m, 192Mi."""
    number, unit = re.fullmatch(r"([\d.]+)(\D*)", str(quantity)).groups()
    return float(number) * _UNITS[unit]


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
        pod, own = workload.pod.get("securityContext", {}), one.get("securityContext", {})
        yield from (f"{workload}: {wrong}" for wrong in _rights(pod, own))
        if {"hostNetwork", "hostPID", "hostIPC"} & workload.pod.keys():
            yield f"{workload} shares something with its node"
        if any("hostPath" in volume for volume in workload.pod.get("volumes", [])):
            yield f"{workload} sees files of its node"
        if workload.pod.get("automountServiceAccountToken") is not False:
            yield f"{workload} holds a token of Kubernetes"
        if workload.pod.get("enableServiceLinks") is not False:
            yield f"{workload} gets variables by the names of Services"


def _rights(pod: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    if own.get("readOnlyRootFilesystem") is not True:
        yield "may write to its root"
    if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
        yield "may get privileges"
    if own.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"
    if pod.get("runAsNonRoot") is not True or not pod.get("runAsUser"):
        yield "may be root"
    if pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "may make any system call"


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
        if "service" in alive.get("grpc", {}) or "/readyz" in str(alive):
            yield f"{workload} is started again when its database is away"
        if "service" not in ready.get("grpc", {}) and "/readyz" not in str(ready):
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
        if workload.pod.get("terminationGracePeriodSeconds", 30) < pause + grace + _LEFT:
            yield f"{workload} is killed before its calls have ended"


def references(manifests: Manifests) -> Iterator[str]:
    """Each ConfigMap, Secret and key that a pod names is there."""
    there = {(kind, o["metadata"]["name"]): o for kind in ("ConfigMap", "Secret") for o in manifests.all(kind)}
    for workload in manifests.workloads():
        for kind, name, key in _named(workload):
            found = there.get((kind, name))
            if found is None or (key and key not in {**found.get("data", {}), **found.get("stringData", {})}):
                yield f"{workload} needs {kind} {name} {key or ''}"


def _named(workload: Workload) -> Iterator[tuple[str, str, str | None]]:
    for one in workload.containers:
        for source in one.get("envFrom", []):
            yield from _of(source, configMapRef="ConfigMap", secretRef="Secret")
        for variable in one.get("env", []):
            yield from _of(variable.get("valueFrom", {}), configMapKeyRef="ConfigMap", secretKeyRef="Secret")
    for volume in workload.pod.get("volumes", []):
        for source in volume.get("projected", {}).get("sources", [volume]):
            yield from _of(source, configMap="ConfigMap", secret="Secret")


def _of(source: Mapping[str, Any], **kinds: str) -> Iterator[tuple[str, str, str | None]]:
    for field, kind in kinds.items():
        if field in source:
            named = source[field]
            yield kind, named.get("name") or named["secretName"], named.get("key")
