"""What every overlay keeps to; and for each rule a manifest that breaks it, and is noticed."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.kubernetes import pods, whole

from workbook.cluster import policies
from workbook.cluster.manifests import ABSENT, NAME, VERSION, Manifests

Policy = Callable[[Manifests], Iterator[str]]
POLICIES: list[Policy] = [
    pods.resources, pods.hardened, pods.images, pods.probes, pods.ends, policies.references,
    whole.selectors, policies.endpoints, whole.balanced, whole.scaling, whole.budgets, whole.rollouts, whole.jobs,
    whole.connections, policies.secrets_apart, whole.confined,
]  # fmt: skip

BOOKING, GATEWAY, EVENT, KAFKA, JOB = (
    "Deployment/booking-service",
    "Deployment/api-gateway",
    "Service/event-service",
    "StatefulSet/kafka",
    "Job/kafka-topics",
)
HPA, PDB, SETTINGS, NS = (
    "HorizontalPodAutoscaler/api-gateway", "PodDisruptionBudget/api-gateway", "ConfigMap/settings", "Namespace/tickets",
)  # fmt: skip
POD, ONE = "spec template spec", "spec template spec containers 0"
MISTAKES: list[tuple[Policy, str, str, Any, str]] = [
    (pods.resources, BOOKING, f"{ONE} resources", ABSENT, "asks for no CPU"),
    (pods.resources, JOB, f"{ONE} resources requests memory", ABSENT, "or no memory"),
    (pods.resources, BOOKING, f"{ONE} resources limits memory", "10Mi", "below what it asks for"),
    (pods.resources, KAFKA, f"{ONE} resources limits cpu", "1", "held back"),
    (pods.hardened, KAFKA, f"{ONE} securityContext readOnlyRootFilesystem", ABSENT, "may write to its root"),
    (pods.hardened, BOOKING, f"{ONE} securityContext allowPrivilegeEscalation", True, "may get privileges"),
    (pods.hardened, BOOKING, f"{ONE} securityContext privileged", True, "may get privileges"),
    (pods.hardened, BOOKING, f"{ONE} securityContext capabilities add", ["NET_ADMIN"], "has capabilities"),
    (pods.hardened, JOB, f"{POD} securityContext runAsNonRoot", ABSENT, "may be root"),
    (pods.hardened, JOB, f"{POD} securityContext runAsUser", 0, "may be root"),
    (pods.hardened, BOOKING, f"{POD} securityContext seccompProfile", ABSENT, "any system call"),
    (pods.hardened, BOOKING, f"{POD} hostNetwork", True, "shares something"),
    (pods.hardened, BOOKING, f"{POD} volumes 0", {"name": "tmp", "hostPath": {"path": "/"}}, "sees files"),
    (pods.hardened, BOOKING, f"{POD} automountServiceAccountToken", True, "holds a token"),
    (pods.hardened, KAFKA, f"{POD} enableServiceLinks", ABSENT, "variables by the names"),
    (pods.images, KAFKA, f"{ONE} image", "apache/kafka:latest", "another image tomorrow"),
    (pods.images, KAFKA, f"{ONE} image", "apache/kafka", "another image tomorrow"),
    (pods.images, KAFKA, f"{ONE} image", "apache/kafka:4", "no exact version"),
    (pods.images, BOOKING, f"{ONE} image", "ticket-workbook/booking-service:phase4", "is not of version"),
    (pods.probes, BOOKING, f"{ONE} startupProbe", ABSENT, "no startupProbe"),
    (pods.probes, KAFKA, f"{ONE} livenessProbe", ABSENT, "no livenessProbe"),
    (pods.probes, BOOKING, f"{ONE} livenessProbe grpc service", "booking.BookingService", "started again when"),
    (pods.probes, BOOKING, f"{ONE} readinessProbe grpc service", ABSENT, "ready before it can work"),
    (pods.probes, GATEWAY, f"{ONE} livenessProbe httpGet path", "/openz", "started again when"),
    (pods.probes, GATEWAY, f"{ONE} readinessProbe httpGet path", "/healthz", "ready before it can work"),
    (pods.probes, GATEWAY, f"{ONE} readinessProbe httpGet path", "/readyz", "shut to all when one service"),
    (pods.ends, BOOKING, f"{ONE} lifecycle", ABSENT, "before its address is gone"),
    (pods.ends, BOOKING, f"{POD} terminationGracePeriodSeconds", 10, "killed before its calls"),
    (pods.ends, SETTINGS, "data DRAIN_DELAY", ABSENT, "who keep a connection"),
    (pods.ends, SETTINGS, "data STOP_GRACE", "60", "killed before its calls"),
    (policies.references, BOOKING, f"{ONE} env 0 valueFrom secretKeyRef key", "PGPASSWORD", "needs Secret"),
    (policies.references, BOOKING, f"{ONE} envFrom 0 configMapRef name", "settings", "needs ConfigMap"),
    (whole.selectors, BOOKING, "spec selector matchLabels", {}, "selects the pods of"),
    (whole.selectors, BOOKING, f"spec selector matchLabels {VERSION}", "phase5", "lose its pods"),
    (whole.selectors, KAFKA, f"spec template metadata labels {VERSION}", "phase5", "start anew with each version"),
    (policies.endpoints, EVENT, f"spec selector {NAME}", "events", "leads to []"),
    (policies.endpoints, EVENT, "spec ports 0 targetPort", "http", "leads to no port http"),
    (policies.endpoints, "Service/booking-service", "spec selector", {NAME: "booking-service"}, "Job/booking-migrate"),
    (whole.balanced, EVENT, "spec clusterIP", ABSENT, "all calls of a connection"),
    (whole.balanced, SETTINGS, "data EVENT_ADDRESS", "event-service:50052", "no dns:/// name"),
    (whole.balanced, SETTINGS, "data EVENT_ADDRESS", "dns:///event-service:50051", "no dns:/// name"),
    (whole.balanced, SETTINGS, "data GRPC_MAX_CONNECTION_AGE", ABSENT, "waits for minutes"),
    (whole.scaling, HPA, "spec scaleTargetRef name", "gateway", "scales nobody"),
    (whole.scaling, HPA, "spec minReplicas", 1, "goes from 1"),
    (whole.scaling, HPA, "spec maxReplicas", 2, "goes from"),
    (whole.scaling, HPA, "spec behavior scaleDown", ABSENT, "no behaviour"),
    (whole.scaling, BOOKING, "spec replicas", 3, "its autoscaler decides"),
    (whole.budgets, PDB, "spec selector matchLabels", {NAME: "gateway"}, "0 budgets"),
    (whole.budgets, PDB, "spec maxUnavailable", 0, "lets 0 of"),
    (whole.budgets, PDB, "spec maxUnavailable", 3, "lets 3 of"),
    (whole.budgets, PDB, "spec unhealthyPodEvictionPolicy", "IfHealthyBudget", "no node can be emptied while"),
    (whole.rollouts, BOOKING, "spec strategy", ABSENT, "before a new one is ready"),
    (whole.rollouts, BOOKING, f"{POD} topologySpreadConstraints 0 matchLabelKeys", ABSENT, "all be on one node"),
    (whole.rollouts, BOOKING, f"{POD} topologySpreadConstraints 0 nodeTaintsPolicy", ABSENT, "nodes that take none"),
    (whole.jobs, JOB, "metadata name", "kafka-topics-phase4", "not named by its version"),
    (whole.jobs, JOB, "spec activeDeadlineSeconds", ABSENT, "may stay for ever"),
    (whole.jobs, "Job/user-migrate", f"spec template metadata labels {NAME}", "users", "nobody migrates user-service"),
    (whole.connections, SETTINGS, "data DB_POOL_SIZE", "40", "connections are asked for"),
    (policies.secrets_apart, SETTINGS, "data DB_PASSWORD", "1234", "ConfigMap holds DB_PASSWORD"),
    (policies.secrets_apart, BOOKING, f"{ONE} env 0", {"name": "DB_PASSWORD", "value": "1234"}, "in the open"),
    (whole.confined, NS, "metadata labels pod-security.kubernetes.io/enforce", "baseline", "lets any pod in"),
    (whole.confined, NS, "metadata labels pod-security.kubernetes.io/enforce-version", "latest", "changes with"),
    (whole.confined, EVENT, "metadata namespace", "default", "another namespace"),
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_every_overlay_keeps_to_it(policy: Policy, overlay: Manifests) -> None:
    assert list(policy(overlay)) == []


@pytest.mark.parametrize(
    ("policy", "where", "path", "value", "said"),
    MISTAKES,
    ids=[f"{number}-{mistake[0].__name__}" for number, mistake in enumerate(MISTAKES)],
)
def test_what_breaks_it_is_noticed(
    policy: Policy, where: str, path: str, value: Any, said: str, dev: Manifests
) -> None:
    assert any(said in problem for problem in policy(dev.changed(where, path, value)))


def test_each_policy_has_a_mistake_of_its_own() -> None:
    assert set(POLICIES) == {mistake[0] for mistake in MISTAKES}


def test_an_object_that_nobody_writes_is_no_proof(dev: Manifests) -> None:
    """The policies about pods see every pod there is: each maker of pods is of a kind they ask for."""
    asked = {"Deployment", "StatefulSet", "Job"}
    assert {one["kind"] for one in dev.objects if "template" in one.get("spec", {})} == asked
    assert not set(itertools.chain(*map(dev.all, ("Pod", "DaemonSet", "ReplicaSet", "CronJob"))))
