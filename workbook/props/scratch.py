"""A table `bookings` of a check's own: the service's columns and rules, and nobody else's rows."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from workbook.lesson.shared_stack import local_stack
from workbook.lesson.task import Wrong


@asynccontextmanager
async def scratch_bookings() -> AsyncIterator[dict[str, Any]]:
    """Connection parameters of booking_db that find an empty `bookings`, in a schema dropped at the end.

    Raises Wrong, with what to run, when the lesson has left its database down or without its table.
    """
    where: dict[str, Any] = local_stack(1).settings_of("booking-service").conninfo()
    schema = f"scratch_{uuid.uuid4().hex}"
    try:
        connection = await psycopg.AsyncConnection.connect(**where, autocommit=True)
    except psycopg.OperationalError as error:
        raise Wrong('PostgreSQL does not answer: run local_stack(1)["postgres"].start() and check again') from error
    async with connection:
        await connection.execute(f"CREATE SCHEMA {schema}")
        try:
            await _copy_table(connection, schema)
            yield {**where, "options": f"-c search_path={schema} -c lock_timeout=3000"}
        finally:
            await connection.execute(f"DROP SCHEMA {schema} CASCADE")


async def _copy_table(connection: psycopg.AsyncConnection[Any], schema: str) -> None:
    try:
        await connection.execute(f"CREATE TABLE {schema}.bookings (LIKE public.bookings INCLUDING ALL)")
    except psycopg.errors.UndefinedTable as error:
        raise Wrong('no table bookings: run local_stack(1).migrate("booking-service") and check again') from error
