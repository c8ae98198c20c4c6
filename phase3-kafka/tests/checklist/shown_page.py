"""A page for Prometheus that goes away as a killed process does."""

from collections.abc import Callable

from tests.checklist.answering import Answering


def text_of(figures: dict[str, float]) -> str:
    """Figures by name and labels, such as `bookings_total{status="confirmed"}`."""
    return "".join(f"{name} {value:g}\n" for name, value in figures.items())


def shown_page(render: Callable[[], str]) -> Answering:
    """Shows what `render` says, whatever path is asked for."""
    return Answering(lambda _: (200, "", render()))
