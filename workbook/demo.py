"""A short demo of real calls against a running system: the first thing `./learn up` shows."""

import time
from collections.abc import Callable

import grpc
from rich.table import Table

from workbook.bearer import Token, with_token
from workbook.call import Json, ReflectedServer
from workbook.terminal import console

BOOKING = "booking.BookingService"
EVENT = "event.EventService"
_Call = Callable[[str, str, Json], Json]


def demo(booking_address: str, event_address: str | None = None, token: Token | None = None) -> str:
    """Books and cancels tickets, and shows what each call answered in what time; returns an event to book.

    With an event service (from phase 2 on) the tickets are counted; without one every event has tickets. `token` gives
    one of somebody who may book for others, where the services ask for it.
    """
    event_id = "jazz-night"
    table = Table("call", "", "answer", "ms", box=None, pad_edge=False, header_style="dim")
    with with_token(grpc.insecure_channel(booking_address), token) as bookings:
        book = _shown(table, bookings, BOOKING)
        if event_address is None:
            _book_and_cancel(book, event_id)
        else:
            with with_token(grpc.insecure_channel(event_address), token) as events:
                ask = _shown(table, events, EVENT)
                _from_three_tickets(book, ask)
                event_id = _put_on_sale(ask, 100)
    console.print("\n[bold]Demo[/]: real calls, just made")
    console.print(table)
    return event_id


def _book_and_cancel(book: _Call, event_id: str) -> None:
    key = f"demo-{time.time_ns()}"
    wish = {"user_id": "ada", "event_id": event_id, "ticket_count": 2, "idempotency_key": key}
    booking = book("2 tickets for ada", "CreateBooking", wish)["booking"]
    book("the same call, retried", "CreateBooking", wish)
    book("that booking", "GetBooking", {"booking_id": booking["id"]})
    book("all of ada's", "ListUserBookings", {"user_id": "ada"})
    book("give them back", "CancelBooking", {"booking_id": booking["id"], "reason": "the band is ill"})
    book("that booking, now", "GetBooking", {"booking_id": booking["id"]})


def _from_three_tickets(book: _Call, ask: _Call) -> None:
    event_id = _put_on_sale(ask, 3)
    wish = {"user_id": "ada", "event_id": event_id, "ticket_count": 2, "idempotency_key": f"demo-{time.time_ns()}"}
    booking = book("2 tickets for ada", "CreateBooking", wish)["booking"]
    book("the same call, retried", "CreateBooking", wish)
    book("2 tickets for eve", "CreateBooking", {"user_id": "eve", "event_id": event_id, "ticket_count": 2})
    book("ada gives hers back", "CancelBooking", {"booking_id": booking["id"], "reason": "the band is ill"})
    book("eve tries again", "CreateBooking", {"user_id": "eve", "event_id": event_id, "ticket_count": 2})
    ask("tickets left", "GetEvent", {"event_id": event_id})


def _put_on_sale(ask: _Call, tickets: int) -> str:
    new = {"name": "Jazz night", "kind": "concert", "starts_at": "2099-12-31T20:00:00Z", "venue": "Babylon"}
    event_id: str = ask(f"{tickets} tickets on sale", "CreateEvent", {**new, "capacity": tickets})["event"]["id"]
    return event_id


def _shown(table: Table, channel: grpc.Channel, service: str) -> _Call:
    server = ReflectedServer(channel)

    def call(said: str, method: str, request: Json) -> Json:
        began = time.perf_counter()
        try:
            answer = server.call(f"{service}/{method}", request)
            told = _short(answer)
        except grpc.RpcError as refusal:
            answer, told = {}, f"{refusal.code().name}: {refusal.details()}"
        table.add_row(method, f"[dim]{said}[/]", told, f"{(time.perf_counter() - began) * 1000:.1f}")
        return answer

    return call


def _short(answer: Json) -> str:
    if "event" in answer:
        return f"{answer['event'].get('available_tickets', 0)} of {answer['event']['capacity']} tickets left"
    bookings = answer.get("bookings", [answer["booking"]] if "booking" in answer else [])
    told = [f"{booking['id'][:8]}… {booking['status']}" for booking in bookings]
    return ", ".join(told) or "done"
