"""What people write first for task 4.6, and how the check answers."""

from workbook.lesson.source import NEXT
from workbook.lesson.task import WrongAnswer

_PANEL = """\
    steps = [{"color": "green", "value": None}, {"color": "red", "value": objective}]
    return {
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": "{{method}}", "exemplar": True}],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": {"mode": "line"}},
            },
            "overrides": [],
        },
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
    }
"""
_P99 = """\
P99_PANEL = panel(
    "p99 of bookings",
    'histogram_quantile(0.99, sum by (le) (rate(grpc_request_duration_seconds_bucket{side="server", '
    'method="booking.BookingService/CreateBooking"}[5m])))',
    "s",
    0.25,
)
"""
_BUCKETS = "grpc_request_duration_seconds_bucket"
_MATCHERS = '{side="server", method="booking.BookingService/CreateBooking"}'


def _panel(old: str, new: str) -> str:
    return _PANEL.replace(old, new) + NEXT + _P99


def _p99(old: str, new: str) -> str:
    return _PANEL + NEXT + _P99.replace(old, new)


def _asks(expression: str) -> str:
    return f"{_PANEL}{NEXT}P99_PANEL = panel('p99 of bookings', {expression!r}, 's', 0.25)\n"


WRONG = (
    WrongAnswer(
        "the source by its name",
        code=_panel('{"type": "prometheus", "uid": "prometheus"}', '"Prometheus"'),
        says="A name is for people and changes",
    ),
    WrongAnswer("another uid", code=_panel('"uid": "prometheus"', '"uid": "${DS_PROMETHEUS}"'), says="datasource is"),
    WrongAnswer("no refId", code=_panel('"refId": "A", ', ""), says="has no refId"),
    WrongAnswer("no exemplars", code=_panel(', "exemplar": True', ""), says="shows the way to the traces"),
    WrongAnswer("no legend", code=_panel('"legendFormat": "{{method}}", ', ""), says="the whole expression"),
    WrongAnswer("too wide", code=_panel('"x": 0, "y": 0, "w": 12', '"x": 12, "y": 0, "w": 24'), says="24 columns"),
    WrongAnswer("no threshold", code=_panel(', {"color": "red", "value": objective}', ""), says="no threshold at 1000"),
    WrongAnswer(
        "always the same threshold", code=_panel('"value": objective', '"value": 0.25'), says="no threshold at"
    ),
    WrongAnswer("always the same unit", code=_panel('"unit": unit', '"unit": "s"'), says="its unit is 's', 'short'"),
    WrongAnswer("a threshold that nobody sees", code=_panel('"mode": "line"', '"mode": "off"'), says="nobody sees"),
    WrongAnswer("a threshold in percent", code=_panel("absolute", "percentage"), says='"absolute", in the unit'),
    WrongAnswer("no step from below on", code=_panel('"value": None', '"value": 0'), says="from below on"),
    WrongAnswer("the old graph", code=_panel("timeseries", "graph"), says="'timeseries' is right"),
    WrongAnswer("milliseconds", code=_p99('"s"', '"ms"'), says="its unit is 'ms', 's' is right"),
    WrongAnswer("a threshold of 250 seconds", code=_p99("0.25", "250"), says="no threshold at 0.25"),
    WrongAnswer("a slip in the name", code=_p99("duration_seconds", "durations_seconds"), says="nobody has a figure"),
    WrongAnswer("a label that is not there", code=_p99("side=", "kind="), says="has no label kind"),
    WrongAnswer("a parenthesis is missing", code=_p99("[5m])))", "[5m]))"), says="arenthes"),
    WrongAnswer(
        "all methods",
        code=_asks(f'histogram_quantile(0.99, sum by (le) (rate({_BUCKETS}{{side="server"}}[5m])))'),
        says="this gives something else",
    ),
    WrongAnswer("both sides", code=_p99('side="server", ', ""), says="this gives something else"),
    WrongAnswer("no range to speak of", code=_p99("[5m]", "[5s]"), says="range that holds some samples"),
    WrongAnswer("each copy for itself", code=_p99("sum by (le)", "sum by (le, instance)"), says="no line or several"),
    WrongAnswer("buckets not summed", code=_p99("sum by (le) ", ""), says="no line or several"),
    WrongAnswer("without le", code=_p99("sum by (le)", "sum by (method)"), says="no line or several"),
    WrongAnswer("the median", code=_p99("0.99", "0.5"), says="this gives something else"),
    WrongAnswer(
        "the average",
        code=_asks(
            f"sum(rate(grpc_request_duration_seconds_sum{_MATCHERS}[5m])) / "
            f"sum(rate(grpc_request_duration_seconds_count{_MATCHERS}[5m]))"
        ),
        says="cannot tell a p99",
    ),
    WrongAnswer(
        "what is recorded",
        code=_asks('job_method:grpc_request_duration_seconds:p99_5m{method="booking.BookingService/CreateBooking"}'),
        says="has lost its exemplars",
    ),
)
