"""Tables of a check's own: the services' columns, and nobody else's rows."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg

from workbook.lesson.shared_stack import local_stack
from workbook.lesson.task import Wrong

LESSON_3 = 3  # the phase whose PostgreSQL the checks of lesson 3 use


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
async def scratch_tables(*statements: LiteralString) -> AsyncIterator[dict[str, Any]]:
    """Connection parameters that find exactly what `statements` make: tables that only lesson 3 has."""
    where: dict[str, Any] = local_stack(LESSON_3).settings_of("booking-service").conninfo()
    async with _schema(LESSON_3, where) as (connection, schema):
        await connection.execute(f"SET search_path TO {schema}")
        for statement in statements:
            await connection.execute(statement)
        yield _inside(where, schema)


@asynccontextmanager
async def _scratch(phase: int, service: str, tables: Sequence[str], kept: str) -> AsyncIterator[dict[str, Any]]:
    """Copies of a service's tables in a schema of their own; `kept` says what comes along.

    Raises Wrong, with what to run, when the lesson has left its database without its tables.
    """
    where: dict[str, Any] = local_stack(phase).settings_of(service).conninfo()
    async with _schema(phase, where) as (connection, schema):
        for table in tables:
            await _copy(connection, table, f"{schema}.{table}", kept, f'local_stack({phase}).migrate("{service}")')
        yield _inside(where, schema)


@asynccontextmanager
async def _schema(phase: int, where: dict[str, Any]) -> AsyncIterator[tuple[psycopg.AsyncConnection[Any], str]]:
    """A connection, and the name of a new schema that is dropped at the end.

    Raises Wrong, with what to run, when the lesson has left its database down.
    """
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
            yield connection, schema
        finally:
            await connection.execute(f"DROP SCHEMA {schema} CASCADE")


def _inside(where: dict[str, Any], schema: str) -> dict[str, Any]:
    return {**where, "options": f"-c search_path={schema} -c lock_timeout=3000"}


async def _copy(connection: psycopg.AsyncConnection[Any], table: str, copy: str, kept: str, way_out: str) -> None:
    try:
        await connection.execute(f"CREATE TABLE {copy} (LIKE public.{table} {kept})")
    except psycopg.errors.UndefinedTable as error:
        raise Wrong(f"no table {table}: run {way_out} and check again") from error
