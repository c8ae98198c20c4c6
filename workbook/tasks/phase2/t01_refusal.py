"""Task 2.1: the other service's errors, in words of our own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from booking_saga.inventory import CancelledMeanwhile, EventServiceAway, NoSuchEvent, SalesClosed, SoldOut
from chassis.error_status import abort, status_of
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, ServiceError, Unavailable
from google.protobuf.wrappers_pb2 import StringValue

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.one_method import channel_to

METHOD = "/event.EventService/ReserveTickets"
SHORT = 0.1  # seconds that the call which gets no answer may take

Refusal = Callable[[grpc.aio.AioRpcError], Exception]


def _because(reason: str, kind: type[ServiceError], text: str) -> ServiceError:
    """A refusal with this reason, as the event service raises it."""
    raised: ServiceError = type("Raised", (kind,), {"reason": reason})(text)
    return raised


# Each text is for people: it may name an event, or be in another language. Only the reason is for programs.
REFUSED: tuple[tuple[type[Exception], ServiceError], ...] = (
    (SoldOut, _because("SOLD_OUT", FailedPrecondition, "1 ticket is left, 2 were wanted")),
    (SoldOut, _because("SOLD_OUT", FailedPrecondition, "2 bilet istendi, biletler tükendi")),
    (SalesClosed, _because("SALES_CLOSED", FailedPrecondition, "the event “Sold Out” has begun")),
    (CancelledMeanwhile, _because("ALREADY_RELEASED", FailedPrecondition, "booking 7 has given its tickets back")),
    (NoSuchEvent, _because("EVENT_NOT_FOUND", NotFound, "there is no event 3f6c")),
    (NoSuchEvent, InvalidArgument("event_id", "must be a UUID")),
)
UNKNOWN: tuple[tuple[str, Exception | None], ...] = (
    ("a deadline", None),
    ("UNAVAILABLE", _because("CONTENDED", Unavailable, "try again")),
    ("INTERNAL", RuntimeError("a bug")),
    ("a reason that nobody told us of", _because("MOON_IS_FULL", FailedPrecondition, "not tonight")),
)


async def check(refusal: Refusal) -> str:
    """Every error is a real one: a server raised it, and it came over a channel."""
    for expected, raised in REFUSED:
        error = await _error_of(raised)
        got = _translated(refusal, error)
        what = f"{error.code().name} with reason {raised.reason} and the text {error.details()!r}"
        if type(got) is not expected:
            raise Wrong(f"{what} gives {_shown(got)}, and is {expected.__name__}: only the reason is for programs")
        if str(got) != error.details():
            raise Wrong(f"{what} gives {_shown(got)}: hand the server's own text on, error.details()")
    for what, cause in UNKNOWN:
        got = _translated(refusal, await _error_of(cause))
        if not isinstance(got, EventServiceAway):
            raise Wrong(
                f"{what} gives {_shown(got)}: nobody knows whether the tickets were taken. EventServiceAway keeps the "
                "booking PENDING; a refusal would cancel it"
            )
    return f"{len(REFUSED)} refusals told by their reason, and {len(UNKNOWN)} errors after which nobody knows"


def _translated(refusal: Refusal, error: grpc.aio.AioRpcError) -> Exception:
    try:
        got = refusal(error)
    except (KeyError, ServiceError) as raised:
        raise Wrong(f"refusal raised {type(raised).__name__}: {raised}; it returns an exception, always") from raised
    if not isinstance(got, Exception):
        raise Wrong(f"refusal gives {got!r}: an exception is wanted, made with the text for its reader")
    return got


async def _error_of(raised: Exception | None) -> grpc.aio.AioRpcError:
    """What a client gets when the server raises this; with None the server does not answer in time."""
    async with _served(raised) as reserve:
        try:
            await reserve(StringValue(), timeout=SHORT if raised is None else 5)
        except grpc.aio.AioRpcError as error:
            return error
    raise AssertionError("the server answered")


@asynccontextmanager
async def _served(raised: Exception | None) -> AsyncIterator[Any]:
    async def handler(_: StringValue, context: Any) -> StringValue:
        if isinstance(raised, ServiceError):
            await abort(context, status_of(raised, "event-service"))
        if raised is not None:
            await context.abort(grpc.StatusCode.INTERNAL, "internal error 4fa1: see the log")
        await asyncio.sleep(5 * SHORT)
        return StringValue()

    method = grpc.unary_unary_rpc_method_handler(handler, StringValue.FromString, StringValue.SerializeToString)
    async with channel_to(METHOD, method) as channel:
        await asyncio.wait_for(channel.channel_ready(), 5)
        yield channel.unary_unary(METHOD, StringValue.SerializeToString, StringValue.FromString)


def _shown(got: Exception) -> str:
    return f"{type(got).__name__}({str(got)!r})"


_BY_CODE = """\
    if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
        return SoldOut(error.details())
    if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
        return NoSuchEvent(error.details())
    return EventServiceAway("the event service does not answer")
