"""What code costs, without a clock: the steps that the interpreter makes, and what an object holds on to."""

import gc
import sys
from collections.abc import Callable, Collection
from types import FrameType, FunctionType, ModuleType
from typing import Any

_ELSEWHERE = (ModuleType, FunctionType, type)


def steps(work: Callable[[], object]) -> int:
    """Instructions of Python code that `work` runs, in whatever it calls; the same each time, on any machine."""
    made = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal made
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        made += event == "opcode"
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
