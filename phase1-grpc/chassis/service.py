"""How a phase names its services, and the command line that runs one: `python -m phase1 serve booking-service`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from chassis.logs import configure_logs
from chassis.settings import CannotStart, ServiceSettings, read_settings


@dataclass(frozen=True, slots=True)
class Service:
    """A service as one phase knows it: its settings, what serves it, where its migrations are."""

    name: str
    settings: type[ServiceSettings]
    serve: Callable[[Any], Awaitable[None]]
    migrations: tuple[Path, ...]


def main(program: str, services: Sequence[Service], arguments: Sequence[str] | None = None) -> int:
    """Runs `serve SERVICE` or `migrate SERVICE [REVISION]`; returns the exit status, 1 after a line that says why."""
    by_name = {service.name: service for service in services}
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description="Run a service, or migrate its database.")
    steps = parser.add_subparsers(dest="step", required=True)
    serve = steps.add_parser("serve", help="serve gRPC until SIGTERM or Ctrl-C")
    move = steps.add_parser("migrate", help="create the database if needed and move it to a revision")
    for step in (serve, move):
        step.add_argument("service", choices=by_name)
    move.add_argument("revision", nargs="?", default="heads", help="a revision, heads, base, or -1 for one back")
    chosen = parser.parse_args(arguments)
    service = by_name[chosen.service]
    try:
        settings = read_settings(service.settings)
        configure_logs(settings)
        if chosen.step == "serve":
            asyncio.run(_serve(service, settings))
        else:
            # Alembic and SQLAlchemy take longer to import than everything else; a service that serves needs neither.
            from chassis.migrations import create_database, migrate  # noqa: PLC0415

            create_database(settings)
            migrate(settings, service.migrations, chosen.revision)
    except (CannotStart, psycopg.OperationalError) as error:
        print(f"{service.name}: {error}", file=sys.stderr)  # noqa: T201 - the last word of a program that cannot start
        return 1
    return 0


async def _serve(service: Service, settings: ServiceSettings) -> None:
    await service.serve(settings)
