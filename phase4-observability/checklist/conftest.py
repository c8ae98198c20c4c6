"""What phase 4's checks are given: callers of both services, pages, Prometheus, Grafana, traces, and the stories."""

from collections.abc import Iterator, Mapping

import pytest
from checklist.callers import Buyers, Sellers
from checklist.contract import BOOKING
from checklist.event_contract import EVENT
from checklist.grafana import Grafana
from checklist.holding import Held, hold
from checklist.messages import Log, opened
from checklist.page import Figures
from checklist.prometheus import Prometheus
from checklist.shown import PAGES, Shown
from checklist.stores import Store, store_of
from checklist.tallies import ALONE
from checklist.traced import Traced, followed
from checklist.visit import Visit, Visiting

from workbook.checks.parts import KAFKA, silence_of
from workbook.checks.system import System
from workbook.checks.verdict import Wrong, not_run


@pytest.fixture(scope="session")
def buyers(system: System) -> Iterator[Buyers]:
    with Buyers.connected(system, "booking-service", BOOKING) as client:
        yield client


@pytest.fixture(scope="session")
def sellers(system: System) -> Iterator[Sellers]:
    with Sellers.connected(system, "event-service", EVENT) as client:
        yield client


@pytest.fixture(scope="session")
def pages(system: System) -> Mapping[str, Shown]:
    """The pages that can be read, by their names."""
    given = {name: Shown(system.addresses[name], system.within) for name in PAGES if name in system.addresses}
    return {name: page for name, page in given.items() if _is_read(page)}


@pytest.fixture(scope="session")
def some_pages(system: System, pages: Mapping[str, Shown]) -> Mapping[str, Shown]:
    """For checks of figures: at least the booking service's page is there."""
    system.address(ALONE)
    if ALONE not in pages:
        not_run("needs a page that can be read, see above")
    return pages


@pytest.fixture(scope="session")
def log(system: System) -> Iterator[Log | None]:
    """What comes to Kafka from now on; None where it is not given, or does not answer."""
    if KAFKA not in system.addresses or silence_of(KAFKA, system.addresses[KAFKA], system.patience):
        yield None
        return
    with opened(system.addresses[KAFKA], system.patience) as log:
        yield log


@pytest.fixture(scope="session")
def visit(log: Log | None, pages: Mapping[str, Shown], buyers: Buyers, sellers: Sellers) -> Visit:
    """What the checks did, whatever came of it."""
    del log  # it is opened before anything is booked
    return Visiting(pages, buyers, sellers).go()


@pytest.fixture(scope="session")
def counted(some_pages: Mapping[str, Shown], visit: Visit) -> Visit:
    """The same, for checks of figures."""
    del some_pages
    return visit


@pytest.fixture(scope="session")
def figures(counted: Visit) -> Figures:
    """What the booking service's page showed after it."""
    return counted.after[ALONE]


@pytest.fixture(scope="session")
def prometheus(system: System) -> Prometheus:
    """A Prometheus that answers."""
    address = system.address("prometheus")
    if silence_of("prometheus", address, system.patience):
        not_run("needs a Prometheus that answers, see above")
    return Prometheus(address, system.patience)


@pytest.fixture(scope="session")
def held(system: System, visit: Visit, pages: Mapping[str, Shown], buyers: Buyers, sellers: Sellers) -> Held:
    """What happened while the event service was paused."""
    del visit  # first what happens when all is well
    system.needs_pause()
    address = system.addresses.get("prometheus", "")
    answers = address and not silence_of("prometheus", address, system.patience)
    watching = Prometheus(address, system.patience) if answers else None
    return hold(system, pages.get(ALONE), buyers, sellers, watching)


@pytest.fixture(scope="session")
def store(system: System) -> Store:
    """Where traces are asked for."""
    found = store_of(system)
    if silence_of(found.name, found.address, system.patience):
        not_run("needs a store of traces that answers, see above")
    return found


@pytest.fixture(scope="session")
def traced(system: System, store: Store, visit: Visit, log: Log | None) -> Traced:
    """The traces of what the checks did, once they are whole, or nothing more comes."""
    return followed(store, visit, log, 2 * system.within)


@pytest.fixture(scope="session")
def grafana(system: System) -> Grafana:
    """A Grafana that answers."""
    address = system.address("grafana")
    if silence_of("grafana", address, system.patience):
        not_run("needs a Grafana that answers, see above")
    return Grafana(address, system.patience)


def _is_read(page: Shown) -> bool:
    try:
        page.figures()
    except Wrong:
        return False
    return True
