"""The manifests say what the services' own code says: settings, ports, keys, images, and what the broker is told."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from access.config import AccessSettings
from chassis.service import Service
from messaging.config import KafkaSettings
from phase5 import HOLDERS, SERVICES

from workbook.cluster.manifests import ABSENT, Manifests, Workload
from workbook.phases import ROOT

BOOKING = "Deployment/booking-service"
ONE = "spec template spec containers 0"


def test_each_setting_is_one_that_a_service_reads(overlay: Manifests) -> None:
    assert unread(overlay) == []


def test_a_setting_that_nobody_reads_is_noticed(dev: Manifests) -> None:
    assert unread(dev.changed("ConfigMap/settings", "data DRAIN_DELY", "5")) == ["DRAIN_DELY"]


def test_each_setting_has_a_value_that_its_service_takes(overlay: Manifests, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in overlay.settings().items():
        monkeypatch.setenv(key, value)
    for service in SERVICES:
        service.settings()


def test_stories_are_read_where_jaeger_shows_its_pages(overlay: Manifests) -> None:
    assert pages_of_traces(overlay) == overlay.settings()["JAEGER_ADDRESS"]


def test_another_port_of_jaeger_is_noticed(dev: Manifests) -> None:
    elsewhere = dev.changed("ConfigMap/settings", "data JAEGER_ADDRESS", "jaeger:4318")
    assert pages_of_traces(elsewhere) != elsewhere.settings()["JAEGER_ADDRESS"]


def test_ports_are_those_of_the_code(overlay: Manifests) -> None:
    assert {name: ports for name, ports in overlaid(overlay).items() if name in coded()} == coded()


def test_another_port_is_noticed(dev: Manifests) -> None:
    assert overlaid(dev.changed(BOOKING, f"{ONE} ports 0 containerPort", 50061)) != overlaid(dev)


def test_who_verifies_has_the_public_keys_and_who_signs_his_own(overlay: Manifests) -> None:
    assert {one.name: keys(one) for one in overlay.workloads()} == wanted_keys(overlay)


def test_a_key_that_is_missing_or_not_ones_own_is_noticed(dev: Manifests) -> None:
    path = "spec template spec volumes keys projected sources 1"
    for wrong in (
        dev.changed(BOOKING, path, ABSENT),
        dev.changed(BOOKING, f"{path} secret name", "user-service-key"),
        dev.changed(BOOKING, f"{ONE} volumeMounts keys mountPath", "/keys"),
    ):
        assert {one.name: keys(one) for one in wrong.workloads()} != wanted_keys(wrong)


def test_images_are_those_of_the_compose_files(dev: Manifests) -> None:
    beside = ("prometheus", "alertmanager", "jaeger", "grafana")
    phases = {"postgres": "phase1-grpc", "kafka": "phase3-kafka", **dict.fromkeys(beside, "phase4-observability")}
    assert {name: container(dev, name)["image"] for name in phases} == {
        name: composed(phase, name)["image"] for name, phase in phases.items()
    }


def test_the_broker_is_told_what_the_compose_file_tells_it(dev: Manifests) -> None:
    theirs = {key: str(value) for key, value in composed("phase3-kafka", "kafka")["environment"].items()}
    ours = {variable["name"]: variable["value"] for variable in container(dev, "kafka")["env"]}
    assert ours.keys() == theirs.keys()
    other = {key for key in ours if ours[key] != theirs[key]}
    assert all("LISTENER" in key or key == "KAFKA_LOG_DIRS" for key in other)  # where it is, and nothing else


def test_no_consumer_is_without_a_partition(overlay: Manifests) -> None:
    (consumer,) = (one for one in overlay.workloads("Deployment") if one.name == "metrics-consumer")
    assert overlay.replicas(consumer)[1] <= KafkaSettings.model_fields["bookings_partitions"].default


def unread(manifests: Manifests) -> list[str]:
    known = {name.upper() for service in SERVICES for name in service.settings.model_fields}
    return sorted(manifests.settings().keys() - known)


def pages_of_traces(manifests: Manifests) -> str:
    (port,) = (port["port"] for port in manifests.one("Service", "jaeger")["spec"]["ports"] if port["name"] == "http")
    return f"jaeger:{port}"


def coded() -> dict[str, set[int]]:
    """The ports that each service listens on by itself."""
    return {service.name: set(_ports(service).values()) for service in SERVICES}


def _ports(service: Service) -> Mapping[str, int]:
    fields = service.settings.model_fields
    return {name: fields[name].default for name in ("grpc_port", "http_port", "metrics_port") if name in fields}


def overlaid(manifests: Manifests) -> dict[str, set[int]]:
    return {one.name: set(one.ports().values()) for one in manifests.workloads("Deployment")}


def keys(workload: Workload) -> set[str]:
    """Whose keys lie in the folder where a service looks for them."""
    mounts = (mount for one in workload.containers for mount in one["volumeMounts"])
    mounted = {mount["name"] for mount in mounts if mount["mountPath"] == "/etc/tickets/keys"}
    sources = [
        source
        for volume in workload.pod["volumes"]
        if volume["name"] in mounted
        for source in volume["projected"]["sources"]
    ]
    return {next(iter(source.values()))["name"].rpartition("-")[0] for source in sources}


def wanted_keys(manifests: Manifests) -> dict[str, set[str]]:
    verifying = {one.name for one in SERVICES if issubclass(one.settings, AccessSettings)}
    return {
        one.name: ({"service-keys"} if one.name in verifying else set())
        | ({f"{one.name}-key"} if one.name in HOLDERS and one.name in verifying else set())
        for one in manifests.workloads()
    }


def container(manifests: Manifests, name: str) -> dict[str, Any]:
    (found,) = (one for workload in manifests.workloads() if workload.name == name for one in workload.containers)
    return found


def composed(phase: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / phase / "compose.yaml").read_text())["services"][name]
    return found
