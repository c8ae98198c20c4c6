"""Task 4.4: labels from closed sets, whatever clients send; counted as series of a real counter."""

import re
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import grpc
from prometheus_client import CollectorRegistry, Counter

from workbook.lesson.task import Task, Wrong
from workbook.props.strangers import CODES, LOOK_ALIKES, MADE_UP_CODES, METHODS, Asked, everything, numbered
from workbook.tasks.phase4.wrong_labels import WRONG

MOST = 200
REQUESTS = 10_000
EACH = 500
_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


Labels = dict[str, str]
LabelsOf = Callable[[Any], Labels]


def check(labels_of: LabelsOf) -> str:
    """One kind of value after the other, each alone; then all that must be told apart; then everything at once."""
    _same_names(labels_of)
    for field in ("user_id", "event_id", "peer"):
        _one_series(labels_of, [numbered(field, number) for number in range(EACH)], f"differ in {field} alone")
    unknown = [Asked(f"/scan.Service{number}/Method{number}") for number in range(EACH)]
    _one_series(labels_of, unknown, "ask for a method that does not exist, each for another one,")
    _told_apart(labels_of)
    _number_or_name(labels_of)
    _no_stranger(labels_of)
    _no_such_code(labels_of)
    series = _series(labels_of, everything(REQUESTS))
    if series > MOST:
        raise Wrong(f"{REQUESTS:,} requests of all kinds make {series:,} series; {MOST} at most")
    return f"{REQUESTS:,} requests of all kinds make {series} series; each method and each outcome has its own"


def _same_names(labels_of: LabelsOf) -> None:
    first = _labels(labels_of, Asked())
    if odd := [name for name in first if not _NAME.fullmatch(name)]:
        raise Wrong(f"{odd[0]!r} is no name for a label: letters, digits and _, and not __ at the beginning")
    for asked in (Asked("/.env"), Asked(code=0), Asked(code=42), Asked(user_id="")):
        if set(found := _labels(labels_of, asked)) != set(first):
            raise Wrong(
                f"{_shown(Asked())} has the labels {', '.join(first)}, {_shown(asked)} has {', '.join(found)}: a "
                "counter has the same label names always, and only their values differ"
            )


def _labels(labels_of: LabelsOf, asked: Asked) -> Labels:
    try:
        labels: Any = labels_of(asked)
    except NotImplementedError:
        raise
    except Exception as error:
        raise Wrong(f"{_shown(asked)}: labels_of raises {type(error).__name__}: {error}") from error
    if not isinstance(labels, dict) or not labels:
        raise Wrong(f"{_shown(asked)}: labels_of gives {labels!r}; a dict of label names and values is wanted")
    if odd := [name for name, value in labels.items() if not isinstance(name, str) or not isinstance(value, str)]:
        raise Wrong(f"{_shown(asked)}: label {odd[0]!r} is {labels[odd[0]]!r}; names and values of labels are text")
    return {**labels}


def _one_series(labels_of: LabelsOf, asked: list[Asked], what: str) -> None:
    if (series := _series(labels_of, asked)) > 1:
        example = _labels(labels_of, asked[-1])
        raise Wrong(
            f"{len(asked):,} requests that {what} make {series:,} series, 1 is right. The last one is {example}. "
            "Whoever chooses such a value chooses how many series there are. Ids belong in traces and logs"
        )


def _told_apart(labels_of: LabelsOf) -> None:
    """Each known method and each outcome: what has different values has different labels."""
    seen: dict[frozenset[tuple[str, str]], Asked] = {}
    for code, method in product(CODES, METHODS):
        asked = Asked(f"/{method}", code)
        key = frozenset(_labels(labels_of, asked).items())
        if key in seen:
            raise Wrong(
                f"{_shown(seen[key])} and {_shown(asked)} have the same labels, {_labels(labels_of, asked)}: nobody "
                "can tell them apart on the day when one of them goes wrong"
            )
        seen[key] = asked


def _number_or_name(labels_of: LabelsOf) -> None:
    for code in CODES:
        name, number = (_labels(labels_of, Asked(code=given)) for given in (code, int(code.value[0])))
        if name != number:
            raise Wrong(
                f"the code is {code.name}, once as grpc.StatusCode and once as its number: {name} and {number}. That "
                "is one outcome, and must be one series"
            )


def _no_stranger(labels_of: LabelsOf) -> None:
    for path, method in product(LOOK_ALIKES, METHODS):
        if _labels(labels_of, Asked(path)) == _labels(labels_of, Asked(f"/{method}")):
            raise Wrong(
                f"the path {path!r} is counted as {method}, and is no such method: gRPC answers it with UNIMPLEMENTED. "
                "Compare the whole path"
            )
    _one_series(labels_of, [Asked(path) for path in LOOK_ALIKES], "ask for a method that does not exist")


def _no_such_code(labels_of: LabelsOf) -> None:
    made_up = [Asked(code=code) for code in MADE_UP_CODES]
    _one_series(
        labels_of, made_up, f"end with the codes {', '.join(map(str, MADE_UP_CODES))}, which gRPC does not have,"
    )
    for code in CODES:
        if code is not grpc.StatusCode.UNKNOWN and _labels(labels_of, made_up[0]) == _labels(
            labels_of, Asked(code=code)
        ):
            raise Wrong(
                f"code {MADE_UP_CODES[0]} is counted as {code.name}: gRPC takes what it does not know for UNKNOWN"
            )


def _series(labels_of: LabelsOf, all_asked: Iterable[Asked]) -> int:
    """How many series a real counter has after these requests."""
    names = tuple(_labels(labels_of, Asked()))
    counter = Counter("requests", "Requests", names, registry=CollectorRegistry())
    for asked in all_asked:
        counter.labels(**_labels(labels_of, asked)).inc()
    return sum(sample.name == "requests_total" for metric in counter.collect() for sample in metric.samples)


def _shown(asked: Asked) -> str:
    code = asked.code.name if isinstance(asked.code, grpc.StatusCode) else asked.code
    return f"{asked.path or 'an empty path'} that ended {code}"


TASK = Task(
    id="4.4",
    title="Labels from closed sets",
    names=("labels_of",),
    hints=(
        (
            "Go through the fields. Which of them has a list of all its values, known before the first request? Only "
            "these can be labels."
        ),
        (
            "Two labels. The method: the path without its slash if it is one of METHODS, else one word for all others. "
            "The code: one of gRPC's 17 names; a number has to be looked up, and an unknown one is UNKNOWN."
        ),
        (
            "method = asked.path.removeprefix('/'), and 'other' if that is not in METHODS. For the code a dict made "
            "once: {code.value[0]: code for code in grpc.StatusCode}, and .get(number, grpc.StatusCode.UNKNOWN)."
        ),
    ),
    check=check,
    wrong=WRONG,
)
