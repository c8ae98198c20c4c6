"""Task 4.8: a trace in the headers of a message, compared with OpenTelemetry's own reading and writing."""

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase4.given_headers import (
    RANDOM_CONTEXTS,
    RANDOM_VALUES,
    USUAL,
    by_hand,
    contexts,
    spoilt,
    w3c_of,
    w3c_parent,
)
from workbook.tasks.phase4.wrong_headers import WRONG

Headers = Sequence[tuple[str, bytes | None]]
HeadersOf = Callable[[SpanContext, Headers], Any]
ParentOf = Callable[[Headers | None], Any]

OTHERS: Headers = (("message-type", b"BookingCreatedEvent"), ("origin", None), ("raw", b"\xff\x00"))


def check(headers_of: HeadersOf, parent_of: ParentOf) -> str:
    """Written first, since what is written is then read; then what others may write; then what nobody should."""
    for context in contexts():
        _written(headers_of, context)
    _not_written(headers_of)
    for context in contexts():
        _read(parent_of, w3c_of(context).encode(), "what OpenTelemetry writes")
    _nothing_there(parent_of)
    for value, why in by_hand():
        _read(parent_of, value, why)
    _twice(parent_of)
    for value in spoilt():
        _read(parent_of, value, "a traceparent that was spoilt on its way")
    return f"{RANDOM_CONTEXTS} contexts written, {RANDOM_VALUES:,} values read, each as OpenTelemetry does it"


def _written(headers_of: HeadersOf, context: SpanContext) -> None:
    right = w3c_of(context)
    before: list[tuple[str, bytes | None]] = [OTHERS[0], ("traceparent", USUAL), *OTHERS[1:]]
    for given in (list(OTHERS), before):
        kept = list(given)
        got = headers_of(context, given)
        if given != kept:
            raise Wrong("headers_of changed the list it was given. That is the caller's: make a new one")
        _is_headers(got)
        values = [value for name, value in got if name == "traceparent"]
        if values == [USUAL, right.encode()] or values == [right.encode(), USUAL]:
            raise Wrong(
                f"the message had a traceparent, and now has two: {_shown(got)}. Whoever reads it cannot know which "
                "one is meant: the new one takes the place of the old"
            )
        if values != [right.encode()]:
            raise Wrong(f"{_words(context)}: traceparent is {_of(values)}, OpenTelemetry writes {right.encode()!r}")
        if [pair for pair in got if pair[0] != "traceparent"] != list(OTHERS):
            raise Wrong(f"the headers were {_shown(given)} and are now {_shown(got)}: all others stay as they are")


def _not_written(headers_of: HeadersOf) -> None:
    got = headers_of(INVALID_SPAN_CONTEXT, list(OTHERS))
    if got != list(OTHERS):
        raise Wrong(
            f"there is no trace (INVALID_SPAN_CONTEXT: its ids are 0), and headers_of gives {_shown(got)}. Then "
            "nothing is added: context.is_valid says it"
        )


def _is_headers(got: Any) -> None:
    if not isinstance(got, list):
        raise Wrong(f"headers_of gives {got!r}: a list of pairs is wanted, name and value")
    for name, value in got:
        if isinstance(value, str):
            raise Wrong(f"the value of {name} is {value!r}, a str. Kafka carries bytes: .encode()")


def _nothing_there(parent_of: ParentOf) -> None:
    for headers, what in (
        (None, "no headers at all, for which confluent_kafka says None"),
        ([], "an empty list"),
        (OTHERS, "other headers alone"),
        ([("traceparent", None)], "a traceparent whose value is None, which Kafka allows"),
    ):
        if (got := _told(parent_of, headers, what)) is not None:
            raise Wrong(f"{what}: parent_of gives {got!r}. There is no parent: None")


def _twice(parent_of: ParentOf) -> None:
    """Kafka allows a name twice; who adds one puts it at the end."""
    newer = f"00-{'1' * 32}-{'2' * 16}-01".encode()
    _same(parent_of, [("traceparent", USUAL), *OTHERS, ("traceparent", newer)], newer, "the last of two counts")
    _same(parent_of, [("traceparent", USUAL), ("traceparent", b"?")], b"?", "the last of two counts, also when bad")


def _read(parent_of: ParentOf, value: bytes, why: str) -> None:
    _same(parent_of, [OTHERS[0], ("traceparent", value), OTHERS[2]], value, why)


def _same(parent_of: ParentOf, headers: Headers, value: bytes, why: str) -> None:
    right = w3c_parent(value)
    shown = f"traceparent is {value!r}"
    got = _told(parent_of, headers, shown)
    if not right.is_valid:
        if got is not None:
            raise Wrong(f"{shown}: parent_of gives {_words(got)}, None is right: {why}")
        return
    if got is None:
        raise Wrong(f"{shown}: parent_of gives None, {_words(right)} is right: {why}")
    if (got.trace_id, got.span_id) != (right.trace_id, right.span_id):
        raise Wrong(f"{shown}: parent_of gives {_words(got)}, {_words(right)} is right: {why}")
    if got.trace_flags & 1 != right.trace_flags & 1:
        raise Wrong(f"{shown}: the sampled flag is lost or made up. Here it is {right.trace_flags & 1}: {why}")
    if not got.is_remote:
        raise Wrong(f"{shown}: the context came from another process: is_remote=True")


def _told(parent_of: ParentOf, headers: Headers | None, what: str) -> SpanContext | None:
    try:
        got = parent_of(headers)
    except NotImplementedError:
        raise
    except Exception as error:
        raise Wrong(
            f"{what}: parent_of raised {type(error).__name__}: {error}. Whoever can write to the topic could stop its "
            "reader so: what cannot be read is None"
        ) from error
    if got is None or isinstance(got, SpanContext):
        return got
    raise Wrong(f"{what}: parent_of gives {got!r}: a SpanContext is wanted, or None")


def _words(context: SpanContext) -> str:
    return f"(trace {context.trace_id:032x}, span {context.span_id:016x}, flags {int(context.trace_flags):02x})"


def _shown(headers: Headers) -> str:
    return "[" + ", ".join(f"{name}: {value!r}" for name, value in headers) + "]"


def _of(values: list[bytes | None]) -> str:
    return repr(values[0]) if len(values) == 1 else f"there {len(values)} times"


TASK = Task(
    id="4.8",
    title="A trace in the headers",
    names=("headers_of", "parent_of"),
    hints=(
        (
            'Write first: two hyphens too few or a zero too few, and nobody reads it. `f"{number:032x}"` is 32 '
            "hexadecimal digits, with zeros in front. Then read what you wrote."
        ),
        (
            "One regular expression says nearly all of W3C's rules: two, 32, 16 and two characters of [0-9a-f], dashes "
            'between, then for an unknown version perhaps a dash and more. On bytes, `re.fullmatch(rb"…", value)` '
            "never raises. Then: version ff, version 00 with more, an id of zeros."
        ),
        (
            'parent_of: values = those called traceparent; take the last, or b"" for None; fullmatch; '
            "trace_id, span_id, flags = (int(part, 16) for part in …); SpanContext(…, is_remote=True, trace_flags=…); "
            "give it only if its is_valid is true."
        ),
    ),
    check=check,
    wrong=WRONG,
)
