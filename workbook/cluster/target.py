"""The cluster that kubectl knows as a target of the checklists: each part is reached through `kubectl port-forward`."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from chassis.settings import PostgresSettings

from workbook.admin import Admin, an_email, appointing
from workbook.checks.folders import ours
from workbook.checks.parts import GATEWAY, GATEWAY_SERVICE, PAGES
from workbook.checks.system import CannotRestart, System
from workbook.cluster.kubectl import KubectlFailed, asked
from workbook.cluster.overlays import NAMESPACE
from workbook.part import Part, PartFailed, Program
from workbook.phases import newest_phase, services
from workbook.ports import STANDARD, free_port, is_free

_POSTGRES = "postgres"
_SERVICES = ("booking-service", "event-service", "user-service")
_PATIENCE = "--timeout=120s"


class NoCluster(Exception):
    """There is no system to check there; the text says what to do."""


@contextmanager
def cluster_system() -> Iterator[System]:
    """The system in the cluster, which answers here while the block lasts; raises NoCluster.

    Kafka stays out of reach: it sends its clients to a name that only pods know.
    """
    _there()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        ways = {name: _way(name, resource, port, Path(folder)) for name, (resource, port) in _ends().items()}
        try:
            for way in ways.values():
                stack.callback(way.stop)
                way.start()
        except PartFailed as failure:
            raise NoCluster(str(failure)) from failure
        yield System(
            f"Kubernetes, namespace {NAMESPACE}",
            {name: ways[name].address for name in (*_SERVICES, GATEWAY, *PAGES)},
            killer=lambda service: _kill_and_wait(service, ways),
            databases=_databases(ways[_POSTGRES].address),
            token=_admin(ways["user-service"].address).token,
            folders=ours(),
            kubectl=asked,
        )


def _there() -> None:
    if shutil.which("kubectl") is None:
        raise NoCluster("kubectl is not on the PATH")
    try:
        asked(
            "wait",
            "deployment",
            "--selector=app.kubernetes.io/component=server",
            "--for=condition=Available",
            "--timeout=5s",
        )
    except KubectlFailed as problem:
        raise NoCluster(f"the system is not up there: {problem}; run: ./learn cluster deploy dev") from problem


def _ends() -> dict[str, tuple[str, int]]:
    """What is reached, by the name that checks know: whose port it is, and which."""
    metrics = {service.name: service.settings.model_fields.get("metrics_port") for service in services(newest_phase())}
    pages = {page: (f"deployment/{name}", field.default) for page, name in PAGES.items() if (field := metrics[name])}
    calls = {name: (f"deployment/{name}", STANDARD[name]) for name in _SERVICES}
    door = {GATEWAY: (f"deployment/{GATEWAY_SERVICE}", STANDARD[GATEWAY_SERVICE])}
    return {**calls, **door, **pages, _POSTGRES: (f"statefulset/{_POSTGRES}", STANDARD[_POSTGRES])}


def _way(name: str, resource: str, port: int, folder: Path) -> Part:
    here = free_port()
    program = Program(
        argv=["kubectl", "--namespace", NAMESPACE, "port-forward", resource, f"{here}:{port}"],
        ready=lambda: not is_free(here),
    )
    return Part(name, f"127.0.0.1:{here}", program, folder / f"{name}.log")


def _kill_and_wait(service: str, ways: Mapping[str, Part]) -> None:
    """All its pods at once, without a warning; returns when there are as many ready ones, and the way leads to one."""
    owner = PAGES.get(service, service)
    these = f"--selector=app.kubernetes.io/name={owner},app.kubernetes.io/component=server"
    try:
        asked("delete", "pods", these, "--grace-period=0", "--force")
        asked("rollout", "status", f"deployment/{owner}", _PATIENCE)
        for name in (name for name in ways if PAGES.get(name, name) == owner):
            ways[name].restart()
    except (KubectlFailed, PartFailed) as problem:
        raise CannotRestart(str(problem)) from problem


def _databases(address: str) -> dict[str, PostgresSettings]:
    host, _, port = address.rpartition(":")
    password = asked("exec", f"statefulset/{_POSTGRES}", "--", "printenv", "POSTGRES_PASSWORD").strip()
    values = {"db_host": host, "db_port": port, "db_password": password}
    kinds = {service.name: service.settings for service in services(newest_phase())}
    return {name: kind.model_validate(values) for name, kind in kinds.items() if issubclass(kind, PostgresSettings)}


def _admin(address: str) -> Admin:
    def appoint(email: str, password: str) -> None:
        asked("exec", "deployment/user-service", "--", *appointing(email, password))

    return Admin(address, appoint, an_email())
