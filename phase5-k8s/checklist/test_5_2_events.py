"""5.2 The gateway serves REST to those who may, and to nobody too often."""

from checklist.asking import field, inside
from checklist.gateway import EVENTS, Gateway, event_path
from checklist.people import People, Person
from checklist.selling import ENOUGH, Event, Selling, nobodys_id

from workbook.checks.verdict import expect, not_run

NO_SUCH = (400, 404, 422)


def test_list(selling: Selling, event: Event) -> None:
    """Events are listed, with the tickets left."""
    del event
    listed = selling.events()
    expect(listed, f"GET {EVENTS} lists no event, and there is one", "list what is on sale")
    untold = [each for each in listed if not field(each, "id") or field(each, "capacity") is None]
    expect(not untold, f"GET {EVENTS} lists {untold[:1]}", "show the roadmap's fields: id, name, capacity and so on")


def test_one(gateway: Gateway, selling: Selling, event: Event) -> None:
    """An event is shown by its id, and what nobody has is not."""
    left = selling.left(event)
    expect(0 <= left <= event.capacity, f"an event of {event.capacity} tickets has {left} left", "show what is left")
    for unknown in (nobodys_id(), "nonsense", "%00", "../../etc/passwd"):
        answer = gateway.ask("GET", event_path(unknown), "that nobody has")
        answer.refused(*NO_SUCH, todo="answer 404 for an event that nobody has")


def test_organisers(gateway: Gateway, selling: Selling) -> None:
    """An organiser puts an event on sale."""
    token = gateway.system.token
    if token is None:
        not_run("needs an organiser's token in TICKETS_TOKEN")
    made = selling.put_on_sale(token(), "by an organiser", capacity=ENOUGH)
    if made.is_missing or made.status in {401, 403}:
        not_run(f"needs POST {EVENTS}, and an organiser's token in TICKETS_TOKEN: {made.told()}")
    event = inside(made.ok(), "event")
    shown = inside(gateway.ask("GET", event_path(str(field(event, "id"))), "that was just made").ok(), "event")
    expect(
        field(shown, "capacity") == ENOUGH and field(shown, "available_tickets") == ENOUGH,
        f"an event of {ENOUGH} tickets is shown as {shown}",
        "show capacity and available_tickets as numbers",
    )


def test_customers(selling: Selling, people: People, ada: Person) -> None:
    """A customer may not put events on sale, nor may a stranger."""
    stranger = selling.put_on_sale("", "by a stranger")
    if stranger.is_missing:
        not_run(f"needs POST {EVENTS}: the roadmap names no paths")
    stranger.refused(401, todo="answer 401 to who has no token")
    if people.have_accounts:
        customer = selling.put_on_sale(ada.token, "by a customer")
        customer.refused(403, todo="answer 403: look at the roles in the token")
