"""Task 5.9: a limit on requests. Compared with exact arithmetic, then flooded with keys, then asked whom it counts."""

from collections.abc import Callable, Hashable
from functools import partial
from random import Random
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.props.effort import held, steps
from workbook.tasks.phase5.exact_limit import ExactLimit
from workbook.tasks.phase5.given_clients import CLIENTS, Asked, Group
from workbook.tasks.phase5.wrong_limiter import WRONG

SECONDS = 64.0  # a power of two: with times in 64ths of a second all of it is exact in floats
START = 64.0 * 1_000_000
AMOUNTS, TAKES, SLACK = (3, 10, 60, 1), 4000, 1e-6
CROWD, WINDOWS = 5000, 12  # keys in each window
FEW, MANY = 10, 2000

MakeLimiter = Callable[[int, float], Any]
KeyOf = Callable[[Asked], Any]


def check(limiter: MakeLimiter, key_of: KeyOf) -> str:
    """First what is let in and what is told, then what it costs, then who is counted as one."""
    _each_for_itself(limiter)
    _the_border(limiter)
    _as_told(limiter)
    for amount in AMOUNTS:
        _as_exact(limiter, amount)
    _whom(key_of)
    _effort(limiter)
    _memory(limiter)
    judged, crowd = len(AMOUNTS) * TAKES, CROWD * WINDOWS
    return f"{judged:,} requests judged as exact arithmetic does; {crowd:,} keys came, those of two windows were kept"


def _taken(limiter: Any, key: str, now: float) -> tuple[bool, int, float]:
    got = limiter.take(key, now)
    if any(not hasattr(got, name) for name in ("allowed", "remaining", "retry_after")):
        raise Wrong(f"take gives {got!r}; a Taken is wanted, with allowed, remaining and retry_after")
    return bool(got.allowed), got.remaining, got.retry_after


def _the_border(limiter: MakeLimiter) -> None:
    """Two seconds around the end of a window, in which a fixed window lets twice as many through."""
    made = limiter(10, SECONDS)
    through = sum(_taken(made, "ada", START - 1)[0] for _ in range(50))
    through += sum(_taken(made, "ada", START + 1)[0] for _ in range(50))
    if through != 10:
        raise Wrong(
            f"at most 10 in {SECONDS:g} s, and in 2 s around the end of a window {through} came through. What was "
            "counted in the window before still counts, for the share of it that lies within the last 64 s"
        )


def _as_told(limiter: MakeLimiter) -> None:
    """Whoever is refused tries again and again, and comes in at the moment that was named first."""
    made, now = limiter(10, SECONDS), START + 10
    told = [_taken(made, "ada", now) for _ in range(11)][-1][2]
    for number in range(100):
        _taken(made, "ada", now + told * number / 101)
    if not _taken(made, "ada", now + told + SLACK)[0]:
        raise Wrong(
            f"refused, and told to come back in {told:g} s; tried 100 times before that, came back as told, and "
            "was refused. Either retry_after is too short, or refused tries are counted"
        )


def _as_exact(limiter: MakeLimiter, amount: int) -> None:
    """One key comes in bursts, at times exactly on a border, and stays away for a while now and then."""
    random = Random(amount)  # noqa: S311 - the same times each time
    made, exact, now = limiter(amount, SECONDS), ExactLimit(amount, SECONDS), START
    for number in range(TAKES):
        now += random.choice((0, 0, 0, 1 / 64, 0.5, 2, SECONDS / 4, SECONDS if number % 50 == 0 else 0))
        now += random.choice((2, 3.5, 20)) * SECONDS if number % 500 == 499 else 0
        this, before = exact.counted(now)
        where = f"{this} in this window, {before} in the one before, {now % SECONDS:g} s into it"
        _same(f"at most {amount} in {SECONDS:g} s, {where}", _taken(made, "ada", now), exact.take(now))


