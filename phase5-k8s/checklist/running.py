"""What anybody's manifests have to say so that a service is run well: probes, resources, autoscalers, budgets, Jobs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbook.cluster.manifests import Manifests, Workload, containers, fits
from workbook.cluster.policies import amount, may_go, rights

SERVICES = ("booking", "event", "metrics")
"""The roadmap's services: a part of each one's name."""
NOT_READY = re.compile(r"read(y|iness)", re.IGNORECASE)
OTHERS = re.compile(r"psql|pg_isready|kafka|redis-cli|nc -z|curl .*(postgres|kafka)")


def deployed(manifests: Manifests) -> Iterator[str]:
    names = [one.name for one in manifests.workloads("Deployment", "StatefulSet")]
    yield from (f"no Deployment runs {part}-*" for part in SERVICES if not any(part in name for name in names))


def led_to(manifests: Manifests) -> Iterator[str]:
    for one in _called(manifests):
        chosen = [s for s in manifests.all("Service") if s["spec"].get("selector", {}).items() <= one.labels.items()]
        if not chosen:
            yield f"no Service leads to {one}"


def configured(manifests: Manifests) -> Iterator[str]:
    """By a ConfigMap, at least in part."""
    if not manifests.all("ConfigMap"):
        yield "there is no ConfigMap"
    for one in _called(manifests):
        if "configMap" not in str([one.containers, one.pod.get("volumes", [])]):
            yield f"{one} takes nothing from a ConfigMap"


def probed(manifests: Manifests, *kinds: str) -> Iterator[str]:
    for one, container in served(manifests):
        yield from (f"{one} has no {kind}" for kind in kinds if kind not in container)


def blames_others(manifests: Manifests) -> Iterator[str]:
    """Started again though it is well: it asks what others do, or what tells whether it can work."""
    for one, container in served(manifests):
        alive: Mapping[str, Any] = container.get("livenessProbe", {})
        ready: Mapping[str, Any] = container.get("readinessProbe", {})
        path = alive.get("httpGet", {}).get("path", "")
        named = alive.get("grpc", {}).get("service")
        same = named and named == ready.get("grpc", {}).get("service")
        if same or NOT_READY.search(path) or OTHERS.search(" ".join(alive.get("exec", {}).get("command", []))):
            yield f"{one}'s livenessProbe asks for what it depends on"


def limited(manifests: Manifests) -> Iterator[str]:
    for one, container in containers(manifests, "Deployment", "StatefulSet"):
        given = container.get("resources", {})
        asked, most = given.get("requests", {}), given.get("limits", {})
        if "memory" not in most:
            yield f"{one} has no limit of memory"
        elif "cpu" not in asked and "cpu" not in most:
            yield f"{one} asks for no CPU"
        elif amount(asked.get("memory", most["memory"])) > amount(most["memory"]):
            yield f"{one} asks for more memory than its limit"


def scaled(manifests: Manifests) -> Iterator[str]:
    scalers = manifests.all("HorizontalPodAutoscaler")
    if not scalers:
        yield "there is no HorizontalPodAutoscaler"
    makers = {one.name: one for one in manifests.workloads("Deployment", "StatefulSet")}
    for scaler in scalers:
        name, spec = f"HorizontalPodAutoscaler/{scaler['metadata']['name']}", scaler["spec"]
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        if scaler.get("apiVersion") not in {"autoscaling/v1", "autoscaling/v2"}:
            yield f"{name} is of {scaler.get('apiVersion')}, which Kubernetes does not know any more"
        if spec["scaleTargetRef"]["name"] not in makers:
            yield f"{name} scales {spec['scaleTargetRef']['name']}, and there is none"
        if not least < most:
            yield f"{name} goes from {least} to {most}"


def overruled(manifests: Manifests) -> Iterator[str]:
    """Each `apply` undoes what its autoscaler decided."""
    targets = {one["spec"]["scaleTargetRef"]["name"] for one in manifests.all("HorizontalPodAutoscaler")}
    for one in manifests.workloads("Deployment", "StatefulSet"):
        if one.name in targets and "replicas" in one.spec:
            yield f"{one} sets replicas, and its autoscaler decides"


def kept_up(manifests: Manifests) -> Iterator[str]:
    """A node can be emptied, and never takes all pods of a service at once."""
    for one in _called(manifests):
        least, _ = manifests.replicas(one)
        budgets = [b for b in manifests.all("PodDisruptionBudget") if fits(b["spec"].get("selector", {}), one.labels)]
        if least > 1 and not budgets:
            yield f"no PodDisruptionBudget keeps pods of {one}"
        for gone in (may_go(budget["spec"], least) for budget in budgets):
            if not 1 <= gone < max(least, 2):
                yield f"the budget of {one} lets {gone} of {least} go"


def migrations(manifests: Manifests) -> list[Workload]:
    """Jobs that say of themselves that they migrate."""
    return [one for one in manifests.workloads("Job") if re.search("migrat", f"{one.name} {one.containers}")]


def stays_for_ever(manifests: Manifests) -> Iterator[str]:
    """A Job that has run cannot be changed, and one that hangs holds up its version."""
    for one in manifests.workloads("Job"):
        notes = manifests.one("Job", one.name)["metadata"].get("annotations", {})
        if "activeDeadlineSeconds" not in one.spec and one.spec.get("backoffLimit") is None:
            yield f"{one} has neither activeDeadlineSeconds nor backoffLimit"
        if "ttlSecondsAfterFinished" not in one.spec and not any("hook" in key for key in notes):
            yield f"{one} stays when it is done, and cannot be applied again"
        if "livenessProbe" in str(one.containers) or one.pod.get("restartPolicy") not in {"OnFailure", "Never"}:
            yield f"{one} is run as if it were to stay"


def allowed_too_much(manifests: Manifests) -> Iterator[str]:
    for one, container in containers(manifests):
        yield from (f"{one} {wrong}" for wrong in rights(one, container))
        if {"hostNetwork", "hostPID", "hostIPC"} & {key for key, value in one.pod.items() if value}:
            yield f"{one} shares something with its node"
        if any("hostPath" in volume for volume in one.pod.get("volumes", [])):
            yield f"{one} sees files of its node"


def served(manifests: Manifests) -> Iterator[tuple[Workload, Mapping[str, Any]]]:
    """The first container of each Deployment: those beside it help."""
    return ((one, one.pod["containers"][0]) for one in manifests.workloads("Deployment"))


def _called(manifests: Manifests) -> list[Workload]:
    """The roadmap's services that answer calls."""
    makers = manifests.workloads("Deployment", "StatefulSet")
    return [one for one in makers if any(part in one.name for part in SERVICES[:2])]
