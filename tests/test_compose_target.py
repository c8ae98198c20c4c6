"""Which compose file's stack is checked: the phase's own, a later one's, or the root's, which is the newest phase's."""

import json
import os
from pathlib import Path

import pytest

from workbook.checks.compose import Compose
from workbook.phases import newest_composed_phase, phase_folders

PORTS = {
    "kafka": {9092: 9192},
    "booking-service": {9465: 9565, 50051: 50061},
    "metrics-consumer": {50054: 50064, 9464: 9564},
    "prometheus": {9090: 9190},
    "jaeger": {4318: 4418, 16686: 16786},
    "api-gateway": {8080: 8180, 9468: 0},
    "event-service": {50052: 0},  # its port is open to the other containers alone
}
LISTED = [
    {
        "Service": name,
        "State": "running",
        "Publishers": [{"TargetPort": inside, "PublishedPort": here} for inside, here in ports.items()],
    }
    for name, ports in PORTS.items()
]


@pytest.fixture
def only_the_root_is_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\ncase \"$*\" in *' docker-compose.yml ps '*) echo '{json.dumps(LISTED)}' ;; esac\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("only_the_root_is_up")
def test_the_root_is_the_newest_composed_phase() -> None:
    stack = Compose(newest_composed_phase())
    assert (stack.problem(), stack.file) == ("", "docker-compose.yml")
    assert stack.addresses() == {"booking-service": "127.0.0.1:50061"}
    assert stack.metrics() == {"booking-service": "127.0.0.1:9565", "metrics-consumer": "127.0.0.1:9564"}
    assert stack.gateway() == {"gateway": "127.0.0.1:8180"}
    assert stack.kafka() == "127.0.0.1:9192"
    assert stack.watchers() == {"prometheus": "127.0.0.1:9190", "jaeger": "127.0.0.1:16786"}


@pytest.mark.usefixtures("only_the_root_is_up")
def test_a_later_phase_keeps_the_checklists_before_it() -> None:
    stack = Compose(2)
    assert (stack.problem(), stack.file) == ("", "docker-compose.yml")


@pytest.mark.usefixtures("only_the_root_is_up")
def test_phase_1_is_checked_as_it_is_alone() -> None:
    assert f"run: docker compose -f {phase_folders()[1].name}/compose.yaml up" in Compose(1).problem()
