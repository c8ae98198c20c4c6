"""Rendered manifests, and questions about them that every policy asks, and every check of anybody's own."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Manifest = dict[str, Any]
Labels = Mapping[str, str]
NAME, COMPONENT, VERSION = (f"app.kubernetes.io/{what}" for what in ("name", "component", "version"))
ABSENT = object()
_READER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is there


class NoSuchObject(Exception):
    """None of this kind has this name, or several have; the text says how many."""


@dataclass(frozen=True)
class Workload:
    """Whatever makes pods: a Deployment, a StatefulSet, a Job."""

    kind: str
    name: str
    spec: Manifest
    pod: Manifest
    labels: Labels  # of its pods

    @property
    def containers(self) -> Sequence[Manifest]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    def ports(self) -> dict[str, int]:
        """The open ports by their names; those without one by their numbers."""
        opened = [port for one in self.containers for port in one.get("ports", [])]
        return {port.get("name", str(port["containerPort"])): port["containerPort"] for port in opened}

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Manifests:
    """The objects of one overlay."""

    def __init__(self, objects: Sequence[Manifest]) -> None:
        self.objects = objects

    @classmethod
    def of(cls, text: str) -> "Manifests":
        read = [one for one in yaml.load_all(text, _READER) if isinstance(one, dict)]
        found = [item for one in read for item in (one.get("items", []) if one.get("kind") == "List" else [one])]
        return cls([one for one in found if one.get("kind") and one.get("metadata", {}).get("name")])

    def all(self, kind: str) -> list[Manifest]:
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str, name: str) -> Manifest:
        """The object of this name, with or without the hash or the version behind it."""
        found = [o for o in self.all(kind) if o["metadata"]["name"] == name] or [
            o for o in self.all(kind) if o["metadata"]["name"].rpartition("-")[0] == name
        ]
        if len(found) != 1:
            raise NoSuchObject(f"{len(found)} of {kind}/{name}")
        return found[0]

    def workloads(self, *kinds: str) -> list[Workload]:
        return [_workload(one) for kind in kinds or ("Deployment", "StatefulSet", "Job") for one in self.all(kind)]

    def changed(self, where: str, path: str, value: Any) -> "Manifests":
        """A copy in which one field of one object is another.

        `where` is Kind/name, `path` has spaces between its steps (into a list: a number, or a name), and ABSENT takes
        the field away.
        """
        other = Manifests(copy.deepcopy(self.objects))
        kind, _, name = where.partition("/")
        *above, last = path.split()
        field: Any = other.one(kind, name)
        for step in above:
            field = field[_key(field, step)]
        last = _key(field, last)
        if value is ABSENT:
            del field[last]
        else:
            field[last] = value
        return other

    def settings(self) -> dict[str, str]:
        values: dict[str, str] = self.one("ConfigMap", "settings")["data"]
        return values

    def replicas(self, workload: Workload) -> tuple[int, int]:
        """The least and the most pods there are of it while nothing is rolled out."""
        for scaler in self.all("HorizontalPodAutoscaler"):
            if scaler["spec"]["scaleTargetRef"]["name"] == workload.name:
                return scaler["spec"].get("minReplicas", 1), scaler["spec"]["maxReplicas"]
        fixed = workload.spec.get("replicas", 1)
        return fixed, fixed


def fits(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Whether a LabelSelector chooses these labels; an empty one chooses all."""
    same = selector.get("matchLabels", {}).items() <= labels.items()
    return same and all(_holds(one, labels) for one in selector.get("matchExpressions", []))


def _key(field: Any, step: str) -> Any:
    if isinstance(field, list):
        return int(step) if step.isdecimal() else [one["name"] for one in field].index(step)
    return step


def _holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values", [])
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]


def _workload(one: Manifest) -> Workload:
    template = one["spec"]["template"]
    return Workload(
        one["kind"], one["metadata"]["name"], one["spec"], template["spec"], template["metadata"].get("labels", {})
    )


def containers(manifests: Manifests, *kinds: str) -> Iterator[tuple[Workload, Manifest]]:
    return ((workload, one) for workload in manifests.workloads(*kinds) for one in workload.containers)
