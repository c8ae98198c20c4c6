"""What phase 5's checks are given: the gateway, people who come to it, and something to book."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from checklist.asking import field
from checklist.described import Described
from checklist.described import described as read
from checklist.gateway import Gateway
from checklist.people import People, Person
from checklist.promises import Promises
from checklist.selling import Event, Selling

from workbook.checks.system import System
from workbook.checks.verdict import Wrong, not_run

Given = TypeVar("Given")


@pytest.fixture(scope="session")
def gateway(system: System) -> Gateway:
    return Gateway(system)


@pytest.fixture(scope="session")
def people(gateway: Gateway) -> People:
    return People(gateway)


@pytest.fixture(scope="session")
def selling(gateway: Gateway) -> Selling:
    return Selling(gateway)


@pytest.fixture(scope="session")
def promises(gateway: Gateway) -> Promises:
    """What its OpenAPI document says."""
    return _or_see_above("an OpenAPI document that can be read", lambda: Promises(gateway))


@pytest.fixture(scope="session")
def ada(people: People) -> Person:
    """A customer."""
    return _or_see_above("a customer who can log in", people.somebody)


@pytest.fixture(scope="session")
def bob(people: People) -> Person:
    """Another one."""
    return _or_see_above("a customer who can log in", people.new)


@pytest.fixture(scope="session")
def event(selling: Selling) -> Event:
    """On sale, for checks that give back what they take."""
    return _or_see_above("an event on sale", selling.on_sale)


@pytest.fixture(scope="session")
def booking(selling: Selling, ada: Person, event: Event) -> Any:
    """Ada's first, of two tickets."""
    return _or_see_above("a booking", lambda: selling.booked(ada, event, 2))


@pytest.fixture(scope="session")
def booking_id(booking: Any) -> str:
    return str(field(booking, "id"))


@pytest.fixture(scope="session")
def described(system: System) -> Described:
    """What its manifests say, by overlay."""
    folder = system.folder("manifests")
    return _or_see_above("manifests that can be read", lambda: read(folder))


def _or_see_above(what: str, make: Callable[[], Given]) -> Given:
    try:
        return make()
    except Wrong:
        not_run(f"needs {what}, see above")