"""
_BY_TEXT = """\
    text = error.details() or ""
    if "left" in text:
        return SoldOut(text)
    if "begun" in text or "began" in text:
        return SalesClosed(text)
    if "given its tickets back" in text:
        return CancelledMeanwhile(text)
    if "no event" in text or "UUID" in text:
        return NoSuchEvent(text)
    return EventServiceAway("the event service does not answer")
"""
_KINDS = """\
    kinds = {
        "SOLD_OUT": SoldOut,
        "SALES_CLOSED": SalesClosed,
        "ALREADY_RELEASED": CancelledMeanwhile,
        "EVENT_NOT_FOUND": NoSuchEvent,
        "INVALID_FIELD": NoSuchEvent,
    }
"""
_DEADLINE = f"""\
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return SoldOut("the event service is too slow today")
{_KINDS}
    kind = kinds.get(reason_of(error), EventServiceAway)
    return kind(error.details())
"""
_SOLD_OUT_ELSE = f"""\
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL):
        return EventServiceAway("the event service does not answer")
{_KINDS}
    return kinds.get(reason_of(error), SoldOut)(error.details())
"""
_KEY_ERROR = f"{_KINDS}    return kinds[reason_of(error)](error.details())\n"
_OWN_TEXT = f"""\
{_KINDS}
    kind = kinds.get(reason_of(error), EventServiceAway)
    return kind(kind.reason)
"""

TASK = Task(
    id="2.1",
    title="Errors for people",
    names=("refusal",),
    hints=(
        (
            "Two questions: does the error say why the tickets cannot be had? And if not, do you know whether they "
            "were taken?"
        ),
        (
            "A dict from reason to class: five reasons, four classes (an event id that no event can have names no "
            "event). `.get(reason_of(error))` is None for everything else."
        ),
        (
            'kind = {"SOLD_OUT": SoldOut, …}.get(reason_of(error)). When it is None, return EventServiceAway with a '
            "sentence of yours; else return kind(error.details())."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer("decides by the status code", code=_BY_CODE, says="with reason SALES_CLOSED"),
        WrongAnswer("decides by the text", code=_BY_TEXT, says="biletler tükendi' gives EventServiceAway"),
        WrongAnswer("takes a deadline for a refusal", code=_DEADLINE, says="a deadline gives SoldOut"),
        WrongAnswer("what is unknown is sold out", code=_SOLD_OUT_ELSE, says="a reason that nobody told us of gives"),
        WrongAnswer(
            "forgets an id that no event can have",
            code=_KINDS.replace('        "INVALID_FIELD": NoSuchEvent,\n', "")
            + "    return kinds.get(reason_of(error), EventServiceAway)(error.details())\n",
            says="with reason INVALID_FIELD",
        ),
        WrongAnswer("has no answer for the unknown", code=_KEY_ERROR, says="refusal raised KeyError"),
        WrongAnswer("keeps the text to itself", code=_OWN_TEXT, says="hand the server's own text on"),
    ),
)
