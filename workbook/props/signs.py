"""By which signs each cause can be told from all others, and which sign speaks against a wrong one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf, isnan, log

from workbook.props.evidence import Evidence, Figures
from workbook.props.faults import Cause

SLOW = 150  # milliseconds of a booking on average; without a fault it is a tenth of that, on a very busy machine half


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that is so while a cause is at work. `figures` are those that show it."""

    says: str
    figures: Sequence[str]
    holds: Callable[[Figures], bool]


_SLOW = Sign("bookings would be slow", ["create_booking_ms"], lambda now: now.create_booking_ms > SLOW)
_ASKS = Sign(
    "most of a booking's time would go to its call of event-service",
    ["create_booking_ms", "reserve_asked_ms"],
    lambda now: now.reserve_asked_ms > now.create_booking_ms / 2,
)
_ASKS_LITTLE = Sign(
    "a booking's call of event-service would be quick, and its own statements slow",
    ["create_booking_ms", "reserve_asked_ms"],
    lambda now: now.reserve_asked_ms < now.create_booking_ms / 2,
)
_KNOWS = Sign(
    "event-service itself would see that its answers take long: its statement waits",
    ["reserve_asked_ms", "reserve_answered_ms"],
    lambda now: now.reserve_answered_ms > now.reserve_asked_ms / 2,
)
_KNOWS_NOTHING = Sign(
    "event-service itself would tell of quick answers, or of nothing: whoever hangs does not know it",
    ["reserve_asked_ms", "reserve_answered_ms"],
    lambda now: not now.reserve_answered_ms > now.reserve_asked_ms / 2,
)
_FLOWS = Sign(
    "messages would be sent and counted as ever",
    ["sent_per_second", "counted_per_second", "dead_per_second"],
    lambda now: now.sent_per_second > 0 and now.counted_per_second > 0 and now.dead_per_second == 0,
)
_WAITS = Sign("messages would wait in the outbox", ["outbox_oldest_seconds"], lambda now: now.outbox_oldest_seconds > 1)
_LEADS = Sign("a relay would lead, and not get rid of them", ["relays_that_lead"], lambda now: now.relays_that_lead > 0)
_NOBODY = Sign("no relay would lead", ["relays_that_lead"], lambda now: now.relays_that_lead == 0)
_SENT = Sign("messages would be sent", ["sent_per_second"], lambda now: now.sent_per_second > 0)
_UP = Sign("metrics-consumer would answer", ["metrics_consumer_up"], lambda now: now.metrics_consumer_up > 0)
_DOWN = Sign("metrics-consumer would not answer", ["metrics_consumer_up"], lambda now: now.metrics_consumer_up == 0)
_UNCOUNTED = Sign("nothing would be counted", ["counted_per_second"], lambda now: now.counted_per_second == 0)
_DEAD = Sign("messages would be put aside", ["dead_per_second"], lambda now: now.dead_per_second > 0)

SIGNS: Mapping[Cause, Sequence[Sign]] = {
    Cause.EVENT_SERVICE_HANGS: [_SLOW, _FLOWS, _ASKS, _KNOWS_NOTHING],
    Cause.ROW_LOCKED: [_SLOW, _FLOWS, _ASKS, _KNOWS],
    Cause.BOOKINGS_LOCKED: [_SLOW, _FLOWS, _ASKS_LITTLE],
    Cause.KAFKA_FROZEN: [_WAITS, _LEADS],
    Cause.NOBODY_RELAYS: [_WAITS, _NOBODY],
    Cause.CONSUMER_HANGS: [_DOWN],
    Cause.COUNTS_LOCKED: [_UP, _SENT, _UNCOUNTED],
    Cause.UNREADABLE: [_DEAD],
}

PARAGRAPHS: Mapping[Cause, str] = {
    Cause.EVENT_SERVICE_HANGS: "SlowBookingsBurnFast",
    Cause.ROW_LOCKED: "SlowBookingsBurnFast",
    Cause.BOOKINGS_LOCKED: "SlowBookingsBurnFast",
    Cause.KAFKA_FROZEN: "OutboxOld",
    Cause.NOBODY_RELAYS: "OutboxOld",
    Cause.CONSUMER_HANGS: "TargetDown",
    Cause.COUNTS_LOCKED: "ConsumerLag",
    Cause.UNREADABLE: "DeadLetters",
}
"""The alert that each would raise in time, and so its paragraph in phase4-observability/runbook.md."""


def against(claim: Cause, evidence: Evidence) -> str:
    """The first sign that is missing if it were `claim`, with its figures; empty when none is missing."""
    for sign in SIGNS[claim]:
        if not sign.holds(evidence.now):
            shown = ", ".join(f"{name} is {getattr(evidence.now, name):.3g}" for name in sign.figures)
            return f"then {sign.says}, but {shown}"
    return ""


def striking(evidence: Evidence) -> str:
    """The three figures that moved most, as somebody sees them who only looks; one that is gone moved most of all."""
    names = [each.name for each in fields(Figures)]
    pairs = {name: (getattr(evidence.before, name), getattr(evidence.now, name)) for name in names}
    most = sorted(pairs, key=lambda name: _moved(*pairs[name]), reverse=True)[:3]
    return ", ".join(f"{name} was {pairs[name][0]:.3g} and is {pairs[name][1]:.3g}" for name in most)


def _moved(before: float, now: float) -> float:
    return inf if isnan(now) and not isnan(before) else abs(log((now + 0.1) / (before + 0.1)))
