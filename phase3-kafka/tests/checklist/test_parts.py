"""Kafka and the pages beside the services: are they there; and a kill or a pause that is none is seen."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from tests.checklist.answering import Answering
from tests.checklist.shown_page import shown_page, text_of

from workbook.checks.parts import KAFKA, answers_within, silence_of
from workbook.checks.system import System

CONSUMER = "metrics-consumer"
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def page() -> Iterator[Answering]:
    page = shown_page(lambda: text_of({"one_total": 1}))
    page.start()
    yield page
    page.kill()


def test_a_page_answers_and_is_silent(page: Answering) -> None:
    assert silence_of(CONSUMER, page.address, 1) == ""
    assert silence_of(CONSUMER, NOWHERE, 1).startswith(f"http://{NOWHERE}/metrics cannot be read (")
    assert not answers_within(CONSUMER, NOWHERE, 0)


def test_kafka_answers_and_is_silent(broker: str) -> None:
    assert silence_of(KAFKA, broker, 5) == ""
    assert silence_of(KAFKA, NOWHERE, 0.2) == f"no Kafka answers at {NOWHERE} within 0.2 s"


def test_a_consumer_that_is_killed_comes_back(page: Answering) -> None:
    def kill(_: str) -> None:
        page.kill()
        page.start()

    System("a page", {CONSUMER: page.address}, kill).restart(CONSUMER)
    assert silence_of(CONSUMER, page.address, 1) == ""


def test_a_kill_that_kills_nothing_is_no_kill(page: Answering) -> None:
    system = System("a page", {CONSUMER: page.address}, lambda _: None, patience=0.2)
    with pytest.raises(pytest.skip.Exception, match="the restart left the server running"):
        system.restart(CONSUMER)


def test_a_pause_that_pauses_nothing_is_no_pause(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbook.checks.system._SILENCE", 10)
    system = System("a broker", {KAFKA: broker}, pauser=lambda _: nullcontext())
    with pytest.raises(pytest.skip.Exception, match="the pause left the server answering"), system.paused(KAFKA):
        pytest.fail("it is not paused")
