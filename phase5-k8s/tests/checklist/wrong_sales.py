"""What a gateway can get wrong with events and bookings, a mistake each or a few of a kind."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.checklist.door import STREAM, Reply, Request
from tests.checklist.refusals import Refusal
from tests.checklist.right_gateway import Caller, RightGateway
from tests.checklist.right_sales import Sales, Thing

_A_MOMENT = 0.5  # seconds between looking at a key and keeping it, where nobody else comes


class BooksNothing(RightGateway):
    """Its bookings take no tickets, so it sells more than there are."""

    class sales(Sales):  # noqa: N801 - the part it replaces
        confirmed = "pending"

        def take(self, event: Thing, count: int) -> None:
            pass


class ShowsToAll(RightGateway):
    class sales(Sales):  # noqa: N801 - as above
        def is_own(self, user: str, booking: Thing) -> bool:
            return True


class RefusesAndCancels(RightGateway):
    class sales(Sales):  # noqa: N801 - as above
        def cancel(self, user: str, booking_id: str) -> Thing:
            self.bookings.get(booking_id, {})["status"] = "CANCELLED"
            return super().cancel(user, booking_id)


class TellsWhichThereAre(RightGateway):
    """403 for those of others, 404 for those of nobody."""

    class sales(Sales):  # noqa: N801 - as above
        def not_yours(self, booking: Thing | None) -> Refusal:
            return super().not_yours(booking) if booking is None else Refusal(403, "FORBIDDEN", "it is not yours")


class ListsForAnybody(RightGateway):
    """It lists whose the address says, and without one nobody's."""

    def listed(self, request: Request, user: str) -> Any:
        return self.shop.of_user(request.query.get("user_id", ""))


class GivesBackTwice(RightGateway):
    class sales(Sales):  # noqa: N801 - as above
        def gives_back_again(self) -> bool:
            return True


class CancelsInItsAnswer(RightGateway):
    class sales(Sales):  # noqa: N801 - as above
        def cancel(self, user: str, booking_id: str) -> Thing:
            return {**self.booking(user, booking_id), "status": "CANCELLED"}


class ForgetsKeys(RightGateway):
    class sales(Sales):  # noqa: N801 - as above
        def name_of(self, user: str, key: str) -> Any:
            return object()


class RacesKeys(RightGateway):
    """It looks, and then keeps: between the two there is room, here until somebody else has looked, too."""

    class sales(Sales):  # noqa: N801 - as above
        def __init__(self) -> None:
            super().__init__()
            self._looked: Counter[Any] = Counter()

        def name_of(self, user: str, key: str) -> Any:
            name = super().name_of(user, key)
            if name in self._keys:
                return name
            self._looked[name] += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self._looked[name] > 1, _A_MOMENT)
            return name if name not in self._keys else object()


class SharesKeys(RightGateway):
    """Whoever sends a key gets what it stands for, whatever they asked for."""

    class sales(Sales):  # noqa: N801 - as above
        def name_of(self, user: str, key: str) -> Any:
            return key

        def takes_other_wishes(self) -> bool:
            return True


class TakesWhatItIsTold(RightGateway):
    """A booking is what stands in the body."""

    class sales(Sales):  # noqa: N801 - as above
        def needs_known_fields(self, body: Mapping[str, Any]) -> None:
            pass

        def made(self, user: str, event: Thing, count: int, body: Mapping[str, Any]) -> Thing:
            return {**super().made(user, event, count, body), **body}


class ReadsLoosely(RightGateway):
    """One and a half tickets are one, true is one, and none is one."""

    class sales(Sales):  # noqa: N801 - as above
        def check(self, body: Mapping[str, Any]) -> None:
            count = body.get("ticket_count")
            if isinstance(body.get("event_id"), str) and isinstance(count, (float, int, type(None))):
                body["ticket_count"] = max(min(int(count or 1), 9), 1)  # type: ignore[index]
            super().check(body)


class TakesBeforeItChecks(RightGateway):
    def body(self, request: Request) -> dict[str, Any]:
        try:
            return super().body(request)
        except Refusal:
            for event in self.shop.events.values():
                event["available_tickets"] -= 1
            raise


class SellsForCustomers(RightGateway):
    def put_on_sale(self, request: Request, caller: Caller) -> Reply:
        return Reply(201, self.shop.put_on_sale(self.body(request)))


class HidesEvents(RightGateway):
    """It lists none, shows 500 for one that nobody has, and no numbers for those there are."""

    def about_events(self, request: Request, caller: Caller) -> Reply:
        if request.method == "GET" and request.path == "/v1/events":
            return Reply(200, {"events": []})
        try:
            return super().about_events(request, caller)
        except Refusal as refusal:
            if refusal.status == 404:
                raise Refusal(500, "INTERNAL", "something went wrong") from None
            raise


class ForgetsCapacity(RightGateway):
    class sales(Sales):  # noqa: N801 - as above
        def put_on_sale(self, body: Mapping[str, Any]) -> Thing:
            event = super().put_on_sale(body)
            event["available_tickets"] -= 1
            return event


class TellsNothing(RightGateway):
    """A stream that opens, and then is silent; also of what nobody has."""

    def about_events(self, request: Request, caller: Caller) -> Reply:
        if request.path.endswith("/availability"):
            return Reply(kind=STREAM, pieces=iter([": here\n\n"]))
        return super().about_events(request, caller)


class TellsOnce(RightGateway):
    def told(self, event_id: str) -> Iterator[str]:
        yield next(super().told(event_id))
        yield from ": still here\n\n"
