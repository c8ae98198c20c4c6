"""The same job as a durable workflow of DBOS, in the way its documentation shows: one workflow a booking, three steps.

Each step is a transaction of a datasource, recorded in the database it changes, so that it runs exactly once; the
workflow's id makes a second call wait for the first one's answer, and DBOS resumes unfinished ones when it starts.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.migrations import create_database
from chassis.settings import PostgresSettings
from dbos import DBOS, AsyncSQLAlchemyDatasource, SetWorkflowID
from sqlalchemy import text

from bench.selling import Sell
from bench.tables import booking_settings, event_settings, tickets_of

PENDING = text("INSERT INTO bookings (id, user_id, event_id, ticket_count) VALUES (:booking, 'buyer', :event, :count)")
TAKE = text("UPDATE events SET available = available - :count WHERE id = :event AND available >= :count RETURNING id")
FINISH = text("UPDATE bookings SET status = :status WHERE id = :booking AND status = 'PENDING'")


@asynccontextmanager
async def durable_workflow(address: str, event: str) -> AsyncIterator[Sell]:
    own = booking_settings(address).model_copy(update={"db_name": "dbos_system"})
    create_database(own)
    DBOS(config={"name": "sale", "system_database_url": _url(own), "log_level": "ERROR", "application_version": "1"})
    bookings = await AsyncSQLAlchemyDatasource.create(_url(booking_settings(address)))
    events = await AsyncSQLAlchemyDatasource.create(_url(event_settings(address)))

    # READ COMMITTED is enough where one statement decides; with the default, SERIALIZABLE, buyers of one event collide.
    @bookings.transaction(isolation_level="READ COMMITTED")
    async def begin(booking: str, count: int) -> None:
        values = {"booking": booking, "event": event, "count": count}
        await bookings.sql_session().execute(PENDING, values)

    @events.transaction(isolation_level="READ COMMITTED")
    async def take(count: int) -> bool:
        taken = await events.sql_session().execute(TAKE, {"event": event, "count": count})
        return taken.first() is not None

    @bookings.transaction(isolation_level="READ COMMITTED")
    async def finish(booking: str, status: str) -> None:
        await bookings.sql_session().execute(FINISH, {"booking": booking, "status": status})

    @DBOS.workflow()
    async def book(booking: str, count: int) -> bool:
        await begin(booking, count)
        took = await take(count)
        await finish(booking, "CONFIRMED" if took else "CANCELLED")
        return took

    async def sell(buyer: int) -> bool:
        booking = str(uuid.uuid5(uuid.UUID(event), str(buyer)))
        with SetWorkflowID(booking):
            return await book(booking, tickets_of(buyer))

    DBOS.launch()
    try:
        yield sell
    finally:
        DBOS.destroy()


def _url(settings: PostgresSettings) -> str:
    known = settings.conninfo()
    return "postgresql+psycopg://{user}:{password}@{host}:{port}/{dbname}".format(**known)
