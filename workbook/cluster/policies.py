"""Policies that hold for anybody's manifests: what belongs together is there, and what is secret is not in the open."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbook.cluster.manifests import Manifest, Manifests, Workload, fits

_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "": 1}
_SECRET = re.compile("PASSWORD|SECRET|TOKEN")


def amount(quantity: str) -> float:
    """Kubernetes' way to write amounts: 250m, 192Mi."""
    found = re.fullmatch(r"([\d.]+)(\D*)", str(quantity))
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{quantity} is no amount")
    return float(found[1]) * _UNITS[found[2]]


def endpoints(manifests: Manifests) -> Iterator[str]:
    """Each Service leads to pods of one maker, to ports that are open there."""
    for service in manifests.all("Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        if not spec.get("selector"):  # it stands for somebody outside
            continue
        chosen = [one for one in manifests.workloads() if fits({"matchLabels": spec["selector"]}, one.labels)]
        if len(chosen) != 1 or chosen[0].kind == "Job":
            yield f"Service/{name} leads to {[str(one) for one in chosen]}"
            continue
        there = chosen[0].ports()
        for target in (port.get("targetPort", port["port"]) for port in spec["ports"]):
            if there and target not in {*there, *there.values()}:
                yield f"Service/{name} leads to no port {target} of {chosen[0]}"


def rights(workload: Workload, container: Mapping[str, Any]) -> Iterator[str]:
    """What a container may that the restricted standard of pod security does not allow."""
    own: Mapping[str, Any] = container.get("securityContext", {})
    both = {**workload.pod.get("securityContext", {}), **own}
    if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
        yield "may get privileges"
    held = own.get("capabilities", {})
    if "ALL" not in held.get("drop", []) or set(held.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "has capabilities"
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "may be root"
    if both.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "may make any system call"


def may_go(budget: Mapping[str, Any], pods: int) -> int:
    """How many of so many pods a budget lets go at once."""
    if "maxUnavailable" in budget:
        return _part(budget["maxUnavailable"], pods)
    return pods - _part(budget.get("minAvailable", 1), pods)


def _part(written: int | str, pods: int) -> int:
    """A number of pods, or percent of them, rounded up as Kubernetes does."""
    return math.ceil(int(str(written).removesuffix("%")) * pods / 100) if isinstance(written, str) else written


def secrets_apart(manifests: Manifests) -> Iterator[str]:
    """No password stands where everybody may read it."""
    for one in manifests.all("ConfigMap"):
        yield from (f"ConfigMap holds {key}" for key in one.get("data") or {} if _SECRET.search(key.upper()))
    for workload in manifests.workloads():
        for variable in (v for c in workload.containers for v in c.get("env", [])):
            if _SECRET.search(variable["name"].upper()) and "value" in variable:
                yield f"{workload} has {variable['name']} in the open"


def references(manifests: Manifests) -> Iterator[str]:
    """Each ConfigMap, Secret and key that a pod names is there."""
    there = {(kind, o["metadata"]["name"]): o for kind in ("ConfigMap", "Secret") for o in manifests.all(kind)}
    for workload in manifests.workloads():
        for kind, name, key in _named(workload):
            found = there.get((kind, name))
            if found is None or (key and key not in _keys(found)):
                yield f"{workload} needs {kind} {name} {key or ''}"


def _keys(one: Manifest) -> set[str]:
    return {key for part in ("data", "binaryData", "stringData") for key in one.get(part) or {}}


def _named(workload: Workload) -> Iterator[tuple[str, str, str | None]]:
    for one in workload.containers:
        for source in one.get("envFrom", []):
            yield from _of(source, {"configMapRef": "ConfigMap", "secretRef": "Secret"})
        for variable in one.get("env", []):
            yield from _of(variable.get("valueFrom", {}), {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"})
    for volume in workload.pod.get("volumes", []):
        for source in volume.get("projected", {}).get("sources", [volume]):
            yield from _of(source, {"configMap": "ConfigMap", "secret": "Secret"})


def _of(source: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[tuple[str, str, str | None]]:
    for field, kind in kinds.items():
        if field in source and not source[field].get("optional"):
            named = source[field]
            yield kind, named.get("name") or named["secretName"], named.get("key")
