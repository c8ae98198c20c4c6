"""Task 2.10: who of a batch gets tickets, compared with serving them one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from random import Random

from workbook.lesson.task import Task, Wrong, WrongAnswer

Verdicts = Callable[[int, Sequence[int]], list[bool]]
Batch = tuple[int, tuple[int, ...]]

RANDOM_BATCHES = 2_000


def check(verdicts: Verdicts) -> str:
    """Every small batch first, so that what fails is small enough to follow by hand; then many large ones."""
    tried = 0
    for available, wishes in (*_small(), *_large()):
        got, right = _list(verdicts(available, wishes)), one_by_one(available, wishes)
        if got != right:
            raise Wrong(_told(available, wishes, got, right))
        tried += 1
    return f"{tried:,} batches, each as if its wishes had come one by one"


def _list(got: object) -> list[bool]:
    if not isinstance(got, Iterable):
        raise Wrong(f"verdicts gives {got!r}: return the list of verdicts")
    verdicts = list(got)
    if strange := [verdict for verdict in verdicts if not isinstance(verdict, bool)]:
        raise Wrong(f"a verdict is {strange[0]!r}: True for all the tickets of a wish, or False")
    return verdicts


def one_by_one(available: int, wishes: Sequence[int]) -> list[bool]:
    """What a service without batches says to the same wishes."""
    verdicts = []
    for wish in wishes:
        verdicts.append(wish <= available)
        available -= wish if wish <= available else 0
    return verdicts


def _small() -> Iterator[Batch]:
    for size in range(4):
        for available, *wishes in product(range(6), *[range(1, 5)] * size):
            yield available, tuple(wishes)


def _large() -> Iterator[Batch]:
    random = Random(2)  # noqa: S311 - the same batches each time
    for _ in range(RANDOM_BATCHES):
        yield random.randint(0, 200), tuple(random.randint(1, 10) for _ in range(random.randint(5, 60)))


def _told(available: int, wishes: Sequence[int], got: list[bool], right: list[bool]) -> str:
    what = f"{available} available, wishes {list(wishes)}: you say {_shown(got)}, one by one it is {_shown(right)}"
    if len(got) != len(right):
        return f"{what}. One verdict for each wish, in their order"
    first = next(at for at, (mine, true) in enumerate(zip(got, right, strict=True)) if mine != true)
    return f"{what}. {_why(available, wishes, got, right, first)}"


def _why(available: int, wishes: Sequence[int], got: list[bool], right: list[bool], at: int) -> str:
    left = available - sum(wish for wish, granted in zip(wishes[:at], right[:at], strict=True) if granted)
    if not right[at]:
        return f"Wish {at + 1} is {wishes[at]} and {left} are left: all of its tickets or none"
    if not all(right[:at]):
        return f"A refused wish takes nothing and stops nobody: {left} are left for wish {at + 1}"
    if len(wishes) == 1:
        return f"{left} {'is' if left == 1 else 'are'} left and {wishes[at]} wanted: exactly as many is enough"
    if not any(got):
        return "One wish too many refuses itself, not the whole batch"
    return f"Wish {at + 1} came when {left} were left: nobody behind it may be served from those"


def _shown(verdicts: Sequence[bool]) -> str:
    return f"[{' '.join('✓' if verdict else '✗' for verdict in verdicts)}]"


TASK = Task(
    id="2.10",
    title="A batch, served in order",
    names=("verdicts",),
    hints=(
        "Play it with 2 tickets and the wishes 1, 2, 1. Who gets some? Which number did you keep in mind?",
        "The number to keep is what is left. It changes only when a wish is granted.",
        "A loop over the wishes: granted = wish <= available; append it; only if granted, available -= wish.",
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "all or nothing for the batch",
            code="    return [sum(wishes) <= available] * len(wishes)\n",
            says="refuses itself, not the whole batch",
        ),
        WrongAnswer(
            "keeps the last ticket",
            code="""\
    granted = []
    for wish in wishes:
        granted.append(wish < available)
        available -= wish if granted[-1] else 0
    return granted
""",
            says="exactly as many is enough",
        ),
        WrongAnswer(
            "numbers for verdicts",
            code="""\
    granted = []
    for wish in wishes:
        granted.append(wish if wish <= available else 0)
        available -= granted[-1]
    return granted
""",
            says="True for all the tickets of a wish, or False",
        ),
        WrongAnswer(
            "stops at the first refusal",
            code="""\
    granted: list[bool] = []
    for wish in wishes:
        if wish > available:
            break
        available -= wish
        granted.append(True)
    return granted + [False] * (len(wishes) - len(granted))
""",
            says="A refused wish takes nothing and stops nobody",
        ),
        WrongAnswer(
            "the running sum counts the refused too",
            code="""\
    from itertools import accumulate

    return [total <= available for total in accumulate(wishes)]
""",
            says="A refused wish takes nothing and stops nobody",
        ),
        WrongAnswer(
            "the small ones first",
            code="""\
    granted = [False] * len(wishes)
    for at in sorted(range(len(wishes)), key=lambda at: wishes[at]):
        granted[at] = wishes[at] <= available
        available -= wishes[at] if granted[at] else 0
    return granted
""",
            says="nobody behind it may be served from those",
        ),
        WrongAnswer(
            "some of the wanted tickets",
            code="""\
    granted = []
    for wish in wishes:
        granted.append(available > 0)
        available -= min(wish, available)
    return granted
""",
            says="all of its tickets or none",
        ),
        WrongAnswer(
            "answers only those who get some",
            code="""\
    granted = []
    for wish in wishes:
        if wish <= available:
            available -= wish
            granted.append(True)
    return granted
""",
            says="One verdict for each wish",
        ),
    ),
)
