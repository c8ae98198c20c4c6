"""This workbook's own manifests with a mistake in them, or a few; and the words that the board must say."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from workbook.cluster.manifests import ABSENT, Manifests

BOOKING, EVENT = "Deployment/booking-service", "Deployment/event-service"
POD, ONE = "spec template spec", "spec template spec containers 0"
HPA, BUDGET, JOB = "HorizontalPodAutoscaler/", "PodDisruptionBudget/", "Job/booking-migrate"
Change = tuple[str, str, Any]
Wrong = tuple[list[Change], list[str]]

CHANGED: Mapping[str, Wrong] = {
    "leads nowhere": (
        [("Service/event-service", "spec selector app.kubernetes.io/name", "events")],
        ["no Service leads to Deployment/event-service"],
    ),
    "leads to no port": ([("Service/booking-service", "spec ports 0 targetPort", "http")], ["leads to no port http"]),
    "takes no settings": (
        [(EVENT, f"{ONE} envFrom", ABSENT), (EVENT, f"{POD} volumes", [])],
        ["Deployment/event-service takes nothing from a ConfigMap"],
    ),
    "takes settings that are not there": (
        [(BOOKING, f"{ONE} envFrom 0 configMapRef name", "settings")],
        ["Deployment/booking-service needs ConfigMap settings"],
    ),
    "is asked nothing": (
        [(BOOKING, f"{ONE} livenessProbe", ABSENT), (EVENT, f"{ONE} startupProbe", ABSENT)],
        ["Deployment/booking-service has no livenessProbe", "Deployment/event-service has no startupProbe"],
    ),
    "blames others by name": (
        [(BOOKING, f"{ONE} livenessProbe grpc service", "booking.BookingService")],
        ["Deployment/booking-service's livenessProbe asks for what it depends on"],
    ),
    "blames others by path": (
        [("Deployment/api-gateway", f"{ONE} livenessProbe", {"httpGet": {"path": "/readyz", "port": 8080}})],
        ["Deployment/api-gateway's livenessProbe asks for what it depends on"],
    ),
    "blames others by a command": (
        [(BOOKING, f"{ONE} livenessProbe", {"exec": {"command": ["pg_isready", "-h", "postgres"]}})],
        ["Deployment/booking-service's livenessProbe asks for what it depends on"],
    ),
    "takes all memory": ([(BOOKING, f"{ONE} resources limits", ABSENT)], ["has no limit of memory"]),
    "asks for no CPU": ([(BOOKING, f"{ONE} resources requests cpu", ABSENT)], ["asks for no CPU"]),
    "asks for more than it may have": (
        [(BOOKING, f"{ONE} resources requests memory", "1Gi")],
        ["Deployment/booking-service asks for more memory than its limit"],
    ),
    "has no room": (
        [(f"{HPA}booking-service", "spec minReplicas", 3), (BOOKING, "spec replicas", 3)],
        ["HorizontalPodAutoscaler/booking-service goes from 3 to 3", "Deployment/booking-service sets replicas"],
    ),
    "scales nobody": ([(f"{HPA}booking-service", "spec scaleTargetRef name", "bookings")], ["scales bookings"]),
    "is of an old version": (
        [(f"{HPA}booking-service", "apiVersion", "autoscaling/v2beta2")],
        ["is of autoscaling/v2beta2, which Kubernetes does not know any more"],
    ),
    "tells its password": (
        [("ConfigMap/settings", "data DB_PASSWORD", "1234")],
        ["ConfigMap holds DB_PASSWORD"],
    ),
    "shows its password": (
        [(BOOKING, f"{ONE} env 0", {"name": "DB_PASSWORD", "value": "1234"})],
        ["Deployment/booking-service has DB_PASSWORD in the open"],
    ),
    "migrates once": ([(JOB, "spec ttlSecondsAfterFinished", ABSENT)], ["stays when it is done"]),
    "migrates for ever": (
        [(JOB, "spec activeDeadlineSeconds", ABSENT), (JOB, "spec backoffLimit", ABSENT)],
        ["has neither activeDeadlineSeconds nor backoffLimit"],
    ),
    "is root": ([(BOOKING, f"{POD} securityContext runAsNonRoot", ABSENT)], ["booking-service may be root"]),
    "has privileges": (
        [(BOOKING, f"{ONE} securityContext allowPrivilegeEscalation", True)],
        ["booking-service may get privileges"],
    ),
    "sees its node": (
        [(EVENT, f"{POD} volumes 0", {"name": "tmp", "hostPath": {"path": "/"}})],
        ["Deployment/event-service sees files of its node"],
    ),
    "keeps its node": ([(f"{BUDGET}event-service", "spec maxUnavailable", 0)], ["lets 0 of 2 go"]),
    "lets all go": ([(f"{BUDGET}event-service", "spec maxUnavailable", "100%")], ["lets 2 of 2 go"]),
}
GONE: Mapping[str, Wrong] = {
    "has no bookings": ([(BOOKING, "", None)], ["no Deployment runs booking-*"]),
    "never grows": ([(HPA, "", None)], ["there is no HorizontalPodAutoscaler"]),
    "has half a budget": ([(f"{BUDGET}event", "", None)], ["no PodDisruptionBudget keeps pods of Deployment/event"]),
}
NO_YAML, NO_OVERLAY, SECRET = "a: [", "resources: [nowhere.yaml]\n", "s3cr3t"


def written(manifests: Manifests, folder: Path) -> Path:
    """One file with all of it."""
    folder.mkdir(parents=True)
    (folder / "all.json").write_text(json.dumps({"kind": "List", "items": list(manifests.objects)}))
    return folder / "all.json"


def changed(dev: Manifests, name: str) -> Manifests:
    for where, path, value in CHANGED[name][0]:
        dev = dev.changed(where, path, value)
    return dev


def without(dev: Manifests, name: str) -> Manifests:
    """Those whose kind and name do not begin so."""
    (where, _, _) = GONE[name][0][0]
    return Manifests([one for one in dev.objects if not f"{one['kind']}/{one['metadata']['name']}".startswith(where)])


def _no_yaml(folder: Path, dev: Manifests) -> None:
    del dev
    (folder / "all.yaml").write_text(NO_YAML)


def _no_overlay(folder: Path, dev: Manifests) -> None:
    del dev
    (folder / "kustomization.yaml").write_text(NO_OVERLAY)


def _secret(folder: Path, dev: Manifests) -> None:
    shutil.move(written(dev, folder / "rendered"), folder / "all.json")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"password": SECRET}}
    (folder / "secret.yaml").write_text(yaml.safe_dump(secret))


def _key(folder: Path, dev: Manifests) -> None:
    shutil.move(written(dev, folder / "rendered"), folder / "all.json")
    (folder / "postgres.env").write_text(f"POSTGRES_PASSWORD={SECRET}\n")


FOLDERS: Mapping[str, tuple[Callable[[Path, Manifests], None], list[str]]] = {
    "is no YAML": (_no_yaml, ["the manifests are no YAML"]),
    "cannot be rendered": (_no_overlay, ["cannot be rendered: "]),
    "gives its secret to git": (_secret, ["secret.yaml holds a secret, and git takes it"]),
    "gives its password to git": (_key, ["postgres.env holds a secret, and git takes it"]),
}