def _same(what: str, got: tuple[bool, int, float], right: tuple[bool, int, float]) -> None:
    allowed, remaining, retry_after = got
    if allowed is not right[0]:
        raise Wrong(f"{what}: the request is {'let in' if allowed else 'refused'}, and it must not be")
    if remaining != right[1] or isinstance(remaining, float):
        raise Wrong(f"{what}: remaining is {remaining!r}, and {right[1]} is right: so many more come in at this moment")
    if abs(retry_after - right[2]) > SLACK:
        why = (
            "0 for who was let in" if allowed else "then the next one is let in, not earlier, and it need not be later"
        )
        raise Wrong(f"{what}: retry_after is {retry_after:g} s, and {right[2]:g} is right: {why}")


def _each_for_itself(limiter: MakeLimiter) -> None:
    one, other = limiter(1, SECONDS), limiter(1, SECONDS)
    if not all(_taken(one, key, START)[0] for key in ("ada", "eve", "")):
        raise Wrong("ada used her limit up, and eve was refused: each key is counted for itself")
    if not _taken(other, "ada", START)[0]:
        raise Wrong("one Limiter refuses what another one counted: its counts belong to the object, not to the class")


def _memory(limiter: MakeLimiter) -> None:
    """A million addresses cost an attacker little. They must not cost us memory for ever."""
    made, keys = limiter(3, SECONDS), set()
    for window in range(WINDOWS):
        for number in range(CROWD):
            keys.add(key := f"{window}-{number}")
            _taken(made, key, START + SECONDS * window + number * 0.001)
    kept = held(made, keys)
    if kept > 2 * CROWD + 100:
        raise Wrong(
            f"in {WINDOWS} windows came {CROWD:,} new keys each, and {kept:,} of them are still kept. Those of "
            f"two windows ({2 * CROWD:,}) still count: forget the others, or whoever changes addresses fills the memory"
        )


def _effort(limiter: MakeLimiter) -> None:
    """Counted in lines that run, not in seconds: a busy machine changes nothing."""
    effort = {crowd: _most_steps(limiter(3, SECONDS), crowd) for crowd in (FEW, MANY)}
    if effort[MANY] > 3 * effort[FEW]:
        raise Wrong(
            f"with {FEW} keys one take runs at most {effort[FEW]:,} lines, with {MANY:,} keys {effort[MANY]:,}. "
            "No take may look through all keys, not even now and then: with a million of them everybody waits for it"
        )


def _most_steps(made: Any, crowd: int) -> int:
    for number in range(crowd):
        _taken(made, f"{number}", START + 1)
    times = (START + 2, START + SECONDS + 1, START + SECONDS + 2, START + 2 * SECONDS + 1, START + 5 * SECONDS)
    return max(steps(partial(made.take, "one more", now)) for now in times)


def _whom(key_of: KeyOf) -> None:
    """Whatever the keys look like: those who are one have the same, those who are two have not."""
    first: dict[Hashable, Asked] = {}
    groups: dict[Hashable, tuple[Asked, Group]] = {}
    for asked, group in CLIENTS:
        key = key_of(asked)
        one = first.setdefault(group, asked)
        if key != key_of(one):
            raise Wrong(f"{one} and {asked} are counted apart, and are one: {group.why}")
        other, whose = groups.setdefault(key, (asked, group))
        if whose != group:
            raise Wrong(f"{other} and {asked} are counted as one, {key!r}, and are two: {group.why}; {whose.why}")


TASK = Task(
    id="5.9",
    title="A limit that has no border, fills no memory, and counts the right one",
    names=("Limiter", "key_of"),
    hints=(
        (
            "A fixed window forgets everything at once. What would you have to remember of the window before, and how "
            "much of it is within the last `seconds` when a quarter of this one is over? Then: what of a key that does "
            "not come back?"
        ),
        (
            "Two dictionaries, for this window and for the one before, and the number of the window that runs. When "
            "the number grows by one, the first becomes the second, and a new one begins; when it grows by more, both "
            "are empty. Nothing is ever looked through."
        ),
        (
            "number, into = divmod(now / seconds, 1); left = amount - this - before * (1 - into); let in if left >= 1. "
            "Who is refused waits within this window, if this < amount: 1 - (amount - this - 1) / before - into. Else "
            "until far enough into the next one, in which `this` is `before`. Both in windows: times seconds."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=30,
)
