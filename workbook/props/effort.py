"""What code costs, without a clock: the lines that run, and what an object holds on to."""

import gc
import sys
from collections.abc import Callable, Collection
from types import FrameType, FunctionType, ModuleType
from typing import Any

_ELSEWHERE = (ModuleType, FunctionType, type)


def steps(work: Callable[[], object]) -> int:
    """Lines of Python code that `work` runs, in whatever it calls, each round of a loop anew; on any machine the same.

    Lines and not instructions: those are counted in some versions of Python and in some not.
    """
    made = 0

    def trace(_frame: FrameType, event: str, _: Any) -> Any:
        nonlocal made
        made += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return made


def held(root: object, wanted: Collection[str]) -> int:
    """How many of these texts can be reached from an object, and so cannot be forgotten while it lives."""
    seen = {id(root)}
    waiting, found = [root], 0
    while waiting:
        for each in _inside(waiting.pop()):
            if id(each) not in seen and not isinstance(each, _ELSEWHERE):
                seen.add(id(each))
                found += isinstance(each, str) and each in wanted
                waiting.append(each)
    return found


def _inside(each: object) -> list[Any]:
    keys = [*each] if isinstance(each, dict) else []  # texts that are keys of a dict are not told to the collector
    return [*keys, *gc.get_referents(each)]
