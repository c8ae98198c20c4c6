"""Task 4.5: three questions in PromQL, asked of systems of which it is known what really happened in them."""

import math
from statistics import mean
from typing import Any

from workbook.lesson.task import Task, Wrong, wants
from workbook.props.evaluator import STEP, NotAnswered, Sample, answers
from workbook.props.replicas import CREATE, FAULTS, REFUSALS, WINDOW, WORLDS, World
from workbook.tasks.phase4.wrong_promql import WRONG

NEARLY = 0.05  # of the truth: rate knows what happened between its scrapes, and guesses at both ends
FIRST_RATE = "First the rate of each series over [5m], then sum by (method)"
BOTH_SIDES = "Sum the rates of the faults, sum the rates of all, then divide: one number by one number"
BY_LE = "Rate of each bucket over [5m], sum by (le) over the replicas, and histogram_quantile(0.99, …) last"
NOTHING = (
    f"A rate needs two scrapes in its window, and they are {STEP} s apart; a name or a label may be misspelt; left and "
    "right of an operator the labels must be the same"
)

Guess = tuple[float, str]


def check(requests: Any, fault_share: Any, p99: Any) -> str:
    """Each expression in each world."""
    asked = {"REQUESTS": requests, "FAULT_SHARE": fault_share, "P99": p99}
    for name, expression in asked.items():
        if not isinstance(expression, str) or not expression.strip():
            raise Wrong(f"{name} is {expression!r}: a text in PromQL is wanted")
    wants("prometheus-tools")
    found = answers([*asked.values()], [world.series() for world in WORLDS])
    for number, (name, judged) in enumerate((("REQUESTS", _requests), ("FAULT_SHARE", _share), ("P99", _p99))):
        for world, given in zip(WORLDS, found, strict=True):
            samples = given[number]
            if isinstance(samples, NotAnswered):
                raise Wrong(f"Prometheus does not take {name}: {samples}")
            judged(f"{name}, {world.what}", world, samples)
    return f"three answers in each of {len(WORLDS)} systems, restarts, idle methods and a bad day among them"


def _requests(what: str, world: World, samples: list[Sample]) -> None:
    if not samples:
        raise Wrong(f"{what}: there is no answer. {NOTHING}")
    if odd := [sample.labels for sample in samples if set(sample.labels) != {"method"}]:
        raise Wrong(f"{what}: an answer has the labels {dict(odd[0])}; `sum by (method)` leaves the method alone")
    got = {sample.labels["method"]: sample.value for sample in samples}
    for method, right in world.requests().items():
        if method not in got:
            raise Wrong(f"{what}: {method} is not in the answer; {right:.3g} a second is right, also when that is 0")
        if not _near(got[method], right):
            why = _why(got[method], _guesses_at_requests(world, method, right), FIRST_RATE)
            raise Wrong(f"{what}: {method} has {got[method]:.4g} requests a second, {right:.3g} is right. {why}")


def _guesses_at_requests(world: World, method: str, right: float) -> list[Guess]:
    counters = [
        series.values
        for series in world.series()
        if series.name == "grpc_requests_total"
        and (series.labels["method"], series.labels["side"]) == (method, "server")
    ]
    last = sum(max(0, (values[-1] or 0) - (values[-2] or 0)) for values in counters)
    client = world.requests("client").get(method, 0)
    return [
        (right + client, 'A caller counts its calls as side="client"; with them each is counted twice: side="server"'),
        (right * WINDOW * STEP, "So many were there in five minutes; how many a second says rate, not increase"),
        (sum(values[-1] or 0 for values in counters), "So many since the processes began. rate(…[5m]) says how fast"),
        (last / STEP, "That is what the last scrapes alone say, as with irate or a short window. rate(…[5m])"),
        (right / len(counters), "That is a mean of series, and all of them together are asked for: sum"),
    ]


def _share(what: str, world: World, samples: list[Sample]) -> None:
    right = world.share(FAULTS)
    got = _single(what, samples, BOTH_SIDES)
    if not _near(got, right):
        guesses = [
            (
                world.share((*REFUSALS, *FAULTS)),
                "Refusals are in it: sold out and not found are right answers. Choose the codes in FAULTS",
            ),
            (100 * right, "That is in percent; a share is wanted, 1 is all of them"),
            (1 - right, "That is the share of those that did not fail"),
        ]
        raise Wrong(f"{what}: the share is {got:.4g}, {right:.3g} is right. {_why(got, guesses, BOTH_SIDES)}")


def _p99(what: str, world: World, samples: list[Sample]) -> None:
    right = world.p99(CREATE) or math.nan
    got = _single(what, samples, BY_LE)
    if not _near(got, right):
        each = [
            World("", tuple(flow for flow in world.flows if flow.replica == replica)).p99(CREATE)
            for replica in sorted({flow.replica for flow in world.flows if flow.method == CREATE})
        ]
        apart = [seconds for seconds in each if seconds is not None]
        guesses = [
            (math.inf, "A quantile is between 0 and 1: 0.99"),
            (
                mean(apart),
                "That is the mean of each replica's p99, which is the p99 of nothing: add their buckets first",
            ),
            (max(apart), "That is the p99 of the slowest replica, however few requests it has: add the buckets first"),
        ]
        raise Wrong(f"{what}: p99 is {got:.4g} s, {right:.3g} s is right. {_why(got, guesses, BY_LE)}")


def _single(what: str, samples: list[Sample], how: str) -> float:
    if not samples:
        raise Wrong(f"{what}: there is no answer. {NOTHING}")
    if len(samples) > 1:
        raise Wrong(f"{what}: there are {len(samples)} answers, one is wanted. {how}")
    return samples[0].value


def _near(got: float, right: float) -> bool:
    return math.isclose(got, right, rel_tol=NEARLY, abs_tol=1e-9)


def _why(got: float, guesses: list[Guess], else_: str) -> str:
    return next((text for value, text in guesses if _near(got, value)), else_)


TASK = Task(
    id="4.5",
    title="Three questions in PromQL",
    names=("REQUESTS", "FAULT_SHARE", "P99"),
    hints=(
        (
            'A counter says nothing until it is asked how fast it grows: rate(name{label="value"}[5m]). That gives one '
            "answer for each series, so add them up afterwards."
        ),
        (
            "sum by (method) (…) keeps the method. For the share: sum(…) / sum(…), above the line with the codes of "
            "FAULTS, below without. For p99: the series end in _bucket, and what has to be kept is le."
        ),
        (
            'sum by (method) (rate(grpc_requests_total{side="server"}[5m])). A sum with code=~"…" by one without. '
            "histogram_quantile(0.99, sum by (le) (rate(…_bucket{…}[5m]))), with side and method in the braces."
        ),
    ),
    check=check,
    wrong=WRONG,
)
