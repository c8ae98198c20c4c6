"""4.3 One request is one trace."""

from checklist.outcomes import CONTRACT
from checklist.stores import store_of
from checklist.traced import OWN, Trace, Traced

from workbook.checks.parts import silence_of
from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

CONTINUE = "read traceparent from the call's metadata, and begin a trace only where there is none: the SDK's propagator"
GO_ALONG = "put the current span's context into the metadata of calls, and take it out on the other side"
INTO_MESSAGE = "write the traceparent of the call beside the message, and send it in the header traceparent"


def test_answers(system: System) -> None:
    """The store of traces answers."""
    store = store_of(system)
    silence = silence_of(store.name, store.address, system.patience)
    expect(not silence, silence, "start Jaeger there, and give the port of its query service")


def test_continued(traced: Traced) -> None:
    """A call that is in a trace is continued in it."""
    sold = traced.sold
    said = f"no span came of a booking whose caller sent traceparent {sold.sent.traceparent}"
    expect(sold.spans, said, CONTINUE)
    said = f"the first span of a booking, {sold.spans[0].name}, is not under the span that its caller named"
    expect(sold.first, said, CONTINUE)


def test_both_services(traced: Traced) -> None:
    """The booking service and the event service are in one trace."""
    sold = _sold(traced)
    said = f"only {', '.join(sold.services)} has spans in the trace of a booking"
    expect(len({span.service for span in sold.spans if span not in sold.consumers}) > 1, said, GO_ALONG)


def test_connected(traced: Traced) -> None:
    """The trace is one tree: the cause of each span is in it."""
    sold = _sold(traced)
    lost = [f"{span.service}: {span.name}" for span in sold.lost]
    said = f"{len(lost)} of {len(sold.spans)} spans are under a span that is not in the trace, such as {lost[:1]}"
    expect(not lost, said, "take the parent from the context that came; send the spans of every service to one store")


def test_message(traced: Traced) -> None:
    """The message goes on with the trace: its header traceparent names it, and a span in it."""
    if traced.message is None:
        not_run("needs a message about the booking: --target kafka=HOST:PORT,…, and checklist 3")
    if not traced.message.in_contract:
        not_run(f"needs the header traceparent on messages: {CONTRACT}")
    sold, (trace_id, span_id) = _sold(traced), traced.carried
    header = traced.message.headers.get("traceparent", "")
    said = f"the booking's trace is {sold.sent.trace_id}, and its message has the header traceparent {header!r}"
    expect(trace_id == sold.sent.trace_id, said, INTO_MESSAGE)
    known = {span.span_id for span in sold.spans}
    said = f"the message's header traceparent {header!r} names a span that is not in the trace"
    expect(span_id in known, said, INTO_MESSAGE)


def test_consumer(traced: Traced) -> None:
    """Whoever reads the message is in the same trace."""
    sold = _sold(traced)
    if not sold.consumers and traced.carried[0] != sold.sent.trace_id:
        not_run("needs a message that carries the trace, see above")
    said = f"no consumer has a span in the booking's trace, {', '.join(sold.services)} have"
    todo = "read the header traceparent, and make the consumer's span under it"
    expect(sold.consumers, said, todo)


def test_not_sampled(traced: Traced) -> None:
    """A trace that its caller does not keep is kept by nobody."""
    _sold(traced)
    kept = traced.traces["not sampled"].spans
    if kept:
        _needs_contract(traced)
    said = f"{len(kept)} spans came of a call whose traceparent ends with 00"
    expect(not kept, said, "let the caller decide: a parent-based sampler")


def test_refusals(traced: Traced) -> None:
    """A refusal is no error of the server's: it did what it is there for."""
    _sold(traced)
    wrong = [name for name in ("a refusal", "bad input", "not found") if _failed(traced.traces[name])]
    if wrong:
        _needs_contract(traced)
    said = f"the server's span is an error though it answered {' and '.join(wrong)}"
    expect(not wrong, said, "set the status ERROR for UNKNOWN, INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED and DATA_LOSS")


def _failed(trace: Trace) -> bool:
    return bool(trace.first and trace.first.error)


def _sold(traced: Traced) -> Trace:
    if traced.sold.first is None:
        not_run("needs a call that is continued in its caller's trace, see above")
    return traced.sold


def _needs_contract(traced: Traced) -> None:
    if not traced.in_contract:
        not_run(f"needs the attribute {OWN} on spans, and who decides what is kept, and what is an error: {CONTRACT}")
