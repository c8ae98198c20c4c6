"""5.2 The gateway serves REST to those who may, and to nobody too often."""

from checklist.asking import field
from checklist.gateway import Gateway, event_path
from checklist.listening import Listening, Stream
from checklist.people import Person
from checklist.selling import Selling, nobodys_id

from workbook.checks.verdict import expect


def test_told_at_once(gateway: Gateway, selling: Selling) -> None:
    """Who watches an event is told at once how many tickets are left."""
    event = selling.on_sale()
    with Listening(gateway, event.id) as stream:
        told = stream.next()
    left = selling.left(event)
    same = field(told, "available") == left or not event.ours
    expect(same, f"a stream began with {told}, and {left} tickets are left", "tell the number of this moment first")


def test_told_of_changes(gateway: Gateway, selling: Selling, ada: Person) -> None:
    """… and at each change."""
    event = selling.on_sale()
    with Listening(gateway, event.id) as stream:
        stream.next()
        selling.booked(ada, event, 2)
        _until(stream, event.capacity - 2)


def _until(stream: Stream, left: int) -> None:
    told: object = "nothing"
    while (change := stream.maybe()) is not None:
        told = change
        if field(change, "available") == left:
            return
    expect(False, f"2 tickets were booked, and the stream told {told}", "tell each change to whoever watches")


def test_of_nothing(gateway: Gateway, selling: Selling) -> None:
    """An event that nobody has cannot be watched."""
    with Listening(gateway, selling.on_sale().id):
        pass
    answer = gateway.ask("GET", f"{event_path(nobodys_id())}/availability", "of an event that nobody has")
    answer.refused(404, todo="answer 404 before the stream begins")
