"""The autoscaler's rules for task 5.3, found by counting up and down; and what comes out where one is left out."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count

Guess = tuple[Callable[[], float], str]

ROUND_UP = "Round up: with less than that each has more than the target"


def right_moment(pods: int, used: Sequence[float], target: float) -> int:
    """The smallest number of pods among which what is used makes no more than the target each."""
    if not used:
        return pods
    total, grows = sum(used), sum(used) > target * len(used)
    counted = pods if grows else len(used)
    within = 9 * target * counted <= 10 * total <= 11 * target * counted
    if within or (grows and total < target * counted):
        return pods
    return next(number for number in count() if number * target >= total)


def right_choice(pods: int, wishes: Sequence[int], least: int, most: int) -> int:
    """Goes up to what is wished now, or down step by step until somebody lately wished for more."""
    chosen = max(pods, wishes[-1])
    while chosen > wishes[-1] and chosen > max(wishes):
        chosen -= 1
    return sorted((least, chosen, most))[1]


def slips(pods: int, used: list[int], target: int) -> Iterator[Guess]:
    """What comes out if one rule is left out, and which one it is."""
    if not used:
        yield (lambda: 0), "Nobody is ready, so nothing is known: then it stays as it is"
        return
    total, ready, grows = sum(used), len(used), sum(used) > target * len(used)
    if grows and ready < pods:
        unready = "Pods that are not ready yet count as using nothing when it grows: they are already on their way"
        if total < target * pods:
            yield (
                (lambda: -(-total // target)),
                f"{unready}. And what would grow without them must not shrink with them",
            )
        yield (lambda: -(-total * pods // (target * ready))), unready
    if not grows and ready < pods:
        yield (
            (lambda: right_moment(pods, [*used, *[0] * (pods - ready)], target)),
            ("When it shrinks, pods that are not ready are left out, as if they were not there"),
        )
        yield (
            (lambda: -(-total * pods // (target * ready))),
            ("When it shrinks, pods that are not ready are left out: the ready ones times their ratio"),
        )
    yield (lambda: -(-total // target)), "Within 10 % of the target it stays as it is, or it would never come to rest"
    yield (lambda: -(-max(used) * pods // target)), "The mean of all pods counts, not the busiest one"
    yield (lambda: total // target), ROUND_UP
    yield (lambda: round(total / target)), ROUND_UP
    yield (lambda: -(-pods * target * ready // (total or 1))), "The ratio is the other way round: used by target"


def rash(pods: int, wishes: list[int], least: int, most: int) -> Iterator[Guess]:
    now, highest = wishes[-1], max(wishes)
    steady = now if now >= pods else min(pods, highest)
    yield (
        (lambda: sorted((least, now, most))[1]),
        ("The newest says less than the pods there are: then the highest of the last five minutes counts"),
    )
    if highest > pods and now <= pods:
        yield (
            (lambda: sorted((least, highest, most))[1]),
            ("An old recommendation keeps pods, and never makes new ones: more than there are is nobody's wish now"),
        )
    yield (lambda: sorted((least, highest, most))[1]), "Going up nothing is waited for: the newest counts"
    yield (lambda: steady), "It must not leave the bounds: minReplicas and maxReplicas"
    yield (lambda: max(least, steady)), "It must not go above maxReplicas"
    yield (lambda: min(most, steady)), "It must not go below minReplicas"
    yield (lambda: sorted((least, min(wishes), most))[1]), "The highest of the last five minutes, not the lowest"
