"""Outboxes as the alert of task 4.7 may find them, a sample a second, and what it should do then."""

from collections.abc import Mapping
from dataclasses import dataclass

from workbook.props.promtool import Question

ALERT = "OutboxWaits"
FIRING = f'count(ALERTS{{alertname="{ALERT}", alertstate="firing"}}) or vector(0)'


@dataclass(frozen=True, slots=True)
class Case:
    """`ages`: what each copy of booking-service shows. At second `at` the alert should fire `times`, 0 or 1."""

    ages: Mapping[str, str]
    at: int
    times: int
    told: str

    @property
    def question(self) -> Question:
        series = {
            f'outbox_oldest_seconds{{job="booking-service", instance="{copy}"}}': v for copy, v in self.ages.items()
        }
        return Question(series | _BESIDES, self.at, FIRING, self.times)


_BESIDES = {
    'outbox_messages_waiting{job="booking-service", instance="a"}': "5000x120",
    'booking_oldest_pending_seconds{job="booking-service", instance="a"}': "90x120",
    'outbox_messages_sent_total{job="booking-service", instance="a"}': "0+50x120",
}
_RISING = "0+1x120"  # a second older each second: nothing is sent

CASES = (
    Case({"a": "0x120"}, 60, 0, "nothing waits, and it fires"),
    Case({"a": "2 8 1 5 0 9 3 1 6 2x20"}, 20, 0, "the oldest message is always younger than 10 s, and it fires"),
    Case({"a": "0 0 12 13 14 0x30"}, 4, 0, "the oldest message has been too old for 2 s only, and it fires already"),
    Case({"a": "0 0 12 13 14 0x30"}, 9, 0, "a blip: too old for 3 s, long over, and it fires"),
    Case(
        {"a": "12 13 14 15 1 12 13 14 15 2 12 13 14 15 1x30"},
        13,
        0,
        "too old for 4 s, then well, again and again: never for 5 s, and it fires",
    ),
    Case({"a": "10x60"}, 30, 0, "the oldest message is 10 s old, not older, and it fires"),
    Case({}, 30, 0, "there is no figure at all, and it fires: that is another alert's matter (TargetDown)"),
    Case({"a": _RISING}, 14, 0, "nothing is sent: at 11 s the oldest is too old; at 14 s, 3 s later, it fires already"),
    Case({"a": _RISING}, 18, 1, "nothing is sent: at 11 s the oldest is too old; at 18 s, 7 s later, it does not fire"),
    Case({"a": _RISING}, 100, 1, "nothing has been sent for 100 s, and it does not fire"),
    Case({"a": "30x120"}, 30, 1, "the oldest message has been 30 s old for half a minute, and it does not fire"),
    Case({"a": "0+1x30 0x30"}, 33, 0, "all was sent 3 s ago, nothing waits, and it still fires"),
    Case({"a": "6x60", "b": "7x60"}, 30, 0, "two copies see an outbox of 6 and 7 s, and it fires: nobody waits 13 s"),
    Case(
        {"a": "14x60", "b": "1x60"},
        30,
        1,
        "one copy sees a message of 14 s, the other has an old view, 1 s: one alert is wanted. The worst counts",
    ),
    Case({"a": "20x60", "b": "20x60"}, 30, 1, "two copies see the same old message: one alert is wanted, not 0 or 2"),
    Case(
        {"a": "0+1x13 _x60", "b": "0+1x80"},
        17,
        1,
        "nothing is sent, and one of two copies dies 2 s after it became serious: 4 s later it does not fire",
    ),
    Case(
        {"a": "0+1x13 _x60", "b": "_x14 14+1x60"},
        18,
        1,
        "nothing is sent, and a copy is replaced by another one, under another address: the clock begins anew with it. "
        "An alert for all copies does not",
    ),
)
