"""5.1 Kubernetes runs it."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import yaml
from checklist import running
from checklist.described import Described, kept_files, none_of
from checklist.described import described as read
from checklist.gateway import ADDITION

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run
from workbook.cluster import policies
from workbook.cluster.manifests import Manifests

KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
GIVEN = re.compile(r"^[A-Z_]*(PASSWORD|SECRET|TOKEN)[A-Z_]*=\S", re.MULTILINE)
LARGEST = 1_000_000  # bytes of a file that is looked into


def test_read(system: System) -> None:
    """Manifests can be read, or rendered."""
    read(system.folder("manifests"))


def test_deployments(described: Described) -> None:
    """Each of the roadmap's services has a Deployment."""
    none_of(described, running.deployed, "write a Deployment for each service")


def test_services(described: Described) -> None:
    """Services lead to the pods they are for."""
    none_of(described, running.led_to, "write a Service whose selector is the labels of the pods")
    none_of(described, policies.endpoints, "let selector and targetPort name labels and ports that the pods have")


def test_config_maps(described: Described) -> None:
    """Settings come from ConfigMaps that are there."""
    none_of(described, running.configured, "put settings into a ConfigMap, and take them with envFrom")
    none_of(described, _no_config_map, "name the ConfigMap as it is named, and keys that it has")


def _no_config_map(manifests: Manifests) -> Iterator[str]:
    return (problem for problem in policies.references(manifests) if "needs ConfigMap" in problem)


def test_probes(described: Described) -> None:
    """Each service is asked whether it lives, and whether it can work."""
    kinds = ("livenessProbe", "readinessProbe")
    none_of(described, partial(_probed, kinds), "add livenessProbe and readinessProbe to each container that serves")


def test_startup_probes(described: Described) -> None:
    """… and whether it has started."""
    if not any("startupProbe" in one for each in described.values() for _, one in running.served(each)):
        not_run(f"needs startupProbe: {ADDITION}")
    none_of(described, partial(_probed, ("startupProbe",)), "add startupProbe, so that a slow start is no fault")


def _probed(kinds: tuple[str, ...], manifests: Manifests) -> Iterator[str]:
    return running.probed(manifests, *kinds)


def test_liveness(described: Described) -> None:
    """Nobody is started again because somebody else is away."""
    none_of(described, running.blames_others, "let liveness ask the process alone, and readiness for the rest")


def test_resources(described: Described) -> None:
    """Each container says what it needs, and has a limit."""
    none_of(described, running.limited, "set requests of cpu and memory, and a limit of memory that is not below")


def test_autoscalers(described: Described) -> None:
    """Autoscalers scale what there is, with room to do so."""
    none_of(described, running.scaled, "write autoscaling/v2, a target that exists, minReplicas below maxReplicas")


def test_no_replicas(described: Described) -> None:
    """… and are not overruled by the next apply."""
    none_of(described, running.overruled, "leave replicas out of what an autoscaler scales")


def test_secrets_apart(described: Described) -> None:
    """No password stands in a ConfigMap, or in the open."""
    none_of(described, policies.secrets_apart, "take it from a Secret: valueFrom.secretKeyRef")


def test_secrets_in_git(system: System) -> None:
    """Git holds no secret."""
    folder = system.folder("manifests")
    if not folder.is_dir():
        not_run("needs the folder that git holds, not a file of what was rendered from it")
    found = [str(path.relative_to(folder)) for path in kept_files(folder) if _is_secret(path)]
    expect(
        not found,
        f"{', '.join(found[:3])} holds a secret, and git takes it",
        "make it elsewhere, and ignore it",
    )


def _is_secret(path: Path) -> bool:
    if path.stat().st_size > LARGEST:
        return False
    text = path.read_text(errors="replace")
    if KEY.search(text) or (path.suffix == ".env" and GIVEN.search(text)):
        return True
    return "kind: Secret" in text and any(
        one.get("kind") == "Secret" and (one.get("data") or one.get("stringData"))
        for one in yaml.safe_load_all(text)
        if isinstance(one, dict)
    )


def test_migrations(described: Described) -> None:
    """Databases are migrated by a Job that ends."""
    if not any(running.migrations(each) for each in described.values()):
        not_run(f"needs a Job that migrates: {ADDITION}")
    none_of(described, running.stays_for_ever, "give Jobs a deadline, ttlSecondsAfterFinished, OnFailure")


def test_pod_security(described: Described) -> None:
    """Pods may no more than the restricted standard allows."""
    if not any("securityContext" in str(each.objects) for each in described.values()):
        not_run(f"needs securityContext: {ADDITION}")
    none_of(described, running.allowed_too_much, "see kubernetes.io/docs/concepts/security/pod-security-standards")


def test_budgets(described: Described) -> None:
    """A node that is emptied takes one pod of a service at a time."""
    if not any(each.all("PodDisruptionBudget") for each in described.values()):
        not_run(f"needs PodDisruptionBudgets: {ADDITION}")
    none_of(described, running.kept_up, "maxUnavailable: 1, for each service with two pods and more")
