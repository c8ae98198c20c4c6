"""Another user's booking, by its id, by its key, by the list: to others it is not there, and nothing changes."""

import uuid

import grpc
import psycopg
import pytest
from access import bookings as rules
from access.callers import Role
from booking_service.proto import booking_pb2 as pb
from tests.guarded import System
from tests.refusals import Refusal, refusal
from tests.tokens import service_token, user_token

CODES = grpc.StatusCode
ADA, EVE = str(uuid.UUID(int=1, version=4)), str(uuid.UUID(int=2, version=4))
MISSING = Refusal(CODES.NOT_FOUND, "BOOKING_NOT_FOUND", "")


@pytest.fixture
def ada(system: System) -> str:
    return user_token(system.folder, ADA)


@pytest.fixture
def eve(system: System) -> str:
    return user_token(system.folder, EVE)


@pytest.fixture
def organiser(system: System) -> str:
    return user_token(system.folder, EVE, Role.ORGANISER)


@pytest.fixture
def admin(system: System) -> str:
    return user_token(system.folder, EVE, Role.ADMIN)


async def on_sale(system: System) -> str:
    return await system.put_on_sale(user_token(system.folder, EVE, Role.ORGANISER))


def written(*databases: psycopg.Connection) -> list[str]:
    """All that the two services have stored."""
    tables = ("bookings", "outbox"), ("events", "reservations", "capacity_changes")
    return [
        row[0]
        for sql, names in zip(databases, tables, strict=True)
        for name in names
        for row in sql.execute(f"SELECT {name}::text FROM {name} ORDER BY 1").fetchall()  # noqa: S608 - names of ours
    ]


async def test_a_booking_is_its_users_from_beginning_to_end(system: System, ada: str) -> None:
    event = await on_sale(system)
    booking = await system.create(ADA, ada, event, "key")
    assert (booking.user_id, booking.status) == (ADA, "CONFIRMED")
    assert (await system.create(ADA, ada, event, "key")).id == booking.id
    assert (await system.get(booking.id, ada)).booking.id == booking.id
    assert await system.list(ADA, ada) == [booking.id]
    assert (await system.cancel(booking.id, ada)).success


async def test_another_users_booking_is_not_there(
    system: System, ada: str, eve: str, bookings_sql: psycopg.Connection, events_sql: psycopg.Connection
) -> None:
    event = await on_sale(system)
    booking = await system.create(ADA, ada, event, "key")
    before = written(bookings_sql, events_sql)
    for booking_id in (booking.id, booking.id.upper(), str(uuid.uuid4())):
        assert await refusal(system.get(booking_id, eve)) == MISSING
        assert await refusal(system.cancel(booking_id, eve)) == MISSING
    assert written(bookings_sql, events_sql) == before


async def test_its_refusal_is_word_for_word_that_of_one_that_is_not_there(system: System, ada: str, eve: str) -> None:
    booking = await system.create(ADA, ada, await on_sale(system))
    texts = []
    for booking_id in (booking.id, str(uuid.uuid4())):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await system.get(booking_id, eve)
        texts.append((refused.value.details() or "").replace(booking_id, "ID"))
    assert texts[0] == texts[1]


async def test_another_users_key_is_ones_own(system: System, ada: str, eve: str) -> None:
    event = await on_sale(system)
    hers = await system.create(ADA, ada, event, "key")
    assert (await system.create(EVE, eve, event, "key")).id != hers.id


async def test_nobody_books_or_lists_in_anothers_name(
    system: System, ada: str, eve: str, bookings_sql: psycopg.Connection, events_sql: psycopg.Connection
) -> None:
    event = await on_sale(system)
    await system.create(ADA, ada, event, "key")
    before = written(bookings_sql, events_sql)
    for user_id in (ADA, ADA.upper(), "", "somebody else"):
        for call in (system.create(user_id, eve, event, "key"), system.list(user_id, eve)):
            assert (await refusal(call))[:2] == (CODES.PERMISSION_DENIED, "NOT_ALLOWED")
    assert written(bookings_sql, events_sql) == before


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.SERVICE])
async def test_other_roles_have_no_part_in_bookings(
    system: System, ada: str, role: Role, bookings_sql: psycopg.Connection, events_sql: psycopg.Connection
) -> None:
    event = await on_sale(system)
    booking = await system.create(ADA, ada, event, "key")
    before = written(bookings_sql, events_sql)
    token = service_token(system.folder) if role is Role.SERVICE else user_token(system.folder, ADA, role)
    calls = (
        system.get(booking.id, token),
        system.cancel(booking.id, token),
        system.list(ADA, token),
        system.create(ADA, token, event),
    )
    for call in calls:
        assert (await refusal(call)).code is CODES.PERMISSION_DENIED
    assert written(bookings_sql, events_sql) == before


async def test_without_a_token_nothing_is_answered(
    system: System, ada: str, bookings_sql: psycopg.Connection, events_sql: psycopg.Connection
) -> None:
    booking = await system.create(ADA, ada, await on_sale(system))
    before = written(bookings_sql, events_sql)
    pretending = (("x-user-id", ADA), ("x-roles", "admin"))
    for method, request in (
        (system.bookings.GetBooking, pb.GetBookingRequest(booking_id=booking.id)),
        (system.bookings.CancelBooking, pb.CancelBookingRequest(booking_id=booking.id)),
        (system.bookings.ListUserBookings, pb.ListUserBookingsRequest(user_id=ADA)),
    ):
        assert (await refusal(method(request, metadata=pretending))).code is CODES.UNAUTHENTICATED
    assert written(bookings_sql, events_sql) == before


async def test_an_admin_may_do_all_of_it(system: System, ada: str, admin: str) -> None:
    event = await on_sale(system)
    booking = await system.create(ADA, ada, event)
    assert (await system.get(booking.id, admin)).booking.user_id == ADA
    assert await system.list(ADA, admin) == [booking.id]
    assert (await system.create(ADA, admin, event)).user_id == ADA
    assert (await system.cancel(booking.id, admin)).success


async def test_without_the_rule_the_booking_is_there(
    system: System, ada: str, eve: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of these tests: it is the rule that keeps it from others."""
    booking = await system.create(ADA, ada, await on_sale(system))

    async def everybody(self: rules.OwnBookings, booking_id: uuid.UUID) -> str:
        del self, booking_id
        return EVE

    monkeypatch.setattr(rules.OwnBookings, "_owner", everybody)
    assert (await system.get(booking.id, eve)).booking.user_id == ADA
    assert (await system.cancel(booking.id, eve)).success


@pytest.mark.parametrize("booking_id", ["", "x", "'; DROP TABLE bookings; --"])
async def test_what_is_no_id_is_said_to_be_none(system: System, eve: str, booking_id: str) -> None:
    bad = Refusal(CODES.INVALID_ARGUMENT, "INVALID_FIELD", "booking_id")
    assert await refusal(system.get(booking_id, eve)) == bad
