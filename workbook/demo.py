"""A short demo of real calls against a running system: the first thing `./learn up` shows."""

import time

import grpc
from rich.table import Table

from workbook.call import Json, ReflectedServer
from workbook.terminal import console

BOOKING = "booking.BookingService"


def demo(booking_address: str) -> None:
    """Creates, repeats, reads, lists and cancels a booking, and shows what each call answered in what time."""
    key = f"demo-{time.time_ns()}"
    wish = {"user_id": "ada", "event_id": "jazz-night", "ticket_count": 2, "idempotency_key": key}
    table = Table("call", "", "answer", "ms", box=None, pad_edge=False, header_style="dim", title_justify="left")
    with grpc.insecure_channel(booking_address) as channel:
        server = ReflectedServer(channel)

        def call(said: str, method: str, request: Json) -> Json:
            began = time.perf_counter()
            answer = server.call(f"{BOOKING}/{method}", request)
            table.add_row(method, f"[dim]{said}[/]", _short(answer), f"{(time.perf_counter() - began) * 1000:.1f}")
            return answer

        booking = call("2 tickets for ada", "CreateBooking", wish)["booking"]
        call("the same call, retried", "CreateBooking", wish)
        call("that booking", "GetBooking", {"booking_id": booking["id"]})
        call("all of ada's", "ListUserBookings", {"user_id": "ada"})
        call("give them back", "CancelBooking", {"booking_id": booking["id"], "reason": "the band is ill"})
        call("that booking, now", "GetBooking", {"booking_id": booking["id"]})
    console.print("\n[bold]Demo[/]: real calls, just made")
    console.print(table)


def _short(answer: Json) -> str:
    bookings = answer.get("bookings", [answer["booking"]] if "booking" in answer else [])
    told = [f"{booking['id'][:8]}… {booking['status']}" for booking in bookings]
    return ", ".join(told) or "done"
