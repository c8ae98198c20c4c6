"""What people write first for task 4.10, and how the check answers."""

from workbook.lesson.task import WrongAnswer

RIGHT = """\
    now = evidence.now
    if not now.metrics_consumer_up:
        return Cause.CONSUMER_HANGS
    if now.dead_per_second > 0:
        return Cause.UNREADABLE
    if now.relays_that_lead == 0:
        return Cause.NOBODY_RELAYS
    if now.sent_per_second == 0:
        return Cause.KAFKA_FROZEN
    if now.counted_per_second == 0:
        return Cause.COUNTS_LOCKED
    if now.reserve_asked_ms < now.create_booking_ms / 2:
        return Cause.BOOKINGS_LOCKED
    if now.reserve_answered_ms > now.reserve_asked_ms / 2:
        return Cause.ROW_LOCKED
    return Cause.EVENT_SERVICE_HANGS
"""
_LEADS = """\
    if now.relays_that_lead == 0:
        return Cause.NOBODY_RELAYS
"""
_UP = """\
    if not now.metrics_consumer_up:
        return Cause.CONSUMER_HANGS
"""
_DEAD = """\
    if now.dead_per_second > 0:
        return Cause.UNREADABLE
"""
_KNOWS = """\
    if now.reserve_answered_ms > now.reserve_asked_ms / 2:
        return Cause.ROW_LOCKED
"""
_SLOWEST = """\
    slowest = max((span for span in evidence.trace if span.kind == "CLIENT"), key=lambda span: span.milliseconds)
    service = {"event.EventService/ReserveTickets": Cause.EVENT_SERVICE_HANGS, "UPDATE bookings": Cause.BOOKINGS_LOCKED}
    return service[slowest.name]
"""


def _but(old: str, new: str) -> str:
    return RIGHT.replace(old, new)


WRONG = (
    WrongAnswer(
        "always Kafka", code="    return Cause.KAFKA_FROZEN\n", says="then messages would wait in the outbox, but"
    ),
    WrongAnswer(
        "always the service that is slow",
        code=_but(_KNOWS, ""),
        says="then event-service itself would tell of quick answers",
    ),
    WrongAnswer(
        "always a lock",
        code=_but("reserve_answered_ms > now.reserve_asked_ms / 2", "reserve_asked_ms > 0"),
        says="then event-service itself would see that its answers take long",
    ),
    WrongAnswer("forgets to ask who leads", code=_but(_LEADS, ""), says="then a relay would lead, and not get rid of"),
    WrongAnswer("forgets who is down", code=_but(_UP, ""), says="(CONSUMER_HANGS): you say"),
    WrongAnswer("forgets the dead letters", code=_but(_DEAD, ""), says="(UNREADABLE): you say"),
    WrongAnswer(
        "what is not counted hangs",
        code=_but("return Cause.COUNTS_LOCKED", "return Cause.CONSUMER_HANGS"),
        says="then metrics-consumer would not answer, but metrics_consumer_up is 1",
    ),
    WrongAnswer(
        "who is down has a lock",
        code=_but("return Cause.CONSUMER_HANGS", "return Cause.COUNTS_LOCKED"),
        says="then metrics-consumer would answer, but metrics_consumer_up is 0",
    ),
    WrongAnswer(
        "looks at bookings alone",
        code=_but("now.sent_per_second == 0", "now.failed_per_second > 0"),
        says="(KAFKA_FROZEN): you say",
    ),
    WrongAnswer(
        "the wrong table",
        code=_but("return Cause.BOOKINGS_LOCKED", "return Cause.ROW_LOCKED"),
        says="then most of a booking's time would go to its call",
    ),
    WrongAnswer("looks at what was before", code=_but("evidence.now", "evidence.before"), says="you say"),
    WrongAnswer("names of its own", code=_but("Cause.UNREADABLE", '"poison"'), says="which is no Cause"),
    WrongAnswer("leaves the rest open", code=_but("    return Cause.EVENT_SERVICE_HANGS\n", ""), says="gives None"),
    WrongAnswer("the longest span alone", code=_SLOWEST, says="whoever hangs does not know it"),
)
