"""Spans of statements: in the trace of each caller a statement is for, and nowhere else.

contrib's instrumentation would give a statement one parent; here several callers share one. It would also begin a trace
at each look that recovery or a scrape takes.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from psycopg.rows import TupleRow

from telemetry.parents import parents
from telemetry.statements import described


def observed_connections(tracer: Tracer, database: str) -> type[psycopg.AsyncConnection[TupleRow]]:
    """A class of connections that show their statements and commits, for chassis.postgres.Database."""

    class Observed(psycopg.AsyncConnection[TupleRow]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> psycopg.AsyncCursor[TupleRow]:
            callers = parents()
            if not callers:
                return await super().execute(query, params, **options)
            with _Shown(tracer, callers, {**described(str(query)), "db.namespace": database}):
                return await super().execute(query, params, **options)

        @asynccontextmanager
        async def transaction(self, *arguments: Any, **options: Any) -> AsyncIterator[psycopg.AsyncTransaction]:
            """Shows how long the commit took: that is where a transaction waits for the disk."""
            commit: _Shown | None = None
            try:
                async with super().transaction(*arguments, **options) as transaction:
                    yield transaction
                    commit = _Shown(tracer, parents(), {**described("COMMIT"), "db.namespace": database})
            except BaseException as error:
                if commit is not None:
                    commit.end(error)
                raise
            if commit is not None:
                commit.end(None)

    return Observed


class _Shown:
    """One span a caller, from now to the end of the block; they are made when that is known."""

    __slots__ = ("_attributes", "_began", "_callers", "_tracer")

    def __init__(self, tracer: Tracer, callers: Sequence[Span], attributes: dict[str, Any]) -> None:
        self._tracer = tracer
        self._callers = callers
        self._attributes = attributes
        self._began = time.time_ns()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        ended, attributes = time.time_ns(), self._attributes
        if len(self._callers) > 1:
            attributes["db.operation.batch.size"] = len(self._callers)
        for caller in self._callers:
            span = self._tracer.start_span(
                attributes["db.query.summary"],
                set_span_in_context(caller),
                SpanKind.CLIENT,
                attributes,
                start_time=self._began,
            )
            if error is not None:
                span.set_attribute("error.type", getattr(error, "sqlstate", None) or type(error).__name__)
                span.set_status(StatusCode.ERROR)
            span.end(ended)
