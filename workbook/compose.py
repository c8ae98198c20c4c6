"""The system of one phase in containers: its compose file, driven as the local stack is (see stack.py).

    with ComposeStack(phase=2, project="try-it") as stack:
        stack.kill("event-service")
        stack.start("event-service")

Leaving the block takes containers, network and data away. Images that were built stay.
"""

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from chassis.settings import PostgresSettings

from workbook.part import PartFailed
from workbook.phases import phase_folders, services
from workbook.ports import STANDARD, WATCHING, free_port
from workbook.postgres import PASSWORD

_PORTS = {**STANDARD, **WATCHING}


class ComposeStack:
    """Containers of one project, on free ports of loopback, so that several stacks stand side by side.

    `environment` is what the compose file may read: TAG (of the images that are built), POSTGRES_PASSWORD, …
    `without` names services that are not started: an image of theirs is not asked for. `files` are compose files, one
    on top of the other, instead of the phase's own.
    """

    def __init__(
        self,
        phase: int,
        project: str,
        environment: Mapping[str, str] | None = None,
        *,
        without: Collection[str] = (),
        files: Sequence[Path] = (),
    ) -> None:
        self.phase = phase
        self.project = project
        self.environment = {**os.environ, "COMPOSE_PROJECT_NAME": project, **_free_ports(phase), **(environment or {})}
        self._files = files or [phase_folders()[phase] / "compose.yaml"]
        self._without = set(without)

    def __enter__(self) -> Self:
        try:
            self.compose("up", "--build", "--wait", *self._whole())
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Takes away containers, network and data. Safe to call again."""
        self.compose("down", "--volumes", "--remove-orphans")

    def start(self, *services: str) -> None:
        """Starts what stands still, and what it depends on; returns when all of it is healthy."""
        self.compose("up", "--wait", "--no-build", *(services or self._whole()))

    def kill(self, *services: str) -> None:
        """SIGKILL: no chance to write, flush or say goodbye. Nothing starts it again by itself."""
        self.compose("kill", "--signal", "KILL", *services)

    def pause(self, *services: str) -> None:
        """Freezes their processes where they are: connections stay open, nothing answers."""
        self.compose("pause", *services)

    def resume(self, *services: str) -> None:
        self.compose("unpause", *services)

    def address(self, service: str) -> str:
        """Where the service is found from here."""
        return self.compose("port", service, str(_PORTS[service]))

    def metrics_address(self, service: str) -> str:
        """Where the service shows its figures to Prometheus."""
        return self.compose("port", service, str(metrics_ports(self.phase)[service]))

    def settings_of(self, service: str) -> PostgresSettings:
        """The service's settings for code that runs here, outside the containers, and wants its database."""
        password = self.environment.get("POSTGRES_PASSWORD", PASSWORD)
        return settings_outside(self.phase, self.address("postgres"), password)[service]

    def container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service)

    def inside(self, service: str, *command: str) -> str:
        """What a command prints that runs in the service's container."""
        return self.compose("exec", "--no-TTY", service, *command)

    @cached_property
    def services(self) -> set[str]:
        """All that it starts, with the steps that run once."""
        return set(self.compose("config", "--services").split()) - self._without

    def _whole(self) -> list[str]:
        return sorted(self.services) if self._without else []

    def compose(self, *arguments: str) -> str:
        """Runs `docker compose`; returns what it printed, raises PartFailed with all it said when it failed."""
        files = [word for file in self._files for word in ("--file", str(file))]
        return run(["docker", "compose", *files, *arguments], self.environment)


def metrics_ports(phase: int) -> dict[str, int]:
    """Where the services that show figures to Prometheus do so, in their containers."""
    fields = {service.name: service.settings.model_fields for service in services(phase)}
    return {name: known["metrics_port"].default for name, known in fields.items() if "metrics_port" in known}


def _free_ports(phase: int) -> dict[str, str]:
    """A free port for each variable of the compose files that moves one."""
    moved = [f"{name}_PORT" for name in _PORTS] + [f"{name}_METRICS_PORT" for name in metrics_ports(phase)]
    return {name.replace("-service", "").replace("-", "_").upper(): str(free_port()) for name in moved}


def settings_outside(phase: int, postgres: str, password: str) -> dict[str, PostgresSettings]:
    """The settings of each service by its name, for code that reaches PostgreSQL at HOST:PORT, outside the network."""
    host, _, port = postgres.rpartition(":")
    values = {"db_host": host, "db_port": port, "db_password": password}
    kinds = ((service.name, service.settings) for service in services(phase))
    return {name: kind.model_validate(values) for name, kind in kinds if issubclass(kind, PostgresSettings)}


def run(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """Runs a command to its end; returns its output, raises PartFailed with everything it said when it failed."""
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise PartFailed(f"{' '.join(command)} exited with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return ended.stdout.strip()
