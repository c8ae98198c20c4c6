"""What people write first for task 4.5, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_REQUESTS = 'sum by (method) (rate(grpc_requests_total{side="server"}[5m]))'
_FAULTS = 'sum(rate(grpc_requests_total{side="server", code=~"FAULTS"}[5m]))'
_ALL = 'sum(rate(grpc_requests_total{side="server"}[5m]))'
_BUCKETS = 'rate(grpc_request_duration_seconds_bucket{side="server", method="CREATE"}[5m])'
_P99 = f"histogram_quantile(0.99, sum by (le) ({_BUCKETS}))"


def _answer(requests: str = _REQUESTS, share: str = f"{_FAULTS} / {_ALL}", p99: str = _P99) -> str:
    return f"""\
REQUESTS = {requests!r}
FAULT_SHARE = {share!r}.replace("FAULTS", FAULTS)
P99 = {p99!r}.replace("CREATE", CREATE_BOOKING)
"""


WRONG = (
    WrongAnswer(
        "no rate",
        code=_answer('sum by (method) (grpc_requests_total{side="server"})'),
        says="So many since the processes began",
    ),
    WrongAnswer(
        "the sum before the rate",
        code=_answer('rate(sum by (method) (grpc_requests_total{side="server"})[5m:15s])'),
        says="restarted two minutes ago: booking.BookingService/CreateBooking has 102.1 requests a second",
    ),
    WrongAnswer(
        "the callers' side, too",
        code=_answer("sum by (method) (rate(grpc_requests_total[5m]))"),
        says="with them each is counted twice",
    ),
    WrongAnswer(
        "increase",
        code=_answer(_REQUESTS.replace("rate(", "increase(")),
        says="how many a second says rate, not increase",
    ),
    WrongAnswer("irate", code=_answer(_REQUESTS.replace("rate(", "irate(")), says="as with irate or a short window"),
    WrongAnswer(
        "a window shorter than a scrape",
        code=_answer(_REQUESTS.replace("5m", "10s")),
        says="there is no answer. A rate needs two scrapes in its window, and they are 15 s apart",
    ),
    WrongAnswer("one minute", code=_answer(_REQUESTS.replace("5m", "1m")), says="as with irate or a short window"),
    WrongAnswer(
        "a quarter of an hour",
        code=_answer(_REQUESTS.replace("5m", "15m")),
        says="has 21.5 requests a second, 7.87 is right",
    ),
    WrongAnswer(
        "by nothing",
        code=_answer(_REQUESTS.replace(" by (method)", "")),
        says="an answer has the labels {}; `sum by (method)`",
    ),
    WrongAnswer("the mean", code=_answer(_REQUESTS.replace("sum by", "avg by")), says="That is a mean of series"),
    WrongAnswer("no idle methods", code=_answer(f"{_REQUESTS} > 0"), says="CancelBooking is not in the answer"),
    WrongAnswer(
        "the rate of a gauge",
        code=_answer(_REQUESTS.replace("requests_total", "requests_in_flight")),
        says="CreateBooking has 0.01404 requests a second",
    ),
    WrongAnswer(
        "a slip in a bracket",
        code=_answer(_REQUESTS[:-1]),
        says="Prometheus does not take REQUESTS: 1:66: parse error: unclosed left parenthesis",
    ),
    WrongAnswer(
        "refusals are faults",
        code=_answer(share=f"{_FAULTS} / {_ALL}".replace('=~"FAULTS"', '!="OK"')),
        says="the share is 0.1642, 0.0345 is right. Refusals are in it",
    ),
    WrongAnswer(
        "a share of each series",
        code=_answer(share=f"{_FAULTS} / {_ALL}".replace("sum", "")),
        says="there are 25 answers, one is wanted. Sum the rates of the faults",
    ),
    WrongAnswer(
        "a number by many",
        code=_answer(share=f"{_FAULTS} / {_ALL.removeprefix('sum')}"),
        says="FAULT_SHARE, two replicas, one of them restarted two minutes ago: there is no answer",
    ),
    WrongAnswer(
        "a share of each method",
        code=_answer(share=f"{_FAULTS} / {_ALL}".replace("sum(", "sum by (method) (")),
        says="there are 3 answers, one is wanted. Sum the rates of the faults",
    ),
    WrongAnswer(
        "the mean of the methods' shares",
        code=_answer(share=f"avg({_FAULTS} / {_ALL})".replace("sum(", "sum by (method) (")),
        says="the share is 0.04272, 0.0345 is right",
    ),
    WrongAnswer(
        "the share since the beginning",
        code=_answer(share=f"{_FAULTS} / {_ALL}".replace("rate(", "(").replace("[5m]", "")),
        says="the share is 0.1023, 0.0345 is right",
    ),
    WrongAnswer("in percent", code=_answer(share=f"100 * {_FAULTS} / {_ALL}"), says="That is in percent"),
    WrongAnswer(
        "faults by good ones",
        code=_answer(share=f"{_FAULTS} / ({_ALL} - {_FAULTS})"),
        says="every GetBooking fails: the share is 0.1111, 0.1 is right",
    ),
    WrongAnswer(
        "only what callers see",
        code=_answer(share=f"{_FAULTS} / {_ALL}".replace("server", "client")),
        says="the share is 0.3333, 0.0345 is right",
    ),
    WrongAnswer(
        "no le",
        code=_answer(p99=_P99.replace(" by (le)", "")),
        says="P99, two replicas, one of them restarted two minutes ago: there is no answer",
    ),
    WrongAnswer(
        "each replica's",
        code=_answer(p99=_P99.replace("(le)", "(le, instance)")),
        says="there are 2 answers, one is wanted. Rate of each bucket",
    ),
    WrongAnswer(
        "the mean of p99s",
        code=_answer(p99=f"avg({_P99.replace('(le)', '(le, instance)')})"),
        says="That is the mean of each replica's p99, which is the p99 of nothing",
    ),
    WrongAnswer(
        "the highest p99",
        code=_answer(p99=f"max({_P99.replace('(le)', '(le, instance)')})"),
        says="That is the p99 of the slowest replica",
    ),
    WrongAnswer(
        "buckets since the beginning",
        code=_answer(p99=_P99.replace("rate(", "(").replace("[5m]", "")),
        says="p99 is 0.9146 s, 0.836 s is right",
    ),
    WrongAnswer(
        "all methods", code=_answer(p99=_P99.replace(', method="CREATE"', "")), says="p99 is 0.4542 s, 0.836 s is right"
    ),
    WrongAnswer("99 of 1", code=_answer(p99=_P99.replace("0.99", "99")), says="A quantile is between 0 and 1"),
    WrongAnswer(
        "the mean duration",
        code=_answer(p99=" / ".join(f"sum({_BUCKETS})".replace("_bucket", end) for end in ("_sum", "_count"))),
        says="p99 is 0.1261 s, 0.836 s is right",
    ),
    WrongAnswer("a number", code=_answer() + "P99 = 0.99\n", says="P99 is 0.99: a text in PromQL"),
)
