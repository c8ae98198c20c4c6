"""Task 1.7: the legal moves of a booking."""

from collections.abc import Collection, Mapping

from booking_service.domain import Status

from workbook.lesson.task import Task, Wrong, WrongAnswer

PENDING, CONFIRMED, CANCELLED = Status.PENDING, Status.CONFIRMED, Status.CANCELLED

# Written out, not taken from the domain: a check that asks the answer for the truth would pass anything.
LEGAL = {
    (PENDING, CONFIRMED): "a booking whose tickets are set aside must become CONFIRMED",
    (PENDING, CANCELLED): "a booking can be cancelled before it is confirmed",
    (CONFIRMED, CANCELLED): "a booking can be cancelled after it was confirmed",
}
ILLEGAL = {
    (CANCELLED, CONFIRMED): "CANCELLED must stay CANCELLED",
    (CANCELLED, PENDING): "CANCELLED must stay CANCELLED",
    (CONFIRMED, PENDING): "a booking never goes backwards",
    **{
        (status, status): "staying is no move, a second one would overwrite the first one's reason" for status in Status
    },
}


def check(moves: Mapping[Status, Collection[Status]]) -> str:
    """All nine pairs of statuses."""
    if not isinstance(moves, Mapping):
        raise Wrong(f"MOVES is a {type(moves).__name__}: write a dict from each status to the set of its next ones")
    missing = [status.name for status in Status if status not in moves]
    if missing:
        raise Wrong(f"MOVES has no entry for {', '.join(missing)}: a status without moves has an empty set")
    if {(target, origin) for origin in Status for target in moves[origin]} == set(LEGAL):
        raise Wrong("MOVES reads backwards: a key is where a booking is, its value where the booking may go next")
    for (origin, target), why in {**ILLEGAL, **LEGAL}.items():
        listed = target in moves[origin]
        if listed is not ((origin, target) in LEGAL):
            verb = "has" if listed else "lacks"
            raise Wrong(f"MOVES[{origin.name}] {verb} {target.name}: {why}")
    return f"all {len(LEGAL) + len(ILLEGAL)} pairs are right: {len(LEGAL)} are moves, {len(ILLEGAL)} are refused"


_FINAL_CONFIRMATION = """
MOVES = {
    Status.PENDING: {Status.CONFIRMED, Status.CANCELLED},
    Status.CONFIRMED: set(),
    Status.CANCELLED: set(),
}
"""
_UNDO = """
MOVES = {
    Status.PENDING: {Status.CONFIRMED, Status.CANCELLED},
    Status.CONFIRMED: {Status.CANCELLED},
    Status.CANCELLED: {Status.CONFIRMED},
}
"""
_STAYING = """
MOVES = {
    Status.PENDING: {Status.PENDING, Status.CONFIRMED, Status.CANCELLED},
    Status.CONFIRMED: {Status.CONFIRMED, Status.CANCELLED},
    Status.CANCELLED: {Status.CANCELLED},
}
"""
_REVERSED = """
MOVES = {
    Status.PENDING: set(),
    Status.CONFIRMED: {Status.PENDING},
    Status.CANCELLED: {Status.PENDING, Status.CONFIRMED},
}
"""
_WITHOUT_LAST = """
MOVES = {
    Status.PENDING: {Status.CONFIRMED, Status.CANCELLED},
    Status.CONFIRMED: {Status.CANCELLED},
}
"""

TASK = Task(
    id="1.7",
    title="The legal moves",
    names=("MOVES",),
    hints=(
        "Draw three circles and the arrows between them. How many arrows are there?",
        "A dict with three entries. Its keys are where a booking is, each value is the set of where it may go next.",
        "There are three arrows: two leave PENDING, one leaves CONFIRMED. CANCELLED needs an entry too: an empty set.",
    ),
    check=check,
    wrong=(
        WrongAnswer("a cancellation can be undone", code=_UNDO, says="CANCELLED must stay CANCELLED"),
        WrongAnswer("confirmed is final", code=_FINAL_CONFIRMATION, says="MOVES[CONFIRMED] lacks CANCELLED"),
        WrongAnswer("staying is a move", code=_STAYING, says="staying is no move"),
        WrongAnswer("from target to origins", code=_REVERSED, says="MOVES reads backwards"),
        WrongAnswer("no entry for the last status", code=_WITHOUT_LAST, says="no entry for CANCELLED"),
    ),
)
