"""3.1 Kafka works."""

from checklist.message_contract import needs_headers, spread
from checklist.messages import CONTRACT, TOPIC
from checklist.story import Story

from workbook.checks.parts import KAFKA, silence_of
from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run


def test_answers(system: System) -> None:
    """Kafka answers, and says which topics it has."""
    silence = silence_of(KAFKA, system.address(KAFKA), system.patience)
    expect(not silence, silence, "start a broker there, and let it advertise an address that is reached from here")


def test_partitions(told: Story) -> None:
    """The topic bookings has several partitions, and bookings are spread over them by their keys."""
    needs_headers(told)
    topics = {message.topic for message in told.messages}
    if topics != {TOPIC}:
        not_run(f"needs the topic {TOPIC}, and messages came in {', '.join(topics)}: {CONTRACT}")
    if told.log.partitions[TOPIC] == 1:
        not_run("needs more than one partition: with one, a group has one consumer that works")
    spread(told.messages)
