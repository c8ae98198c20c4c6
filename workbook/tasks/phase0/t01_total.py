"""Task 0.1: the one-minute tour."""

from collections.abc import Callable

from workbook.lesson.task import Task, Wrong, WrongAnswer


def check(total: Callable[[list[int]], int]) -> str:
    """Any lists of ticket counts, also an empty one."""
    for counts, right in (([2, 1, 4], 7), ([], 0), ([10], 10)):
        got = total(counts)
        if got != right:
            raise Wrong(f"total({counts}) gives {got!r}; all tickets together are {right}")
    return "that is how checks speak. On to lesson 1."


TASK = Task(
    id="0.1",
    title="The one-minute tour",
    names=("total",),
    hints=(
        "The function gets a list such as [2, 1, 4] and returns one number.",
        "Python has a built-in function that adds up a list. An empty list must give 0.",
        "`return` the built-in sum of `counts`.",
    ),
    check=check,
    wrong=(
        WrongAnswer("counts bookings, not tickets", code="    return len(counts)\n", says="all tickets together are 7"),
        WrongAnswer("prints instead of returning", code="    print(sum(counts))\n", says="gives None"),
    ),
)
