"""`./learn cluster prove`: what a real control plane says of the manifests, and what its autoscaler does with them."""

import json
import os
import subprocess
import time
from typing import Any

from workbook.cluster.building import programs
from workbook.cluster.control_plane import ControlPlane
from workbook.cluster.deploy import deploy
from workbook.cluster.kubectl import KubectlFailed, asked, kubectl
from workbook.cluster.overlays import K8S, NAMESPACE, make_secrets, overlay, rendered
from workbook.cluster.stage import NODES, USAGE, furnish, usage
from workbook.terminal import DONE, NOT_RUN, console

_SCALED = "booking-service"
_OVERLAYS = ("dev", "prod")
_DRY = ("apply", "--server-side", "--dry-run=server", "--filename=-")
_ROOT = """{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"},
 "spec": {"containers": [{"name": "root", "image": "postgres:18.4", "securityContext": {"runAsUser": 0}}]}}"""


class NotShown(Exception):
    """The control plane did something else than it should; the text says what."""


def prove() -> None:
    """Raises NotShown, or what kubectl says. Takes some minutes: an autoscaler is slow to take pods away."""
    with ControlPlane(programs(), usage()) as plane:
        os.environ["KUBECONFIG"] = str(plane.kubeconfig)
        furnish(plane)
        kubectl("apply", "--server-side", f"--filename={K8S / 'base' / 'namespace.yaml'}")
        for name in _OVERLAYS:
            make_secrets(overlay(name))
            _takes(f"the overlay {name}", rendered(overlay(name)))
        _takes("the component gateway-api", (K8S / "components" / "gateway-api" / "gateway.yaml").read_text())
        _refuses_root()
        deploy("dev")
        console.print(f"{DONE} dev is deployed: Jobs have ended, every pod is ready")
        _empties_a_node()
        _scales()
        console.print(
            f"{NOT_RUN} no container runs here, and no packet is let through or stopped: that takes a cluster"
        )


def _takes(what: str, manifests: str) -> None:
    """The API server takes each object, and Pod Security has nothing to say of any pod in it."""
    command = ["kubectl", "--namespace", NAMESPACE, *_DRY]
    ended = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False)
    if ended.returncode or "Warning" in ended.stderr:
        raise NotShown(f"{what} is not taken: {ended.stderr.strip()}")
    console.print(f"{DONE} {what}: {len(ended.stdout.splitlines())} objects are taken, without a warning")


def _refuses_root() -> None:
    command = ["kubectl", "--namespace", NAMESPACE, *_DRY]
    ended = subprocess.run(command, input=_ROOT, capture_output=True, text=True, check=False)
    if ended.returncode == 0 or "violates PodSecurity" not in ended.stderr:
        raise NotShown(f"a pod of root is let in: {ended.stderr.strip()}")
    console.print(f"{DONE} a pod that is root is refused")


def _empties_a_node() -> None:
    """As one does before it is repaired: every pod of ours is let go, as far as the budgets allow it at a time."""
    kubectl("drain", NODES[0], "--delete-emptydir-data", "--timeout=180s")
    kubectl("uncordon", NODES[0])
    kubectl("--namespace", NAMESPACE, "rollout", "status", "deployment", "--timeout=180s")
    console.print(f"{DONE} {NODES[0]} was emptied, and every service is whole again")


def _scales() -> None:
    least, most = (int(_scaler()["spec"][bound]) for bound in ("minReplicas", "maxReplicas"))
    _until(most, demand=most * 100, patience=180)
    _until(least, demand=least, patience=420)
    console.print(f"{DONE} {_SCALED} went from {least} pods to {most} and back by its autoscaler")


def _until(replicas: int, *, demand: int, patience: float) -> None:
    """Returns when there are so many pods, which share `demand` in thousandths of a core; tells each change."""
    deadline, shown = time.monotonic() + patience, ""
    while time.monotonic() < deadline:
        pods = asked("get", "pods", f"--selector=app.kubernetes.io/name={_SCALED},app.kubernetes.io/component=server",
                     "--output=name").split()  # fmt: skip
        _use(pods, demand)
        status = _scaler()["status"]
        line = f"  {len(pods)} pods, {_utilization(status)} of what they ask for is used"
        if line != shown:
            console.print(line)
        shown = line
        if status.get("currentReplicas") == replicas == status.get("desiredReplicas") == len(pods):
            return
        time.sleep(2)
    raise NotShown(f"there are not {replicas} pods after {patience:g} s: {_scaler()['status']}")


def _use(pods: list[str], demand: int) -> None:
    """A pod may be gone by then: the next round sees."""
    try:
        each = f"{USAGE}={max(1, demand // max(1, len(pods)))}m"
        asked("annotate", "--overwrite", *pods, each)
    except KubectlFailed:
        return


def _utilization(status: dict[str, Any]) -> str:
    for metric in status.get("currentMetrics") or []:
        used = metric.get("resource", {}).get("current", {}).get("averageUtilization")
        if used is not None:
            return f"{used} %"
    return "nobody knows yet how much"


def _scaler() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked("get", "hpa", _SCALED, "--output=json"))
    return found
