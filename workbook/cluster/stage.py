"""What stands on the control plane before the system comes: nodes, disks, and the way to metrics-server."""

import json
from typing import Any

from workbook.cluster.building import GATEWAY_API, KWOK, module_folder
from workbook.cluster.control_plane import ControlPlane
from workbook.cluster.kubectl import kubectl
from workbook.cluster.overlays import rendered

NODES = ("node-1", "node-2", "node-3")
USAGE = "kwok.x-k8s.io/usage-cpu"  # the annotation of a pod that says what it uses
_METRICS_PATH = "metrics.k8s.io/resource-metrics-path"  # metrics-server asks there: one KWOK stands for all nodes
_ROOM = {"cpu": "4", "memory": "16Gi", "pods": "110"}


def usage() -> str:
    """KWOK's own files: nodes and pods are ready at once, Jobs end, pods use what an annotation says, nodes tell it."""
    files = module_folder(f"sigs.k8s.io/kwok@{KWOK}") / "kustomize"
    return "---\n".join(rendered(files / part) for part in ("stage/fast", "metrics/usage"))


def furnish(plane: ControlPlane) -> None:
    """Nodes, a disk for each store, metrics-server behind the API server, and the Gateway API's kinds."""
    objects = [
        *map(_node, NODES),
        *map(_disk, ("disk-1", "disk-2")),
        _metrics_service(),
        _metrics_api(plane.port("metrics-server")),
    ]
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl("apply", "--server-side", "--filename=-", given=given)
    kinds = module_folder(f"sigs.k8s.io/gateway-api@{GATEWAY_API}") / "config" / "crd" / "standard"
    kubectl("apply", "--server-side", f"--filename={kinds}")


def _node(name: str) -> dict[str, Any]:
    about = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    path = {_METRICS_PATH: f"/metrics/nodes/{name}/metrics/resource"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {**about, "annotations": path},
        "status": {"allocatable": _ROOM, "capacity": _ROOM},
    }


def _disk(name: str) -> dict[str, Any]:
    """For a claim to be bound to; nothing is ever written there."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": f"/nowhere/{name}"},
        },
    }


def _metrics_service() -> dict[str, Any]:
    """A name for what runs beside the API server, not in a pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "metrics-server", "namespace": "kube-system"},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }


def _metrics_api(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,  # on loopback
            "service": {"name": "metrics-server", "namespace": "kube-system", "port": port},
        },
    }
