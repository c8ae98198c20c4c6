"""A page is at rest when what is counted is, though some figures of it move with each look."""

import itertools
from collections.abc import Iterator

import checklist.page
import pytest
from checklist.page import Figures, Page, series

LOOKS, COUNTED = series("looks_total"), series("bookings_total")


class Moving(Page):
    """Each look moves one figure; another goes by `counts`, and stays at the last of them."""

    def __init__(self, counts: list[float]) -> None:
        super().__init__("nowhere", patience=0.1)
        self.looks = itertools.count()
        self.counts: Iterator[float] = itertools.chain(counts, itertools.repeat(counts[-1]))

    def figures(self) -> Figures:
        return {LOOKS: next(self.looks), COUNTED: next(self.counts)}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checklist.page, "SETTLE", 0.001)


def test_what_moves_with_each_look_is_waited_for_once() -> None:
    page = Moving([0])
    page.settled()
    before = next(page.looks)
    page.settled()
    assert next(page.looks) - before == 3, "two looks, and this one"


def test_what_still_comes_is_waited_for() -> None:
    page = Moving([0])
    page.settled()
    page.counts = itertools.chain([1, 2, 3], itertools.repeat(4))
    assert page.settled()[COUNTED] == 4


def test_what_moves_now_and_then_is_not_taken_for_restless() -> None:
    page = Moving([0])
    page.counts = itertools.chain.from_iterable([number] * 3 for number in itertools.count())
    page.settled()
    page.counts = itertools.chain([1, 2], itertools.repeat(3))
    assert page.settled()[COUNTED] == 3


def test_a_wait_with_few_looks_says_nothing_of_what_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checklist.page, "SETTLE", 0.15)
    page = Moving([0, 1, 2])
    page.settled()
    monkeypatch.setattr(checklist.page, "SETTLE", 0.001)
    page.counts = itertools.chain([3, 4], itertools.repeat(5))
    assert page.settled()[COUNTED] == 5
