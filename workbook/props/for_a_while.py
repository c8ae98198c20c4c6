"""What a lesson does to the stack for the length of a block. However the block ends, the stack is whole again."""

from collections.abc import Iterator
from contextlib import contextmanager

from workbook.part import Part
from workbook.stack import LocalStack


@contextmanager
def hung(part: Part) -> Iterator[Part]:
    """The part is there, its connections stay open, and it says nothing (SIGSTOP); then it goes on."""
    part.pause()
    try:
        yield part
    finally:
        part.resume()


@contextmanager
def dead(part: Part) -> Iterator[Part]:
    """The part is killed (SIGKILL), and started again at the end."""
    part.kill()
    try:
        yield part
    finally:
        part.start()


@contextmanager
def copy_of(stack: LocalStack, name: str, program: str | None = None, **environment: str) -> Iterator[Part]:
    """One more copy of a service, as `LocalStack.replica` starts it; stopped at the end."""
    part = stack.replica(name, program, **environment)
    try:
        yield part
    finally:
        part.stop()
        del stack.parts[part.name]
