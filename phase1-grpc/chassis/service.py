"""How a phase names its services, and the command line that runs one: `python -m phase1 serve booking-service`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from structlog.typing import Processor

from chassis.logs import configure_logs
from chassis.settings import CannotStart, PostgresSettings, ProcessSettings, read_settings


@dataclass(frozen=True, slots=True)
class Service:
    """A service as one phase knows it: its settings, what serves it, where its migrations are, if it has a database.

    `port` names the setting that holds its port, `health` is where `chassis.probe` asks whether it can be used, and
    `loop` makes the event loop that it runs in, if that is not asyncio's own.
    """

    name: str
    settings: type[ProcessSettings]
    serve: Callable[[Any], Awaitable[None]]
    migrations: tuple[Path, ...] = ()
    port: str = "grpc_port"
    health: str = "{address}"
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a phase besides `serve` and `migrate`, such as one that prepares what the services share."""

    name: str
    about: str
    settings: type[ProcessSettings]
    run: Callable[[Any], Awaitable[None]]


def main(
    program: str,
    services: Sequence[Service],
    arguments: Sequence[str] | None = None,
    *,
    steps: Sequence[Step] = (),
    on_each_line: Sequence[Processor] = (),
) -> int:
    """Runs `serve SERVICE`, `migrate SERVICE [REVISION]` or a step of the phase's own.

    `on_each_line` are processors that add to each line of the log. Returns the exit status, 1 after a line that says
    why.
    """
    chosen = _parser(program, services, steps).parse_args(arguments)
    by_name: dict[str, Service | Step] = {service.name: service for service in services}
    by_name.update((step.name, step) for step in steps)
    named = by_name[chosen.named]
    try:
        settings = read_settings(named.settings)
        configure_logs(settings, on_each_line)
        if isinstance(named, Step):
            asyncio.run(_awaited(named.run(settings)))
        elif chosen.step == "serve":
            with asyncio.Runner(loop_factory=named.loop) as runner:
                runner.run(_awaited(named.serve(settings)))
        elif isinstance(settings, PostgresSettings):
            # Alembic and SQLAlchemy take longer to import than everything else; a service that serves needs neither.
            from chassis.migrations import create_database, migrate  # noqa: PLC0415

            create_database(settings)
            migrate(settings, named.migrations, chosen.revision)
    except (CannotStart, psycopg.OperationalError) as error:
        print(f"{named.name}: {error}", file=sys.stderr)  # noqa: T201 - the last word of a program that cannot start
        return 1
    return 0


def _parser(program: str, services: Sequence[Service], steps: Sequence[Step]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description="Run a service, or migrate its database.")
    commands = parser.add_subparsers(dest="step", required=True)
    serve = commands.add_parser("serve", help="serve until SIGTERM or Ctrl-C")
    serve.add_argument("named", metavar="service", choices=[service.name for service in services])
    move = commands.add_parser("migrate", help="create the database if needed and move it to a revision")
    move.add_argument("named", metavar="service", choices=[service.name for service in services if service.migrations])
    move.add_argument("revision", nargs="?", default="heads", help="a revision, heads, base, or -1 for one back")
    for step in steps:
        commands.add_parser(step.name, help=step.about).set_defaults(named=step.name)
    return parser


async def _awaited(work: Awaitable[None]) -> None:
    await work
