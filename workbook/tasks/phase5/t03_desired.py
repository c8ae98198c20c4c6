"""Task 5.3: the autoscaler's arithmetic, held against one that only counts up and down."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase5.scaling_rules import Guess, rash, right_choice, right_moment, slips
from workbook.tasks.phase5.wrong_desired import WRONG

Recommended = Callable[[int, list[float], float], int]
Desired = Callable[[int, list[int], int, int], int]

RANDOM_ONES = 2000
TARGETS = (50, 64, 70, 80)

# Pods, what the ready ones use, the target: each kind of trap once.
BY_HAND: tuple[tuple[int, list[int], int], ...] = (
    (2, [140, 140], 70),
    (2, [90, 90], 70),
    (2, [200, 20], 70),
    (3, [66, 66, 66], 70),
    (3, [74, 74, 74], 70),
    (4, [20, 20, 20, 20], 70),
    (4, [30, 40, 20, 30], 70),
    (4, [160, 160], 70),
    (4, [100, 100], 70),
    (6, [100, 100], 70),
    (4, [30, 30], 70),
    (3, [0, 0, 0], 70),
    (2, [], 70),
)
# Pods, recommendations with the newest last, the least and the most.
HISTORIES: tuple[tuple[int, list[int], int, int], ...] = (
    (2, [5], 2, 6),
    (2, [6, 4], 2, 6),
    (6, [6, 6, 2], 2, 6),
    (6, [4, 3, 2], 2, 6),
    (3, [6, 2], 2, 6),
    (3, [6, 3], 2, 6),
    (5, [9], 2, 6),
    (3, [1], 2, 6),
    (4, [2, 2, 2], 2, 6),
    (1, [1], 2, 6),
    (8, [8, 8], 2, 6),
)


def check(recommended: Recommended, desired: Desired) -> str:
    """First what this moment asks for, then what becomes of it."""
    tried = 0
    for pods, used, target in (*BY_HAND, *_by_chance()):
        _judge_moment(recommended, pods, used, target)
        tried += 1
    for pods, wishes, least, most in (*HISTORIES, *_histories()):
        _judge_choice(desired, pods, wishes, least, most)
        tried += 1
    return f"{tried} moments, each decided as Kubernetes decides it"


def _judge_moment(recommended: Recommended, pods: int, used: list[int], target: int) -> None:
    got, right = recommended(pods, [*used], target), right_moment(pods, used, target)
    what = f"{pods} pods, {len(used)} of them ready, which use {used} percent of their request; the target is {target}"
    _whole("recommended", what, got, right)
    if got != right:
        raise Wrong(f"{what}: recommended gives {got}, {right} is right. {_why(got, slips(pods, used, target))}")


def _judge_choice(desired: Desired, pods: int, wishes: list[int], least: int, most: int) -> None:
    got, right = desired(pods, [*wishes], least, most), right_choice(pods, wishes, least, most)
    what = f"{pods} pods, recommendations {wishes}, at least {least} and at most {most}"
    _whole("desired", what, got, right)
    if got != right:
        raise Wrong(f"{what}: desired gives {got}, {right} is right. {_why(got, rash(pods, wishes, least, most))}")


def _whole(name: str, what: str, got: Any, right: int) -> None:
    if isinstance(got, bool) or not isinstance(got, int):
        raise Wrong(f"{what}: {name} gives {got!r}, {right} is right: a whole number of pods")


def _why(got: int, guesses: Iterator[Guess]) -> str:
    return next((text for number, text in guesses if number() == got), "Go through the rules in the text, one by one")


def _by_chance() -> Iterator[tuple[int, list[int], int]]:
    """Not where a float may round to either side: at the ends of the 10 %, and where no rest is left."""
    random = Random(5)  # noqa: S311 - the same moments each time
    made = 0
    while made < RANDOM_ONES:
        pods, target = random.randint(1, 12), random.choice(TARGETS)
        ready = pods if random.random() < 0.5 else random.randint(1, pods)
        about = random.choice((target // 3, target, target, 2 * target, 4 * target))
        used = [random.randint(about // 2, about + about // 2) for _ in range(ready)]
        if sum(used) % target and not any(10 * sum(used) in (9 * target * n, 11 * target * n) for n in (ready, pods)):
            made += 1
            yield pods, used, target


def _histories() -> Iterator[tuple[int, list[int], int, int]]:
    random = Random(5)  # noqa: S311 - as above
    for _ in range(RANDOM_ONES):
        least = random.randint(1, 4)
        wishes = [random.randint(0, 14) for _ in range(random.randint(1, 20))]
        yield random.randint(1, 12), wishes, least, random.randint(least, 12)


TASK = Task(
    id="5.3",
    title="How many pods",
    names=("recommended", "desired"),
    hints=(
        (
            "Begin with the mean of `used` by the target. When is it near enough to 1? Which pods does the mean leave "
            "out, and what changes when they count as 0?"
        ),
        (
            "ratio = mean / target. Above 1 with pods that are not ready: mean over all pods, those as 0, and if that "
            "is below 1, nothing changes. Within 0.1 of 1 nothing changes either. Else round up: ratio times the pods "
            "that were counted. In desired: up at once; down to the highest recommendation; then the bounds."
        ),
        (
            "counted = pods if ratio > 1 else len(used); lower = sum(used) / counted / target; `return pods` if "
            "abs(lower - 1) <= 0.1 or lower < 1 < ratio; else math.ceil(lower * counted). desired: wanted = newest if "
            "newest >= pods else min(pods, max(recommendations)); return min(max(wanted, least), most)."
        ),
    ),
    check=check,
    wrong=WRONG,
)
