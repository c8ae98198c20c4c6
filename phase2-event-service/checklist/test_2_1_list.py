"""2.1 Event Service works."""

from collections.abc import Mapping

import pytest
from checklist.client import Code, Request, fresh
from checklist.events import Events, some_day

from workbook.checks.verdict import expect

SIZE = 2
DAY = 24 * 3600
NEVER_GIVEN_OUT = "not one of yours"


def _names(found: list[object]) -> list[str]:
    return [getattr(event, "name", "") for event in found]


def test_complete(events: Events) -> None:
    """ListEvents has every event once, soonest first."""
    venue, first = fresh("venue"), some_day()["seconds"]
    for days, name in ((2, "third"), (0, "first"), (1, "second")):
        events.made(name=name, venue=venue, starts_at={"seconds": first + days * DAY})
    found = _names(events.of_venue(venue))
    expect(sorted(found) == ["first", "second", "third"], f"ListEvents has {found} of 3 events", "list each once")
    expect(found == ["first", "second", "third"], f"ListEvents is in the order {found}", "ORDER BY starts_at, id")


FILTERS = ("kind", "starts_from", "starts_before", "venue", "only_available")


@pytest.mark.parametrize("field", FILTERS)
def test_filter(events: Events, field: str) -> None:
    """The filter leaves out what it should, and nothing else."""
    events.needs("ListEventsRequest", *dict.fromkeys(["venue", field]))
    hall, day = fresh("hall"), some_day()["seconds"]
    wanted = events.made(kind="match", venue=f"{hall} 100% Arena", starts_at={"seconds": day})
    events.made(kind="theatre", venue=f"{hall} 100 Arenas", starts_at={"seconds": day + DAY})
    if field == "only_available":
        events.change(wanted.id, -wanted.capacity).ok()
    cases: Mapping[str, tuple[Request, set[str]]] = {
        "kind": ({"kind": "match"}, {"match"}),
        "starts_from": ({"starts_from": {"seconds": day + 1}}, {"theatre"}),
        "starts_before": ({"starts_before": {"seconds": day + DAY}}, {"match"}),
        "venue": ({"venue": f"{hall} 100% ARE".upper()}, {"match"}),
        "only_available": ({"only_available": True}, {"theatre"}),
    }
    asked, kept = cases[field]
    found = {event.kind for event in events.listed(**{"venue": hall, **asked})}
    expect(
        found == kept,
        f"of a match and a theatre play, ListEvents by {field} found {sorted(found) or 'nothing'}, not {sorted(kept)}",
        "all filters must hold; a venue is found by any part of its name, in any case, and % is a letter like others",
    )


@pytest.fixture
def _paged(events: Events) -> None:
    events.needs("ListEventsRequest", "venue", "page_size", "page_token")
    events.needs("ListEventsResponse", "next_page_token")


@pytest.mark.usefixtures("_paged")
def test_page_size(events: Events) -> None:
    """A page has as many events as asked for, and says whether there are more."""
    venue = fresh("venue")
    for _ in range(SIZE + 1):
        events.made(venue=venue)
    first = events.page(venue=venue, page_size=SIZE).ok()
    expect(
        len(first.events) == SIZE,
        f"ListEvents with page_size {SIZE} of {SIZE + 1} events answered {len(first.events)}",
        "answer at most page_size events: LIMIT $2",
    )
    expect(first.next_page_token, "ListEvents has more and answered an empty next_page_token", "say where it goes on")
    last = events.page(venue=venue, page_size=SIZE, page_token=first.next_page_token).ok()
    expect(
        not last.next_page_token,
        "ListEvents answered a next_page_token on the last page",
        "leave it empty when nothing follows: read one row more than asked for, to know",
    )


@pytest.mark.usefixtures("_paged")
def test_pages_stand_still(events: Events) -> None:
    """Pages have each event once, also of one moment, also when one is added in between."""
    venue, day = fresh("venue"), some_day()["seconds"]
    made = [events.made(venue=venue, starts_at={"seconds": day}).id for _ in range(2 * SIZE + 1)]
    seen, token = [], ""
    for _ in made:
        page = events.page(venue=venue, page_size=SIZE, page_token=token).ok()
        seen += [event.id for event in page.events]
        token = page.next_page_token
        if not token:
            break
        events.made(venue=venue, starts_at={"seconds": day - DAY})
    repeated = len(seen) - len(set(seen))
    expect(
        not repeated,
        f"pages repeat {repeated} events when one is added before them",
        "let the token say behind which event the next page starts; OFFSET counts rows that move",
    )
    lost = len(set(made) - set(seen))
    expect(
        not lost, f"pages lost {lost} of {len(made)} events of one moment", "start behind (starts_at, id), not a time"
    )


@pytest.mark.usefixtures("_paged")
def test_page_token(events: Events) -> None:
    """A page token that was never given out is refused."""
    answer = events.page("with a page_token it never gave out", page_token=NEVER_GIVEN_OUT)
    answer.refused(Code.INVALID_ARGUMENT, todo="answer INVALID_ARGUMENT: page one again would send clients in circles")
