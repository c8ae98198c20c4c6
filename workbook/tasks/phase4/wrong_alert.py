"""What people write first for task 4.7, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = '''\
RULES = """
groups:
  - name: mine
    rules:
      - alert: OutboxWaits
        expr: max(outbox_oldest_seconds) > 10
        for: 5s
        labels:
          severity: page
        annotations:
          summary: "the oldest message has waited {{ $value | humanizeDuration }} for Kafka"
          runbook: phase4-observability/runbook.md#outboxold
"""
'''


def _but(old: str, new: str) -> str:
    return _RIGHT.replace(old, new)


def _asks(expression: str) -> str:
    return _but("max(outbox_oldest_seconds) > 10", expression)


WRONG = (
    WrongAnswer("no for", code=_but("        for: 5s\n", ""), says="for 2 s only, and it fires already"),
    WrongAnswer("for too long", code=_but("for: 5s", "for: 1m"), says="at 18 s, 7 s later, it does not fire"),
    WrongAnswer("milliseconds", code=_asks("max(outbox_oldest_seconds) > 10000"), says="it does not fire"),
    WrongAnswer("at least 10 s", code=_asks("max(outbox_oldest_seconds) >= 10"), says="10 s old, not older"),
    WrongAnswer("the rate of a gauge", code=_asks("max(rate(outbox_oldest_seconds[30s])) > 10"), says="does not fire"),
    WrongAnswer(
        "whether it grows", code=_asks("max(deriv(outbox_oldest_seconds[10s])) > 0.5"), says="it fires already"
    ),
    WrongAnswer("how many wait", code=_asks("max(outbox_messages_waiting) > 10"), says="nothing waits, and it fires"),
    WrongAnswer("the sum", code=_asks("sum(outbox_oldest_seconds) > 10"), says="nobody waits 13 s"),
    WrongAnswer("the average", code=_asks("avg(outbox_oldest_seconds) > 10"), says="The worst counts"),
    WrongAnswer("the least", code=_asks("min(outbox_oldest_seconds) > 10"), says="The worst counts"),
    WrongAnswer("each copy for itself", code=_asks("outbox_oldest_seconds > 10"), says="not 0 or 2"),
    WrongAnswer("an alert while it is well", code=_asks("max(outbox_oldest_seconds) == 0"), says="nothing waits"),
    WrongAnswer("the other way round", code=_asks("max(outbox_oldest_seconds) < 10"), says="nothing waits"),
    WrongAnswer(
        "also without a figure",
        code=_asks("max(outbox_oldest_seconds) > 10 or absent(outbox_oldest_seconds)"),
        says="another alert's matter",
    ),
    WrongAnswer(
        "the worst of the last minute",
        code=_asks("max(max_over_time(outbox_oldest_seconds[1m])) > 10"),
        says="a blip",
    ),
    WrongAnswer(
        "goes on firing", code=_but("for: 5s", "for: 5s\n        keep_firing_for: 5m"), says="and it still fires"
    ),
    WrongAnswer("a slip in the name", code=_asks("max(outbox_oldest_second) > 10"), says="which nobody has"),
    WrongAnswer("a parenthesis is missing", code=_asks("max(outbox_oldest_seconds > 10"), says="does not take it"),
    WrongAnswer("no severity", code=_but("        labels:\n          severity: page\n", ""), says="whom to tell"),
    WrongAnswer(
        "no runbook", code=_but("          runbook: phase4-observability/runbook.md#outboxold\n", ""), says="at three"
    ),
    WrongAnswer(
        "a runbook that is not there", code=_but("#outboxold", "#outboxwaits"), says="a paragraph that is there"
    ),
    WrongAnswer("another one's runbook", code=_but("#outboxold", "#consumerlag"), says="leads to consumerlag"),
    WrongAnswer(
        "no number", code=_but(" {{ $value | humanizeDuration }}", " long"), says="how long the oldest message"
    ),
    WrongAnswer(
        "a brace without quotes",
        code=_but('"the oldest message has waited {{', "{{").replace('Kafka"', "Kafka"),
        says="no YAML",
    ),
    WrongAnswer(
        "a rule without its file", code='RULES = "max(outbox_oldest_seconds) > 10"\n', says="begins with `groups:`"
    ),
)
