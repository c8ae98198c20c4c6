"""The local stack: the system of one phase as processes of this machine, no Docker needed.

    with LocalStack(phase=1) as stack:
        stack["booking-service"].kill()
        stack["booking-service"].start()

Nothing of it outlives its owner: leaving the block ends it in order, and when the owner dies each part's guard ends
its part (see guard.py). Data and logs live in one temporary folder, removed at the end or, after a crash, by the next.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, cast

from chassis.probe import health
from chassis.service import Service
from chassis.settings import PostgresSettings, ServiceSettings

from workbook.kafka.choice import chosen_kind, kafka_part
from workbook.migrating import migrate_all
from workbook.part import Part, PartFailed, Program
from workbook.phases import newest_phase, services, steps
from workbook.ports import chosen_ports, free_port
from workbook.postgres import postgres_part
from workbook.prometheus import metrics_ports, prometheus_part, prometheus_port, show_to_prometheus
from workbook.run_folder import PREFIX, claim_folder, sweep
from workbook.told import own_database, own_parts, told
from workbook.traces.part import traces_part


class LocalStack:
    """The parts of one phase by name, in starting order; PostgreSQL first.

    `standard_ports` takes the roadmap's ports, else free ones are used. `program` is the module that runs the services
    (default: the phase's own); a test may name another build of them. `environment` is added to each service's.
    `kafka` says which broker, from phase 3 on (see workbook/kafka). `prometheus` runs one, which asks all services for
    their figures. `progress` is called with a line about each step.
    """

    def __init__(
        self,
        phase: int | None = None,
        *,
        standard_ports: bool = False,
        program: str | None = None,
        environment: Mapping[str, str] | None = None,
        kafka: str | None = None,
        prometheus: bool = False,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.phase = phase or newest_phase()
        self._program = program or f"phase{self.phase}"
        self.parts: dict[str, Part] = {}
        self._services = {service.name: service for service in services(self.phase)}
        needs_kafka = any("kafka_address" in service.settings.model_fields for service in self._services.values())
        self.kafka = chosen_kind(kafka) if needs_kafka else ""
        self._environment = dict(environment or {})
        own = own_parts(self.kafka, self._services.values(), self._environment)
        self._ports = chosen_ports([*own, *self._services], standard=standard_ports)
        self._prometheus_port = prometheus_port(standard=standard_ports) if prometheus else 0
        self._metrics_ports = metrics_ports(self._services.values(), standard=standard_ports)
        self._progress = progress
        self.folder = Path()

    def __getitem__(self, name: str) -> Part:
        if name not in self.parts:
            raise KeyError(f"no part {name!r}; there are {', '.join(self.parts)}")
        return self.parts[name]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Starts PostgreSQL, migrates, starts the services; on failure stops what had started."""
        sweep()
        self._lock = claim_folder()
        self.folder = Path(self._lock.name).parent
        try:
            self._start_parts()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stops all parts, last started first, and removes their folder. Safe to call again."""
        for part in reversed(self.parts.values()):
            part.stop()
        if self.folder.name.startswith(PREFIX):
            shutil.rmtree(self.folder, ignore_errors=True)
            self._lock.close()

    def replica(self, name: str, program: str | None = None, **environment: str) -> Part:
        """Starts one more copy of a service on a free port, with `environment` added; it stops with the stack.

        `program` is the module that runs it, where that is another than the others'.
        """
        copy, port = f"{name}-{sum(part.startswith(name) for part in self.parts) + 1}", free_port()
        own = {"METRICS_PORT": str(free_port()), **environment}
        part = self.parts[copy] = self._service_part(self._services[name], copy, port, own, program)
        part.start()
        if "prometheus" in self.parts and name in self._metrics_ports:
            show_to_prometheus(self.folder, name, copy, f"127.0.0.1:{own['METRICS_PORT']}")
        return part

    def migrate(self, name: str, revision: str = "heads") -> str:
        """Moves a service's database to a revision; returns what alembic said, raises PartFailed if it failed."""
        return self._run(f"migrating {name}", name, "migrate", name, revision)

    def step(self, name: str, **environment: str) -> str:
        """Runs a step of the phase, such as `redrive`; returns what it said, raises PartFailed if it failed."""
        own = own_database(steps(self.phase)[name])
        return self._run(name, next(reversed(self._services)), name, **{**own, **environment})

    def environment_of(self, name: str) -> dict[str, str]:
        """The environment variables that a service of this stack runs with."""
        return {
            **told(self._ports, self.kafka),
            **own_database(self._services[name]),
            self._services[name].port.upper(): str(self._ports[name]),
            "KEYS_FOLDER": str(self.folder / "keys"),
            **({"METRICS_PORT": str(self._metrics_ports[name])} if name in self._metrics_ports else {}),
            "LOG_FORMAT": "text",
            **self._environment,
        }

    def settings_of(self, name: str) -> PostgresSettings:
        """The settings that a service of this stack with a database reads, for code that wants its database."""
        values = {key.lower(): value for key, value in self.environment_of(name).items()}
        kind = cast("type[ServiceSettings]", self._services[name].settings)
        return kind.model_validate({key: values[key] for key in kind.model_fields if key in values})

    def metrics_address(self, name: str) -> str:
        """Where a service shows its figures to Prometheus."""
        return self.metrics_addresses()[name]

    def metrics_addresses(self) -> dict[str, str]:
        """That of each service that shows any, by its name."""
        return {name: f"127.0.0.1:{port}" for name, port in self._metrics_ports.items()}

    def _run(self, what: str, service: str, *arguments: str, **environment: str) -> str:
        """Runs a command of the phase to its end, with the environment of a service."""
        ran = subprocess.run(
            [sys.executable, "-m", f"phase{self.phase}", *arguments],
            env={**os.environ, **self.environment_of(service), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise PartFailed(f"{what} failed:\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    def _start_parts(self) -> None:
        self._progress("starting PostgreSQL")
        postgres = self.parts["postgres"] = postgres_part(self.folder, self._ports["postgres"])
        postgres.start()
        if "kafka" in self._ports:
            self._progress(f"starting Kafka ({self.kafka})")
            self.parts["kafka"] = kafka_part(self.folder, self._ports["kafka"], self.kafka)
            self.parts["kafka"].spawn()
        for watcher in self._watchers():
            self.parts[watcher.name] = watcher
            watcher.spawn()
        databases = {name: self.settings_of(name) for name, service in self._services.items() if service.migrations}
        self._progress("migrating " + ", ".join(settings.db_name for settings in databases.values()))
        with ThreadPoolExecutor() as at_once:
            prepared = at_once.submit(self._prepare)
            migrate_all((self._services[name], settings) for name, settings in databases.items())
            prepared.result()
        for name, service in self._services.items():
            self._progress(f"starting {name}")
            part = self.parts[name] = self._service_part(service, name, self._ports[name], {})
            part.spawn()
        for part in self.parts.values():
            part.wait_ready()

    def _watchers(self) -> Iterator[Part]:
        """What takes the services' traces, and asks for their figures."""
        if "traces" in self._ports:
            yield traces_part(self.folder, self._ports["traces"])
        if self._prometheus_port:
            yield prometheus_part(self.folder, self._prometheus_port, self.phase, self.metrics_addresses())

    def _prepare(self) -> None:
        """Makes what the services share: their keys, their topics."""
        if "keys" in steps(self.phase):
            self.step("keys")
        if "kafka" in self.parts:
            self.parts["kafka"].wait_ready()
        if self.kafka:
            self.step("topics")

    def _service_part(
        self, service: Service, name: str, port: int, environment: Mapping[str, str], program: str | None = None
    ) -> Part:
        address = f"127.0.0.1:{port}"
        runs = Program(
            argv=[sys.executable, "-m", program or self._program, "serve", service.name],
            ready=lambda: health(service.health.format(address=address)) == "SERVING",
            environment={**self.environment_of(service.name), service.port.upper(): str(port), **environment},
        )
        return Part(name, address, runs, self.folder / f"{name}.log")
