"""The limit of task 5.9 in whole numbers, written from its definition: what the check compares with."""

TICKS = 64  # a second; the check's times are whole ticks, which floats hold exactly


class ExactLimit:
    """For one key. Remembers in which window each request was let in, and counts anew each time."""

    def __init__(self, amount: int, seconds: float) -> None:
        self._amount, self._window = amount, int(seconds * TICKS)
        self._let_in: list[int] = []

    def take(self, now: float) -> tuple[bool, int, float]:
        """Whether the request is let in, how many more would be now, and in how many seconds the next one is."""
        at = int(now * TICKS)
        if self._room(at) < self._window:
            return False, 0, self._free_in(at) / TICKS
        self._let_in.append(at // self._window)
        return True, self._room(at) // self._window, 0.0

    def counted(self, now: float) -> tuple[int, int]:
        """In the window that runs, and in the one before it."""
        return self._in_window(int(now * TICKS) // self._window)

    def _room(self, at: int) -> int:
        """For so many requests, times the window's ticks, so that it is a whole number."""
        number, into = divmod(at, self._window)
        this, before = self._in_window(number)
        return (self._amount - this) * self._window - before * (self._window - into)

    def _in_window(self, number: int) -> tuple[int, int]:
        recent = self._let_in[-2 * self._amount - 2 :]
        return recent.count(number), recent.count(number - 1)

    def _free_in(self, at: int) -> float:
        """Ticks. Room grows evenly from a window's beginning to its end, so the first window with enough has it."""
        number = at // self._window
        for window in (number, number + 1, number + 2):
            this, before = self._in_window(window)
            needed = this + 1 - self._amount + before  # so many of `before` have to fade
            if needed <= before:
                share = needed / before if before else 0
                return (window + share) * self._window - at
        raise AssertionError("two windows later nothing counts")
