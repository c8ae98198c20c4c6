"""Prometheus as a part of the local stack: the real one, where it is on the PATH; Debian's package is `prometheus`."""

import json
import shutil
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path

from chassis.service import Service

from workbook.needs import missing
from workbook.part import Part, PartFailed, Program
from workbook.phases import phase_folders
from workbook.ports import WATCHING, free_port, is_free

STANDARD_PORT = WATCHING["prometheus"]
_SETTINGS = "prometheus.yml"  # that of the containers; what stands beside it are rules
_EVERY = "1s"  # a learner waits for each scrape
_MOST = "256MB"


def prometheus_port(*, standard: bool) -> int:
    """The usual one if nobody has it: Debian's package starts a Prometheus there as soon as it is installed."""
    return STANDARD_PORT if standard and is_free(STANDARD_PORT) else free_port()


def metrics_ports(services: Iterable[Service], *, standard: bool) -> dict[str, int]:
    """Where each service that has figures shows them: the port it has by itself, or a free one."""
    ports = {service.name: service.settings.model_fields.get("metrics_port") for service in services}
    return {name: field.default if standard else free_port() for name, field in ports.items() if field is not None}


def rule_files(phase: int) -> list[Path]:
    """The rules and alerts of the system as of a phase."""
    folders = (folder for number, folder in phase_folders().items() if number <= phase)
    return [path for folder in folders for path in sorted(folder.glob("prometheus/*.yml")) if path.name != _SETTINGS]


def prometheus_runs(phase: int) -> bool:
    """Whether the system as of the phase has rules for one, and this machine has one."""
    return bool(rule_files(phase)) and not missing("prometheus")


def prometheus_part(folder: Path, port: int, phase: int, services: Mapping[str, str]) -> Part:
    """Asks services at these addresses for their figures, and those that `show_to_prometheus` adds.

    It works out the rules of the phase, and a learner's own in `folder`/prometheus/rules after POST /-/reload.
    """
    own = folder / "prometheus"
    own.mkdir(exist_ok=True)
    for service, where in services.items():
        show_to_prometheus(folder, service, service, where)
    settings = own / _SETTINGS
    settings.write_text(json.dumps(_settings(own, phase)))  # JSON is YAML too
    address = f"127.0.0.1:{port}"
    options = {
        "config.file": str(settings),
        "storage.tsdb.path": str(own / "data"),
        "storage.tsdb.retention.size": _MOST,
        "web.listen-address": address,
        "enable-feature": "exemplar-storage",
    }
    program = Program(
        argv=[_program(), "--web.enable-lifecycle", *(f"--{name}={value}" for name, value in options.items())],
        ready=lambda: _ready(address),
    )
    return Part("prometheus", address, program, folder / "prometheus.log")


def show_to_prometheus(folder: Path, service: str, copy: str, address: str) -> None:
    """From now on a copy of a service is asked for its figures; `folder` is that of the stack."""
    targets = folder / "prometheus" / "targets"
    targets.mkdir(parents=True, exist_ok=True)
    unseen = targets / f"{copy}.part"  # it becomes visible as a whole
    unseen.write_text(json.dumps([{"targets": [address], "labels": {"job": service}}]))
    unseen.rename(targets / f"{copy}.json")


def _settings(own: Path, phase: int) -> dict[str, object]:
    return {
        "global": {"scrape_interval": _EVERY, "evaluation_interval": _EVERY},
        "rule_files": [*map(str, rule_files(phase)), str(own / "rules" / "*.yml")],
        "scrape_configs": [{"job_name": "services", "file_sd_configs": [{"files": [str(own / "targets" / "*.json")]}]}],
    }


def _program() -> str:
    found = shutil.which("prometheus")
    if found is None:
        raise PartFailed("there is no prometheus on the PATH; Debian and Ubuntu have it: apt install prometheus")
    return found


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except OSError:
        return False
