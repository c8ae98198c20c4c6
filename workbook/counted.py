"""What `./learn up` shows from phase 3 on: a message as it is on Kafka, and what the metrics consumer has counted."""

import re
import time
import urllib.request
from typing import Protocol

from confluent_kafka import KafkaException
from rich.markup import escape

from workbook.props.topics import read_all
from workbook.stack import LocalStack
from workbook.terminal import console

_PATIENCE = 10  # seconds for the messages of the demo to be counted
_FIGURE = re.compile(r"^([a-z_]+(?:\{.*\})?) (\S+)$", re.MULTILINE)


class ShowsFigures(Protocol):
    """A stack, local or in containers."""

    def metrics_address(self, name: str, /) -> str: ...


def show_counted(stack: LocalStack) -> None:
    """Waits until every message of the demo is counted, then shows one of them and the counts."""
    give_up_at = time.monotonic() + _PATIENCE
    while not _all_counted(stack) and time.monotonic() < give_up_at:
        time.sleep(0.1)
    try:
        messages = read_all(stack.environment_of("metrics-consumer")["KAFKA_ADDRESS"], "bookings")
    except KafkaException as problem:
        console.print(f"\nKafka does not answer: {escape(str(problem))}")
        return
    if not messages:
        console.print("\nNothing has come to Kafka yet")
        return
    counts = figures(stack, "metrics-consumer")
    confirmed, cancelled = (counts[f'bookings_total{{status="{status}"}}'] for status in ("confirmed", "cancelled"))
    console.print(f"\n[bold]Told[/]: {len(messages)} messages on Kafka ({stack.kafka}), the last one")
    console.print(f"  {escape(messages[-1].value)}", soft_wrap=True)
    console.print(f"[bold]Counted[/]: {confirmed:g} confirmed, {cancelled:g} cancelled; each message once")


def figures(stack: ShowsFigures, service: str) -> dict[str, float]:
    """What a service shows to Prometheus: each line, with its labels, and its value."""
    with urllib.request.urlopen(f"http://{stack.metrics_address(service)}/metrics", timeout=5) as answer:
        return {name: float(value) for name, value in _FIGURE.findall(answer.read().decode())}


def _all_counted(stack: LocalStack) -> bool:
    waiting = figures(stack, "booking-service").get("outbox_messages_waiting", 1)
    lag = {name: value for name, value in figures(stack, "metrics-consumer").items() if name.startswith("consumer_lag")}
    return not waiting and bool(lag) and not sum(lag.values())
