"""Task 3.6: a record that nobody can handle gets out of the way, and no other does."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.errors import Unavailable

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase3.wrong_poison import WRONG

ENOUGH = 20  # tries, where 3 to 5 were asked for
FOR_EVER = 60.0  # seconds; the check is over long before

HandleOrBury = Callable[..., Awaitable[None]]


class Endless(BaseException):
    """It would go on for ever. No Exception, so that no `except` of an answer stops it."""


class Consumer:
    """Fails with `errors` in turn, the last one again and again; None is a success. Notes what was buried."""

    def __init__(self, *errors: BaseException | None, grave: Exception | None = None) -> None:
        self._errors, self._grave = errors, grave
        self.tried: Counter[Any] = Counter()
        self.buried: list[tuple[Any, Any]] = []

    async def handle(self, record: Any) -> None:
        error = self._errors[min(self.tried[record], len(self._errors) - 1)]
        self.tried[record] += 1
        if self.tried[record] > ENOUGH:
            await asyncio.sleep(FOR_EVER)
        if self.tried[record] == ENOUGH:
            raise Endless
        if error is not None:
            raise error

    def bury(self, record: Any, error: Any) -> "asyncio.Future[None]":
        return asyncio.ensure_future(self._bury(record, error))

    async def _bury(self, record: Any, error: Any) -> None:
        await asyncio.sleep(0)
        if self._grave is not None:
            raise self._grave
        self.buried.append((record, error))


async def check(handle_or_bury: HandleOrBury) -> str:
    """Records that work, never work, work at last; then everything that is no fault of the record."""
    await _good(handle_or_bury)
    for tries in (3, 5):
        await _poison(handle_or_bury, tries)
    await _at_last(handle_or_bury)
    await _one_after_the_other(handle_or_bury)
    await _nobodys_fault(handle_or_bury)
    await _no_grave(handle_or_bury)
    return "poison was buried after 3 tries, once; what was only unlucky, away or told to stop was not"


async def _good(answer: HandleOrBury) -> None:
    consumer = Consumer(None)
    raised = await _run(answer, consumer, "good")
    if raised or consumer.tried["good"] != 1 or consumer.buried:
        raise Wrong(
            f"a record that can be handled: handled {consumer.tried['good']} times, buried {len(consumer.buried)} "
            f"times, raised {raised!r}. Once, never and nothing are right"
        )


async def _poison(answer: HandleOrBury, tries: int) -> None:
    errors = [ValueError(f"no JSON, try {number}") for number in range(1, ENOUGH)]
    consumer = Consumer(*errors)
    raised = await _run(answer, consumer, "poison", tries=tries)
    what = f"a record fails at every try, {tries} are allowed"
    tried, buried = consumer.tried["poison"], consumer.buried
    if not buried:
        end = (
            f"raised {raised!r}, so it is read again, for ever" if raised else "returned, so it is lost without a trace"
        )
        raise Wrong(f"{what}: tried {tried} times, never buried, and handle_or_bury {end}. Await bury(record, error)")
    if raised:
        raise Wrong(
            f"{what}: it was buried, and handle_or_bury raised {raised!r} all the same. Then it is never committed, is "
            "read again and buried again: return, so that the partition goes on"
        )
    if tried != tries:
        raise Wrong(f"{what}: it was buried after {tried}")
    if buried != [("poison", errors[tries - 1])]:
        raise Wrong(f"{what}: buried was {buried!r}; once, as (record, its last error), is right")


async def _at_last(answer: HandleOrBury) -> None:
    consumer = Consumer(ValueError("bad luck"), ValueError("bad luck"), None)
    raised = await _run(answer, consumer, "unlucky")
    if raised or consumer.buried:
        raise Wrong(
            f"a record is handled at the last of 3 tries: buried {len(consumer.buried)} times, raised {raised!r}"
        )
    if consumer.tried["unlucky"] != 3:
        raise Wrong(
            f"a record is handled at its third try, and it was handled again: tried {consumer.tried['unlucky']} times"
        )


async def _one_after_the_other(answer: HandleOrBury) -> None:
    consumer = Consumer(ValueError("bad luck"), None)
    for record in ("one", "two", "three", "four"):
        await _run(answer, consumer, record)
    if consumer.buried:
        raise Wrong(
            f"four records fail once each and could then be handled; {consumer.buried[0][0]!r} was buried after "
            f"{consumer.tried[consumer.buried[0][0]]}: each record has 3 tries of its own"
        )


async def _nobodys_fault(answer: HandleOrBury) -> None:
    away, stop = Unavailable("the database is away"), asyncio.CancelledError("the consumer is told to stop")
    cases: Sequence[tuple[str, BaseException, list[BaseException]]] = (
        ("the database is away", away, [away]),
        ("one bad try, then the database is away", away, [ValueError("bad luck"), away]),
        ("the consumer is told to stop, and its task is cancelled", stop, [stop]),
    )
    for what, error, errors in cases:
        consumer = Consumer(*errors)
        raised = await _run(answer, consumer, "innocent")
        if consumer.buried:
            raise Wrong(f"{what}: a good record was buried with {error!r}. It is not to blame: let the error pass")
        if raised is not error:
            raise Wrong(
                f"{what}: handle_or_bury {f'raised {raised!r}' if raised else 'returned'}. The record is neither "
                f"handled nor buried, and is committed next: let {type(error).__name__} pass"
            )


async def _no_grave(answer: HandleOrBury) -> None:
    grave = Unavailable("the dead-letter topic is away")
    consumer = Consumer(ValueError("no JSON"), grave=grave)
    raised = await _run(answer, consumer, "poison")
    if raised is not grave:
        raise Wrong(
            f"bury raised {grave!r} and handle_or_bury {f'raised {raised!r}' if raised else 'returned'}: the record is "
            "neither handled nor buried, and is committed next. That error must pass"
        )


async def _run(answer: HandleOrBury, consumer: Consumer, record: str, **options: int) -> BaseException | None:
    """What the answer raised, or None."""
    try:
        await answer(record, consumer.handle, consumer.bury, **options)
    except Endless:
        raise Wrong(
            f"a record was tried {ENOUGH} times and is tried on: it will never work, and everything behind it waits"
        ) from None
    except NotImplementedError:
        raise
    except UnboundLocalError as error:
        raise Wrong(
            f"{error}. Python forgets the name in `except … as error` when that block ends: bury inside it, or keep "
            "the error under another name"
        ) from error
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it is looked at by whoever called
        return error
    return None


TASK = Task(
    id="3.6",
    title="Poison",
    names=("handle_or_bury",),
    hints=(
        "When it returns, the record is committed and gone. In which cases may it return, and in which must it raise?",
        (
            "A loop over the tries with a try in it: success returns; `except Unavailable: raise` stands before "
            "`except Exception as error:`; the last failure is buried."
        ),
        (
            "for attempt in range(1, tries + 1): await handle(record) and return. In `except Exception as error`: if "
            "attempt == tries, await bury(record, error). Outside that block `error` is gone. Nothing around bury."
        ),
    ),
    check=check,
    wrong=WRONG,
)
