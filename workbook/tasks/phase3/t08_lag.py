"""Task 3.8: lag, compared with counting the messages one by one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from workbook.lesson.task import Task, Wrong, WrongAnswer

Lag = Callable[[dict[int, int], dict[int, int], dict[int, int | None]], int]

RANDOM_TOPICS = 500


@dataclass(frozen=True, slots=True)
class State:
    """One partition: messages low … high - 1 are kept; the group reads `committed` next."""

    low: int
    high: int
    committed: int | None

    @property
    def unread(self) -> int:
        """Counted message by message."""
        return sum(self.committed is None or offset >= self.committed for offset in range(self.low, self.high))

    @property
    def why(self) -> str:
        if self.committed is None:
            return "nothing is committed: such a group begins at low, and all that is kept is unread"
        if self.committed > self.high:
            return "committed lies beyond the end, as when a topic was made anew: nothing is unread, not less"
        if self.committed < self.low:
            return "what lay between committed and low is no longer kept, and nobody can read it"
        return "committed is the message that is read next, high the one that is written next"

    def __str__(self) -> str:
        return f"low {self.low}, high {self.high}, committed {self.committed}"


def check(lag: Lag) -> str:
    """Every small partition alone, so that what fails can be counted by hand; then topics of two; then large ones."""
    tried = 0
    for topic in (*_alone(), *_pairs(), *_large()):
        low = {number: state.low for number, state in enumerate(topic)}
        high = {number: state.high for number, state in enumerate(topic)}
        committed = {number: state.committed for number, state in enumerate(topic)}
        got, right = lag(low, high, committed), sum(state.unread for state in topic)
        if got != right:
            raise Wrong(_told(topic, got, right))
        tried += 1
    return f"{tried:,} topics, each as if its unread messages had been counted one by one"


def _states() -> Iterator[State]:
    # What a group meets every day comes first, so that it is also what an answer is told first.
    for committed in (3, 0, 4, None, 1, 2, 6):
        for low, kept in product((0, 2), range(3)):
            yield State(low, low + kept, committed)


def _alone() -> Iterator[list[State]]:
    return ([state] for state in _states())


def _pairs() -> Iterator[list[State]]:
    return ([one, other] for one, other in product(_states(), repeat=2))


def _large() -> Iterator[list[State]]:
    random = Random(3)  # noqa: S311 - the same topics each time
    for _ in range(RANDOM_TOPICS):
        yield [_random(random) for _ in range(random.randint(0, 12))]


def _random(random: Random) -> State:
    low = random.randint(0, 50)
    high = low + random.randint(0, 50)
    return State(low, high, random.choice((None, random.randint(0, high + 5))))


def _told(topic: Sequence[State], got: int, right: int) -> str:
    if len(topic) == 1:
        return f"one partition, {topic[0]}: lag is {got}, {right} is right. {topic[0].why.capitalize()}"
    if len(topic) > 2:
        return f"{len(topic)} partitions: lag is {got}, {right} is right. Add up what is unread on each"
    return (
        f"two partitions, {topic[0]} (unread: {topic[0].unread}) and {topic[1]} (unread: {topic[1].unread}): lag is "
        f"{got}, {right} is right. Each counts for itself, then they are added"
    )


_LOOP = """\
    unread = 0
    for partition, end in high.items():
        begin = committed[partition]
{start}
        unread += {add}
    return unread
"""
_START = """\
        begin = low[partition] if begin is None else max(begin, low[partition])"""
_MANY = """\
    parts = [0]
    for partition, end in high.items():
        begin = committed[partition]
        begin = low[partition] if begin is None else max(begin, low[partition])
        parts.append({part})
    return {whole}
"""

TASK = Task(
    id="3.8",
    title="Lag",
    names=("lag",),
    hints=(
        "Take one partition and write its offsets in a row. Where does the group begin to read, and where does it end?",
        "It begins at committed, but not before low; with None at low. It ends before high. Add up all of them.",
        "For each partition: begin = low when committed is None, else max(committed, low); add max(0, high - begin).",
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "leaves out what was never committed",
            code=_LOOP.format(
                start="        if begin is None:\n            continue\n" + _START, add="max(0, end - begin)"
            ),
            says="such a group begins at low",
        ),
        WrongAnswer(
            "nothing committed is offset 0",
            code=_LOOP.format(start="        begin = begin or 0", add="max(0, end - begin)"),
            says="no longer kept",
        ),
        WrongAnswer(
            "None is offset 0",
            code=_LOOP.format(
                start="        begin = 0 if begin is None else max(begin, low[partition])", add="max(0, end - begin)"
            ),
            says="committed None: lag is 2, 0 is right. Nothing is committed",
        ),
        WrongAnswer(
            "counts what is no longer kept",
            code=_LOOP.format(
                start="        begin = low[partition] if begin is None else begin", add="max(0, end - begin)"
            ),
            says="no longer kept",
        ),
        WrongAnswer(
            "committed is the last one handled",
            code=_LOOP.format(start=_START, add="max(0, end - begin - 1)"),
            says="committed is the message that is read next".capitalize(),
        ),
        WrongAnswer(
            "can be negative", code=_LOOP.format(start=_START, add="end - begin"), says="nothing is unread, not less"
        ),
        WrongAnswer(
            "one partition's surplus pays for another",
            code=_MANY.format(part="end - begin", whole="max(0, sum(parts))"),
            says="Each counts for itself",
        ),
        WrongAnswer(
            "the longest of all",
            code=_MANY.format(part="max(0, end - begin)", whole="max(parts)"),
            says="then they are",
        ),
        WrongAnswer(
            "the average of all",
            code=_MANY.format(part="max(0, end - begin)", whole="sum(parts) // max(1, len(high))"),
            says="Each counts for itself",
        ),
    ),
)
