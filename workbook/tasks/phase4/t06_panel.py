"""Task 4.6: a panel of Grafana as code; what Grafana itself would only show by staying empty."""

import json
from collections.abc import Callable
from typing import Any

from workbook.lesson.task import Task, Wrong, wants
from workbook.props.dashboard import DATA_SOURCE, dashboard_of
from workbook.tasks.phase4.asked_panel import asks_for_bookings, tells_their_p99
from workbook.tasks.phase4.wrong_panel import WRONG

Made = dict[str, Any]
MakePanel = Callable[[str, str, str, float], Made]

COLUMNS = 24  # of Grafana's grid
OBJECTIVE = 0.25  # seconds
LINES = {"line", "dashed", "line+area", "dashed+area"}


def check(panel: MakePanel, p99: Made) -> str:
    """What `panel` makes of values that the answer has not seen; then the panel of bookings; then what it asks for."""
    made = panel("Messages that wait", "max(outbox_messages_waiting)", "short", 1000)
    before = json.dumps(made, default=repr)
    _panel(made, "Messages that wait", "max(outbox_messages_waiting)", "short", 1000)
    _panel(panel("Free", "sum(db_pool_connections)", "none", 2), "Free", "sum(db_pool_connections)", "none", 2)
    if json.dumps(made, default=repr) != before:
        raise Wrong("a second call of panel changed what the first one gave: each call makes a dict of its own")
    expression = _expression(p99)
    asks_for_bookings(expression)
    _panel(p99, p99.get("title"), expression, "s", OBJECTIVE)
    wants("prometheus-tools")
    tells_their_p99(expression)
    return (
        f"a panel in {dashboard_of(p99)['uid']!r} that Grafana takes, and an expression that tells the p99 of bookings"
    )


def _panel(made: Any, title: Any, expression: str, unit: str, objective: float) -> None:
    what = f"the panel {title!r}"
    if not isinstance(made, dict):
        raise Wrong(f"panel gives {made!r}: a dict is wanted")
    try:
        kept = json.loads(json.dumps(made))
    except TypeError as error:
        raise Wrong(f"{what} cannot be written as JSON: {error}") from error
    _is(what, "type", made.get("type"), "timeseries")
    if not title or made.get("title") != title:
        raise Wrong(f"{what}: title is {made.get('title')!r}. A panel without its title is a riddle")
    _source(what, kept.get("datasource"))
    _target(what, kept.get("targets"), expression)
    _field(what, kept, unit, objective)
    _place(what, kept.get("gridPos"))


def _source(what: str, source: Any) -> None:
    if not isinstance(source, dict):
        raise Wrong(
            f"{what}: datasource is {source!r}. A name is for people and changes; the uid is fixed: {DATA_SOURCE}"
        )
    _is(what, "datasource", source, DATA_SOURCE)


def _target(what: str, targets: Any, expression: str) -> None:
    if not isinstance(targets, list) or len(targets) != 1 or not isinstance(targets[0], dict):
        raise Wrong(f"{what}: targets is {targets!r}: a list with one dict, the question to Prometheus")
    (target,) = targets
    if not target.get("refId"):
        raise Wrong(f'{what}: its target has no refId. Grafana tells the answers apart by it: "A"')
    _is(what, "targets[0].expr", target.get("expr"), expression)
    if not target.get("legendFormat"):
        raise Wrong(f"{what}: its target has no legendFormat. Without it the legend is the whole expression")
    if target.get("exemplar") is not True:
        raise Wrong(f"{what}: targets[0].exemplar is {target.get('exemplar')!r}. True shows the way to the traces")
    if "datasource" in target:
        _source(f"{what}, its target", target["datasource"])


def _field(what: str, made: Made, unit: str, objective: float) -> None:
    defaults = _inside(what, made, "fieldConfig", "defaults")
    if defaults.get("unit") != unit:
        why = ". Prometheus has seconds, and so does the expression" if unit == "s" else ""
        raise Wrong(f"{what}: its unit is {defaults.get('unit')!r}, {unit!r} is right{why}")
    steps = _inside(what, defaults, "thresholds").get("steps")
    if not isinstance(steps, list) or not any(
        isinstance(step, dict) and step.get("value") == objective for step in steps
    ):
        raise Wrong(
            f"{what}: no threshold at {objective:g}, the objective, in the panel's own unit: steps are {steps!r}"
        )
    if steps[0].get("value") is not None or len(steps) < 2:
        raise Wrong(f"{what}: the first step has no value (None): it is the colour from below on. Steps are {steps!r}")
    if defaults["thresholds"].get("mode") != "absolute":
        raise Wrong(f'{what}: thresholds.mode is {defaults["thresholds"].get("mode")!r}: "absolute", in the unit')
    style = _inside(what, defaults, "custom", "thresholdsStyle").get("mode")
    if style not in LINES:
        raise Wrong(f'{what}: custom.thresholdsStyle.mode is {style!r}: without "line" nobody sees the objective')


def _place(what: str, place: Any) -> None:
    if not isinstance(place, dict) or not all(type(place.get(key)) is int for key in "xywh"):
        raise Wrong(f"{what}: gridPos is {place!r}: whole numbers x, y, w, h say where it is and how large")
    if min(place["x"], place["y"]) < 0 or min(place["w"], place["h"]) < 1 or place["x"] + place["w"] > COLUMNS:
        raise Wrong(f"{what}: gridPos is {place!r}, and a dashboard has {COLUMNS} columns: x + w is at most {COLUMNS}")


def _expression(p99: Any) -> str:
    try:
        return str(p99["targets"][0]["expr"])
    except (TypeError, KeyError, IndexError) as error:
        raise Wrong("P99_PANEL is what panel(…) gives for the p99 of bookings") from error


def _inside(what: str, made: Made, *names: str) -> Made:
    for name in names:
        found = made.get(name)
        if not isinstance(found, dict):
            raise Wrong(f"{what}: {name} is {found!r}, in {'.'.join(names)}: a dict is wanted")
        made = found
    return made


def _is(what: str, name: str, got: Any, right: Any) -> None:
    if got != right:
        raise Wrong(f"{what}: {name} is {got!r}, {right!r} is right")


TASK = Task(
    id="4.6",
    title="A panel as code",
    names=("panel", "P99_PANEL"),
    hints=(
        (
            "Begin with the dict in the text and put the arguments where they belong. `check` names what is missing, "
            "one thing after the other. For the expression: rate of the buckets, summed by le, then the quantile."
        ),
        (
            "targets is a list of one dict: refId, expr, legendFormat, exemplar. fieldConfig.defaults holds unit, "
            "thresholds (mode absolute; a step with value None, then one at the objective) and custom.thresholdsStyle."
        ),
        (
            'P99_PANEL = panel(title, expression, "s", 0.25). Its expression: the quantile 0.99 of sum by (le) of '
            'rate(…_bucket{…}[5m]); the braces say side="server" and method="booking.BookingService/CreateBooking".'
        ),
    ),
    check=check,
    wrong=WRONG,
)
