"""Spans of statements: in the trace of each caller a statement is for, and nowhere else.

contrib's instrumentation would give a statement one parent; here several callers share one. It would also begin a trace
at each look that recovery or a scrape takes.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from opentelemetry.trace import Span
from psycopg.rows import TupleRow

from telemetry.finished import FinishedSpans
from telemetry.parents import comes_again, parents
from telemetry.statements import described


def observed_connections(spans: FinishedSpans, database: str) -> type[psycopg.AsyncConnection[TupleRow]]:
    """A class of connections that show their statements and commits, for chassis.postgres.Database."""

    class Observed(psycopg.AsyncConnection[TupleRow]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> psycopg.AsyncCursor[TupleRow]:
            callers = parents()
            if not callers:
                return await super().execute(query, params, **options)
            with _Shown(spans, callers, {**described(str(query)), "db.namespace": database}):
                return await super().execute(query, params, **options)

        @asynccontextmanager
        async def transaction(self, *arguments: Any, **options: Any) -> AsyncIterator[psycopg.AsyncTransaction]:
            """Shows how long the commit took: that is where a transaction waits for the disk."""
            commit: _Shown | None = None
            try:
                async with super().transaction(*arguments, **options) as transaction:
                    yield transaction
                    commit = _Shown(spans, parents(), {**described("COMMIT"), "db.namespace": database})
            except BaseException as error:
                if commit is not None:
                    commit.end(error)
                raise
            if commit is not None:
                commit.end(None)

    return Observed


class _Shown:
    """One span a caller, from now to the end of the block; they are made when that is known."""

    __slots__ = ("_attributes", "_began", "_callers", "_spans")

    def __init__(self, spans: FinishedSpans, callers: Sequence[Span], attributes: dict[str, Any]) -> None:
        self._spans = spans
        self._callers = callers
        self._attributes = attributes
        self._began = time.time_ns()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        if isinstance(error, psycopg.OperationalError) and comes_again():
            return  # as the spans it would belong to, see messages.py
        times, attributes = (self._began, time.time_ns()), self._attributes
        if len(self._callers) > 1:
            attributes["db.operation.batch.size"] = len(self._callers)
        if error is not None:
            attributes["error.type"] = getattr(error, "sqlstate", None) or type(error).__name__
        for caller in self._callers:
            self._spans.record(caller, attributes, attributes["db.query.summary"], times)
