"""5.1 Kubernetes runs it."""

import json
from typing import Any

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run


def test_running(system: System) -> None:
    """In the cluster all of it runs, by the autoscalers' word, too."""
    if system.kubectl is None:
        not_run("needs a cluster: --target kubernetes")
    there = json.loads(system.kubectl("get", "deployments,horizontalpodautoscalers,jobs", "--output=json"))["items"]
    wrong = [problem for one in there if (problem := _wrong(one))]
    expect(not wrong, "; ".join(wrong[:3]), "see kubectl get pods, and kubectl describe")


def _wrong(one: dict[str, Any]) -> str:
    name, status = f"{one['kind']}/{one['metadata']['name']}", one.get("status", {})
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    match one["kind"]:
        case "Deployment" if conditions.get("Available") != "True":
            return f"{name} has {status.get('readyReplicas', 0)} of {one['spec'].get('replicas', 1)} pods"
        case "HorizontalPodAutoscaler" if conditions.get("AbleToScale") != "True":
            return f"{name} cannot scale"
        case "Job" if conditions.get("Failed") == "True":
            return f"{name} failed"
    return ""
