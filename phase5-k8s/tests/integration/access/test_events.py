"""Events: all see them, organisers change them, and tickets move for the booking service alone."""

import uuid
from typing import Any

import grpc
import psycopg
import pytest
from access import events as rules
from access.callers import Role
from access.control import anyone
from event_service.proto import event_pb2 as pb
from tests.guarded import SOON, System
from tests.refusals import refusal
from tests.tokens import bearer, service_token, user_token

from tests.waiting import until_async

DENIED, UNAUTHENTICATED = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED
ADA = str(uuid.UUID(int=1, version=4))


def changes(event_id: str) -> dict[str, Any]:
    return {
        "CreateEvent": pb.CreateEventRequest(name="Jazz", kind="concert", starts_at=SOON, venue="Babylon", capacity=1),
        "UpdateEvent": pb.UpdateEventRequest(event_id=event_id, name="Mine"),
        "UpdateAvailableTickets": pb.UpdateTicketsRequest(event_id=event_id, change=5, operation_id=str(uuid.uuid4())),
        "DeleteEvent": pb.DeleteEventRequest(event_id=event_id),
    }


def tickets(event_id: str) -> dict[str, Any]:
    booking_id = str(uuid.uuid4())
    return {
        "ReserveTickets": pb.ReserveTicketsRequest(booking_id=booking_id, event_id=event_id, ticket_count=1),
        "ReleaseTickets": pb.ReleaseTicketsRequest(booking_id=booking_id),
    }


def stored(sql: psycopg.Connection) -> list[Any]:
    tables = ("events", "reservations", "capacity_changes")
    return [sql.execute(f"SELECT {name}::text FROM {name} ORDER BY 1").fetchall() for name in tables]  # noqa: S608 - ours


async def on_sale(system: System) -> str:
    return await system.put_on_sale(user_token(system.folder, ADA, Role.ORGANISER))


async def test_all_see_events_even_with_a_token_that_is_none(system: System) -> None:
    event_id = await on_sale(system)
    for metadata in ((), bearer("rubbish"), bearer(user_token(system.folder, ADA))):
        assert (await system.events.GetEvent(pb.GetEventRequest(event_id=event_id), metadata=metadata)).event.id
        assert (await system.events.ListEvents(pb.ListEventsRequest(), metadata=metadata)).events
        watch = system.events.WatchAvailability(pb.WatchAvailabilityRequest(event_id=event_id), metadata=metadata)
        assert (await anext(aiter(watch))).available_tickets == 100
        watch.cancel()


async def test_customers_services_and_strangers_change_nothing(system: System, events_sql: psycopg.Connection) -> None:
    event_id = await on_sale(system)
    before = stored(events_sql)
    customer, service = user_token(system.folder, ADA), service_token(system.folder)
    for name, request in changes(event_id).items():
        method = getattr(system.events, name)
        assert (await refusal(method(request))).code is UNAUTHENTICATED
        for token in (customer, service):
            assert (await refusal(method(request, metadata=bearer(token)))).code is DENIED
    assert stored(events_sql) == before


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.ADMIN])
async def test_organisers_and_admins_change_them(system: System, role: Role) -> None:
    """The control of the test above: the same requests are done for whom they are meant."""
    token = bearer(user_token(system.folder, ADA, role))
    for name, request in changes(await on_sale(system)).items():
        await getattr(system.events, name)(request, metadata=token)


async def test_nobody_takes_tickets_without_a_booking(system: System, events_sql: psycopg.Connection) -> None:
    event_id = await on_sale(system)
    before = stored(events_sql)
    for name, request in tickets(event_id).items():
        method = getattr(system.events, name)
        assert (await refusal(method(request))).code is UNAUTHENTICATED
        others = [user_token(system.folder, ADA, role) for role in (Role.CUSTOMER, Role.ORGANISER)]
        for token in (*others, service_token(system.folder, "api-gateway")):
            assert (await refusal(method(request, metadata=bearer(token)))).code is DENIED
    assert stored(events_sql) == before
    for name, request in tickets(event_id).items():  # the control
        await getattr(system.events, name)(request, metadata=bearer(service_token(system.folder)))
    assert stored(events_sql) != before


async def test_the_booking_service_speaks_for_itself(
    system: System, events_sql: psycopg.Connection, bookings_sql: psycopg.Connection
) -> None:
    """A customer's token would not get the tickets; recovery has no customer's token at all."""
    event_id = await on_sale(system)
    await system.create(ADA, user_token(system.folder, ADA), event_id)
    assert events_sql.execute("SELECT available FROM events").fetchone() == (98,)
    bookings_sql.execute(
        "UPDATE bookings SET status = 'PENDING', created_at = now() - interval '1 day', settle_at = now()"
    )

    async def given_back() -> bool:
        return events_sql.execute("SELECT available FROM events").fetchone() == (100,)

    await until_async(given_back)


async def test_booking_goes_on_while_the_user_service_is_away(system: System) -> None:
    event_id, ada = await on_sale(system), user_token(system.folder, ADA)
    await system.create(ADA, ada, event_id)  # the keys are known by now
    await system.users.aclose()
    assert (await system.create(ADA, ada, event_id)).status == "CONFIRMED"
    stranger = user_token(system.folder, ADA)
    assert (await system.create(ADA, stranger, event_id)).status == "CONFIRMED"  # another token of the same key


async def test_before_any_key_is_known_the_answer_is_to_try_again(system: System) -> None:
    await system.users.aclose()
    call = system.create(ADA, user_token(system.folder, ADA), str(uuid.uuid4()))
    assert (await refusal(call))[:2] == (grpc.StatusCode.UNAVAILABLE, "KEYS_UNAVAILABLE")


async def test_without_the_rule_a_customer_changes_events(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the refusals: they come from the table."""
    monkeypatch.setitem(rules.RULES, "/event.EventService/CreateEvent", anyone)
    assert await system.put_on_sale(user_token(system.folder, ADA))
