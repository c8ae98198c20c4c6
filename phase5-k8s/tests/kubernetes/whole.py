"""Policies about how objects belong together: Services and pods, autoscalers and budgets, Jobs and versions."""

import re
from collections.abc import Iterator

from workbook.cluster.manifests import COMPONENT, NAME, VERSION, Manifests, Workload, fits
from workbook.cluster.policies import may_go

_NO_GRPC = {"kafka", "jaeger"}  # called by a protocol of their own, and over HTTP
_EXTRA = 2  # connections that a service holds outside its pool: the relay's leadership, a migration


def selectors(manifests: Manifests) -> Iterator[str]:
    """Who makes pods knows its own again, and takes nobody else's."""
    makers = manifests.workloads("Deployment", "StatefulSet")
    for maker in makers:
        chosen = [str(other) for other in manifests.workloads() if fits(maker.spec["selector"], other.labels)]
        if chosen != [str(maker)]:
            yield f"{maker} selects the pods of {chosen}"
        if VERSION in maker.spec["selector"].get("matchLabels", {}):
            yield f"{maker} would lose its pods with the next version"
        if maker.kind == "StatefulSet" and VERSION in maker.labels:
            yield f"{maker} would start anew with each version of the services"


def balanced(manifests: Manifests) -> Iterator[str]:
    """Calls of gRPC reach every pod: names with an address for each, asked for again before long."""
    settings = manifests.settings()
    for service in manifests.all("Service"):
        grpc = any(port["name"] == "grpc" for port in service["spec"]["ports"])
        if grpc and service["spec"].get("clusterIP") != "None":
            yield f"Service/{service['metadata']['name']} sends all calls of a connection to one pod"
    for key, value in settings.items():
        if key.endswith("_ADDRESS") and value.partition(":")[0] not in _NO_GRPC:
            yield from _dialled(manifests, key, value)
    if not 1 <= int(settings.get("GRPC_MAX_CONNECTION_AGE", 300)) <= 120:
        yield "a new pod waits for minutes for its first call: GRPC_MAX_CONNECTION_AGE"


def _dialled(manifests: Manifests, key: str, value: str) -> Iterator[str]:
    dialled = re.fullmatch(r"dns:///([a-z-]+):(\d+)", value)
    ports = {s["metadata"]["name"]: [p["port"] for p in s["spec"]["ports"]] for s in manifests.all("Service")}
    if dialled is None or int(dialled[2]) not in ports.get(dialled[1], []):
        yield f"{key}={value} is no dns:/// name of a Service and its port"


def scaling(manifests: Manifests) -> Iterator[str]:
    """An autoscaler has someone to scale, room for it, and is not overruled by the next `apply`."""
    makers = {one.name: one for one in manifests.workloads("Deployment")}
    for scaler in manifests.all("HorizontalPodAutoscaler"):
        name, spec = scaler["metadata"]["name"], scaler["spec"]
        target = makers.get(spec["scaleTargetRef"]["name"])
        if target is None:
            yield f"HorizontalPodAutoscaler/{name} scales nobody"
        elif "replicas" in target.spec:
            yield f"{target} sets replicas that its autoscaler decides"
        if not 2 <= spec["minReplicas"] < spec["maxReplicas"]:
            yield f"HorizontalPodAutoscaler/{name} goes from {spec['minReplicas']} to {spec['maxReplicas']}"
        if not {"scaleUp", "scaleDown"} <= spec.get("behavior", {}).keys():
            yield f"HorizontalPodAutoscaler/{name} has no behaviour"


def budgets(manifests: Manifests) -> Iterator[str]:
    """A node can be emptied, and never takes all pods of a service at once."""
    for maker in manifests.workloads("Deployment"):
        if maker.labels[COMPONENT] != "server":
            continue
        chosen = [one for one in manifests.all("PodDisruptionBudget") if fits(one["spec"]["selector"], maker.labels)]
        least, _ = manifests.replicas(maker)
        if len(chosen) != 1:
            yield f"{maker} has {len(chosen)} budgets"
        elif not 1 <= may_go(chosen[0]["spec"], least) < least:
            yield f"the budget of {maker} lets {may_go(chosen[0]['spec'], least)} of {least} go"
        elif chosen[0]["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"no node can be emptied while pods of {maker} are not ready"


def rollouts(manifests: Manifests) -> Iterator[str]:
    """A new version takes over pod by pod, spread over the nodes."""
    for maker in manifests.workloads("Deployment"):
        if maker.labels[COMPONENT] != "server":
            continue
        if maker.spec.get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{maker} takes an old pod away before a new one is ready"
        spread = maker.pod.get("topologySpreadConstraints", [])
        if not any(
            NAME in one.get("matchLabelKeys", []) and fits(one["labelSelector"], maker.labels) for one in spread
        ):
            yield f"the pods of {maker} may all be on one node"
        if any(one.get("nodeTaintsPolicy") != "Honor" for one in spread):
            yield f"pods of {maker} wait for nodes that take none of them"


def jobs(manifests: Manifests) -> Iterator[str]:
    """Each version brings Jobs of its own, which end; each service with a database is migrated by one."""
    for job in manifests.workloads("Job"):
        if not job.name.endswith(f"-{job.labels.get(VERSION)}"):
            yield f"{job} is not named by its version"
        if "activeDeadlineSeconds" not in job.spec or "ttlSecondsAfterFinished" not in job.spec:
            yield f"{job} may stay for ever"
    migrated = {job.labels[NAME] for job in manifests.workloads("Job") if job.labels[COMPONENT] == "migration"}
    yield from (
        f"nobody migrates {name}" for name in sorted({one.labels[NAME] for one in clients(manifests)} - migrated)
    )


def clients(manifests: Manifests) -> list[Workload]:
    """The services that have a database."""
    deployed = manifests.workloads("Deployment")
    return [one for one in deployed if any(v["name"] == "DB_PASSWORD" for v in one.containers[0].get("env", []))]


def connections(manifests: Manifests) -> Iterator[str]:
    """PostgreSQL has a connection for every pod there may be, also while a new version is rolled out."""
    (postgres,) = manifests.one("StatefulSet", "postgres")["spec"]["template"]["spec"]["containers"]
    most = int(re.search(r"max_connections=(\d+)", str(postgres["args"]))[1])
    each = int(manifests.settings()["DB_POOL_SIZE"]) + _EXTRA
    asked = sum((manifests.replicas(one)[1] + 1) * each for one in clients(manifests))
    if asked > most:
        yield f"{asked} connections are asked for at most, PostgreSQL has {most}"


def confined(manifests: Manifests) -> Iterator[str]:
    """All of it is in one namespace, which refuses pods that ask for more than the restricted standard allows."""
    (namespace,) = manifests.all("Namespace")
    labels = namespace["metadata"].get("labels", {})
    if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
        yield "the namespace lets any pod in"
    if not re.fullmatch(r"v1\.\d+", labels.get("pod-security.kubernetes.io/enforce-version", "")):
        yield "what the namespace lets in changes with the cluster"
    for one in manifests.objects:
        if one["kind"] != "Namespace" and one["metadata"].get("namespace") != namespace["metadata"]["name"]:
            yield f"{one['kind']}/{one['metadata']['name']} is in another namespace"
