"""Tables of a check's own: the services' columns, and nobody else's rows."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from workbook.lesson.shared_stack import local_stack
from workbook.lesson.task import Wrong


@asynccontextmanager
async def scratch_bookings(phase: int = 1) -> AsyncIterator[dict[str, Any]]:
    """Connection parameters of booking_db that find an empty `bookings`, with every rule it has as of `phase`."""
    async with _scratch(phase, "booking-service", ["bookings"], "INCLUDING ALL") as where:
        yield where


@asynccontextmanager
async def scratch_events() -> AsyncIterator[dict[str, Any]]:
    """Connection parameters of event_db that find empty `events` and `reservations`.

    Without their CHECKs: these would save a wrong answer from selling too much, and it should see its number.
    """
    async with _scratch(
        2, "event-service", ["events", "reservations"], "INCLUDING DEFAULTS INCLUDING INDEXES"
    ) as where:
        yield where


@asynccontextmanager
async def _scratch(phase: int, service: str, tables: Sequence[str], kept: str) -> AsyncIterator[dict[str, Any]]:
    """Copies of a service's tables in a schema that is dropped at the end; `kept` says what comes along.

    Raises Wrong, with what to run, when the lesson has left its database down or without its tables.
    """
    where: dict[str, Any] = local_stack(phase).settings_of(service).conninfo()
    schema = f"scratch_{uuid.uuid4().hex}"
    try:
        connection = await psycopg.AsyncConnection.connect(**where, autocommit=True)
    except psycopg.OperationalError as error:
        raise Wrong(
            f'PostgreSQL does not answer: run local_stack({phase})["postgres"].start() and check again'
        ) from error
    async with connection:
        await connection.execute(f"CREATE SCHEMA {schema}")
        try:
            for table in tables:
                await _copy(connection, table, f"{schema}.{table}", kept, f'local_stack({phase}).migrate("{service}")')
            yield {**where, "options": f"-c search_path={schema} -c lock_timeout=3000"}
        finally:
            await connection.execute(f"DROP SCHEMA {schema} CASCADE")


async def _copy(connection: psycopg.AsyncConnection[Any], table: str, copy: str, kept: str, way_out: str) -> None:
    try:
        await connection.execute(f"CREATE TABLE {copy} (LIKE public.{table} {kept})")
    except psycopg.errors.UndefinedTable as error:
        raise Wrong(f"no table {table}: run {way_out} and check again") from error
