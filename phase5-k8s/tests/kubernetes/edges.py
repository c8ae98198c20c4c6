"""Who can reach whom by the NetworkPolicies of an overlay, as Kubernetes reads them; and who should, by the tables."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbook.cluster.manifests import COMPONENT, NAME, Manifests, Workload, fits
from workbook.phases import ROOT

Edge = tuple[str, str, str]  # from, to, name of the port
TABLES = [
    tomllib.loads((ROOT / where / "signals.toml").read_text()) for where in ("phase4-observability", "phase5-k8s")
]
CALLS = {(row["from"], row["to"]) for table in TABLES for row in table["calls"]}
OUTSIDE = Workload("somebody", "outside", {}, {"containers": []}, {NAME: "outside"})
KUBE_SYSTEM = {"kubernetes.io/metadata.name": "kube-system"}
DNS = Workload("somebody", "names", {}, {"containers": []}, {"k8s-app": "kube-dns"})
METRICS = "metrics"


def found(manifests: Manifests, direction: str) -> set[Edge]:
    """Each pair of pods and the port that one can reach at the other, as far as one side's policies say."""
    everybody = manifests.workloads()
    return {
        (who(one), who(other), name)
        for one in (everybody if direction == "Egress" else (*everybody, OUTSIDE))
        for other in everybody
        if one is not other
        for name, port in other.ports().items()
        if _allowed(manifests, direction, one, other, name, port)
    }


def wanted(manifests: Manifests, calls: set[tuple[str, str]] = CALLS) -> set[Edge]:
    """What the tables say of those who are there; from outside only the gateway is reached."""
    there = {who(one): one for one in manifests.workloads()}
    door = {("outside", "api-gateway", "http")}
    called = {(one, other, _served(there[other])) for one, other in calls if {one, other} <= there.keys()}
    migrated = {
        (f"{one}'s migration", other, _served(there[other]))
        for one, other in calls
        if other == "postgres" and f"{one}'s migration" in there
    }
    topics = {("metrics-consumer's topics", "kafka", "kafka")} & {(a, b, "kafka") for a in there for b in there}
    return door | called | migrated | topics | set(_signals(there))


def _signals(there: Mapping[str, Workload]) -> Iterator[Edge]:
    services = [name for name, one in there.items() if one.labels.get(COMPONENT) == "server"]
    for row in (row for table in TABLES for row in table.get("signals", [])):
        for one in services if row["from"] == "every-service" else [row["from"]]:
            for other in services if row["to"] == "every-service" else [row["to"]]:
                if {one, other} <= there.keys():
                    yield one, other, row["port"]


def nameless(manifests: Manifests) -> list[str]:
    """Those who cannot ask for the address of a name."""
    return [
        who(one)
        for one in manifests.workloads()
        if not all(_passes(_rules(manifests, one, "Egress"), DNS, "dns", 53, protocol) for protocol in ("UDP", "TCP"))
    ]


def who(one: Workload) -> str:
    name, component = one.labels[NAME], one.labels.get(COMPONENT)
    return f"{name}'s {component}" if one.kind == "Job" else name


def _served(one: Workload) -> str:
    (name,) = (name for name in one.ports() if name != METRICS)
    return name


def _allowed(manifests: Manifests, direction: str, one: Workload, other: Workload, name: str, port: int) -> bool:
    subject, peer = (one, other) if direction == "Egress" else (other, one)
    return _passes(_rules(manifests, subject, direction), peer, name, port)


def _rules(manifests: Manifests, pod: Workload, direction: str) -> list[Mapping[str, Any]] | None:
    """The rules for this pod, or None where no policy speaks of it: then all is allowed."""
    policies = [one["spec"] for one in manifests.all("NetworkPolicy") if fits(one["spec"]["podSelector"], pod.labels)]
    speaking = [policy for policy in policies if direction in policy["policyTypes"]]
    if not speaking:
        return None
    return [rule for policy in speaking for rule in policy.get(direction.lower(), [])]


def _passes(
    rules: Sequence[Mapping[str, Any]] | None, peer: Workload, name: str, port: int, protocol: str = "TCP"
) -> bool:
    return rules is None or any(_peer(rule, peer) and _port(rule, name, port, protocol) for rule in rules)


def _peer(rule: Mapping[str, Any], peer: Workload) -> bool:
    peers = rule.get("from", rule.get("to"))
    return peers is None or any(_chooses(one, peer) for one in peers)


def _chooses(chosen: Mapping[str, Any], peer: Workload) -> bool:
    if peer is OUTSIDE:
        return "ipBlock" in chosen or chosen.get("namespaceSelector") == {}
    elsewhere = "namespaceSelector" in chosen
    if elsewhere != (peer is DNS) or (elsewhere and not fits(chosen["namespaceSelector"], KUBE_SYSTEM)):
        return False
    return fits(chosen["podSelector"], peer.labels)


def _port(rule: Mapping[str, Any], name: str, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return ports is None or any(
        one.get("protocol", "TCP") == protocol and one.get("port", port) in (port, name) for one in ports
    )
