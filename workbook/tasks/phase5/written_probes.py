"""Probes as a learner writes them, read as the API server would read them in the booking service's Deployment."""

from copy import deepcopy
from functools import cache
from typing import Any

import kubernetes_validate
import yaml

from workbook.lesson.task import Wrong
from workbook.phases import ROOT
from workbook.props.probes import KINDS, READINESS, Probes, probes_of
from workbook.tasks.phase5.lives import PORT

KUBERNETES = "1.37"


def written_probes(text: Any) -> Probes:
    """What stands in a text of YAML; raises Wrong for what Kubernetes or this service would not take."""
    try:
        written = yaml.safe_load(text) if isinstance(text, str) else text
    except yaml.YAMLError as error:
        raise Wrong(f"PROBES is no YAML: {error}") from error
    if not isinstance(written, dict):
        raise Wrong(f"PROBES is {written!r}: YAML with {', '.join(KINDS)} is wanted")
    if unknown := [kind for kind in written if kind not in KINDS]:
        raise Wrong(f"a container has no probe {unknown[0]!r}: there is {', '.join(KINDS)}")
    for kind, probe in written.items():
        _valid(kind, probe)
    return probes_of(written)


def _valid(kind: str, probe: Any) -> None:
    """What the API server would say, in its own words where it has a schema for them."""
    if not isinstance(probe, dict):
        raise Wrong(f"{kind} is {probe!r}: what is asked, and how often")
    manifest = deepcopy(_deployment())
    manifest["spec"]["template"]["spec"]["containers"][0] |= {kind: probe}
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(str(part) for part in [*error.path][5:])
        raise Wrong(f"Kubernetes refuses {where}: {error.message}") from error
    asked = probe.get("grpc") or probe.get("tcpSocket")
    if asked is None:
        asks = next((how for how in ("httpGet", "exec") if how in probe), "nothing")
        raise Wrong(f"{kind} asks by {asks}. The service answers gRPC's health check: `grpc: {{port: {PORT}}}`")
    if asked["port"] not in (PORT, "grpc"):
        raise Wrong(f"{kind} asks at port {asked['port']}, and gRPC listens on {PORT}")
    for field, number in probe.items():
        least = 0 if field == "initialDelaySeconds" else 1
        if isinstance(number, int) and number < least:
            raise Wrong(f"{kind}.{field} is {number}: at least {least} is wanted")
    if kind != READINESS and probe.get("successThreshold", 1) != 1:
        raise Wrong(f"Kubernetes refuses {kind}.successThreshold: for this probe it must be 1")


@cache
def _deployment() -> dict[str, Any]:
    with (ROOT / "phase5-k8s/k8s/base/booking-service.yaml").open() as written:
        found: dict[str, Any] = next(yaml.safe_load_all(written))
    return found
