"""What the expression of task 4.6 asks for, and what it tells of made up series."""

from workbook.lesson.task import Wrong
from workbook.props.figures import figures_in, known_figures, labels_in
from workbook.props.promtool import Question, not_so, problem_of_expression

BUCKETS = "grpc_request_duration_seconds_bucket"
METHOD = "booking.BookingService/CreateBooking"


def asks_for_bookings(expression: str) -> None:
    """Grafana says nothing about a figure that nobody has: the panel stays empty, also on the day it is needed."""
    figures = figures_in(expression)
    if unknown := [name for name in figures if name not in known_figures()]:
        raise Wrong(f"{expression}: nobody has a figure {unknown[0]}. phase4-observability/signals.toml names them all")
    labels = {label for name in figures for label in known_figures()[name]}
    if unknown := [label for label in labels_in(expression) if label not in labels]:
        raise Wrong(f"{expression}: {figures[0]} has no label {unknown[0]}; it has {', '.join(sorted(labels))}")
    if BUCKETS not in figures:
        raise Wrong(
            f"{expression}: exemplars hang on the buckets, {BUCKETS}. Average and sum cannot tell a p99, and a "
            "recorded series has lost its exemplars"
        )


def tells_their_p99(expression: str) -> None:
    """By promtool. Two copies serve bookings, the slow one a tenth of them; somebody else's calls are much slower."""
    _parses(expression)
    series = {
        **_series("a", METHOD, {"0.1": 9, "0.25": 9, "0.5": 9, "+Inf": 9}),
        **_series("b", METHOD, {"0.1": 0, "0.25": 0, "0.5": 1, "+Inf": 1}),
        **_series("a", "booking.BookingService/ListBookings", {"0.1": 0, "0.25": 0, "0.5": 0, "+Inf": 9}),
    }
    one, right = f"count({expression})", f"count(({expression}) > 0.46 < 0.49)"
    failed = not_so("groups: []", [Question(series, 600, asked, 1, every=15) for asked in (one, right)])
    if 0 in failed:
        raise Wrong(
            f"{expression}: two copies serve bookings and are asked every 15 s, and it gives no line or several, "
            f'where one is wanted. Is it one method, {METHOD}, side="server", the sum over the copies by le, and a '
            "range that holds some samples?"
        )
    if failed:
        raise Wrong(
            f"{expression}: of ten bookings nine take up to 0.1 s and one up to 0.5 s. Their p99 is 0.475 s by "
            "histogram_quantile, and this gives something else"
        )


def _parses(expression: str) -> None:
    if problem := problem_of_expression(expression):
        raise Wrong(
            f"{expression}: Prometheus does not take it: {problem.partition('could not parse expression: ')[2]}"
        )


def _series(instance: str, method: str, buckets: dict[str, int]) -> dict[str, str]:
    labels = f'job="booking-service",instance="{instance}",method="{method}"'
    return {
        f'{BUCKETS}{{{labels},side="{side}",le="{le}"}}': f"0+{grows if side == 'server' else 7}x40"
        for le, grows in buckets.items()
        for side in ("server", "client")
    }
