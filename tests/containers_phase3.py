"""What holds for containers with Kafka, whatever later phases add: bookings are told and counted, whoever is dead."""

from contextlib import suppress

from confluent_kafka import KafkaException

from tests.containers import KAFKA
from tests.containers_phase2 import BOOKINGS, METRICS, books, broken
from tests.waiting import until
from workbook.compose import ComposeStack
from workbook.counted import figures
from workbook.props.topics import ends

CONFIRMED = 'bookings_total{status="confirmed"}'


class ToldToKafka:
    """Tests for the `stack` of the module that takes them over."""

    def test_a_booking_is_told_and_counted(self, stack: ComposeStack) -> None:
        until(lambda: not broken(stack))
        counted, told = figures(stack, METRICS)[CONFIRMED], messages(stack)
        assert books(stack)
        until(lambda: figures(stack, METRICS)[CONFIRMED] == counted + 1)
        assert messages(stack) == told + 1

    def test_bookings_go_on_while_kafka_and_the_consumer_are_dead(self, stack: ComposeStack) -> None:
        stack.kill(KAFKA, METRICS)
        try:
            assert all(books(stack) for _ in range(20))
            assert figures(stack, BOOKINGS)["outbox_messages_waiting"] == 20
            assert {each.law for each in broken(stack)} == {"I4"}, "the law sees what was not counted"
            self.meanwhile(stack)
        finally:
            stack.start()
        until(lambda: not broken(stack))
        assert figures(stack, BOOKINGS)["outbox_messages_waiting"] == 0

    def meanwhile(self, stack: ComposeStack) -> None:
        """What a later phase sees while messages wait."""


def messages(stack: ComposeStack) -> int:
    """How many are on Kafka, as this machine sees it."""
    behind_the_last: list[int] = []

    def known() -> bool:
        with suppress(KafkaException):  # just started, a broker does not know yet who leads a partition
            behind_the_last[:] = [end for _, end in ends(stack.address(KAFKA), "bookings").values()]
        return bool(behind_the_last)

    until(known)
    assert len(behind_the_last) == 6, "made with its partitions, not by the first to ask for it"
    return sum(behind_the_last)
