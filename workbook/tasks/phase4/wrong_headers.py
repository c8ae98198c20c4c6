"""What people write first for task 4.8, and how the check answers."""

from workbook.lesson.source import NEXT
from workbook.lesson.task import WrongAnswer

_WRITES = """\
    if not context.is_valid:
        return list(headers)
    value = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return [*(pair for pair in headers if pair[0] != "traceparent"), ("traceparent", value.encode())]
"""
_READS = r"""    values = [value for name, value in headers or () if name == "traceparent"]
    form = rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
    found = re.fullmatch(form, (values or [b""])[-1] or b"")
    if found is None or found[1] == b"ff" or (found[1] == b"00" and found[5]):
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups()[1:4])
    parent = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return parent if parent.is_valid else None
"""
_SPLITS = """\
    value = dict(headers or ()).get("traceparent") or b""
    version, trace_id, span_id, flags = value.decode().split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
"""
_SPLITS_AND_CATCHES = """\
    try:
        version, trace_id, span_id, flags = (dict(headers or ()).get("traceparent") or b"").decode().split("-")
        sampled = TraceFlags(int(flags, 16))
        parent = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=sampled)
    except ValueError:
        return None
    return parent if parent.is_valid and (len(trace_id), len(span_id)) == (32, 16) else None
"""
_FIRST = _READS.replace("[-1] or", "[0] or")


def _writes(old: str, new: str) -> str:
    return _WRITES.replace(old, new) + NEXT + _READS


def _reads(old: str, new: str) -> str:
    return _WRITES + NEXT + _READS.replace(old, new)


WRONG = (
    WrongAnswer("text for bytes", code=_writes("value.encode()", "value"), says="a str. Kafka carries bytes"),
    WrongAnswer(
        "a trace of its own",
        code=_writes("context.trace_id", "(context.trace_id * 31 + 7) % 2**128"),
        says="OpenTelemetry writes",
    ),
    WrongAnswer(
        "ids swapped",
        code=_writes("context.trace_id:032x}-{context.span_id:016x", "context.span_id:032x}-{context.trace_id:016x"),
        says="OpenTelemetry writes",
    ),
    WrongAnswer("always sampled", code=_writes("{context.trace_flags:02x}", "01"), says="flags 00): traceparent is"),
    WrongAnswer("no zeros in front", code=_writes(":032x", ":x"), says="traceparent is b'00-"),
    WrongAnswer("upper case", code=_writes("032x", "032X"), says="OpenTelemetry writes b'00-4bf92f"),
    WrongAnswer("adds a second one", code=_writes(' if pair[0] != "traceparent"', ""), says="and now has two"),
    WrongAnswer(
        "drops the others",
        code=_writes('*(pair for pair in headers if pair[0] != "traceparent"), ', ""),
        says="all others stay as they are",
    ),
    WrongAnswer(
        "appends to what it was given",
        code='    headers.append(("traceparent", f"00-{context.trace_id:032x}-{context.span_id:016x}-'
        '{context.trace_flags:02x}".encode()))\n    return headers\n' + NEXT + _READS,
        says="That is the caller's",
    ),
    WrongAnswer(
        "a trace of zeros is written",
        code=_writes("if not context.is_valid", "if context is None"),
        says="Then nothing is added",
    ),
    WrongAnswer("falls over what it cannot read", code=_WRITES + NEXT + _SPLITS, says="could stop its reader"),
    WrongAnswer(
        "no headers at all", code=_reads(" in headers or ()", " in headers"), says="for which confluent_kafka says None"
    ),
    WrongAnswer("believes in int()", code=_WRITES + NEXT + _SPLITS_AND_CATCHES, says="None is right: "),
    WrongAnswer(
        "ids swapped in reading",
        code=_reads("trace_id, span_id, is_remote", "span_id, trace_id, is_remote"),
        says="is right: what OpenTelemetry writes",
    ),
    WrongAnswer(
        "zeros are taken", code=_reads("parent if parent.is_valid else None", "parent"), says="a trace id of zeros"
    ),
    WrongAnswer(
        "only version 00 is read",
        code=_reads('found[1] == b"ff" or', 'found[1] != b"00" or'),
        says="not known yet: its",
    ),
    WrongAnswer("version ff is taken", code=_reads('found[1] == b"ff" or ', ""), says="version ff is forbidden"),
    WrongAnswer("upper case is read", code=_reads('or b"")\n', 'or b"", re.IGNORECASE)\n'), says="lower case"),
    WrongAnswer("more is taken in version 00", code=_reads(' or (found[1] == b"00" and found[5])', ""), says="no more"),
    WrongAnswer(
        "sampled only if the flags are 01",
        code=_reads("TraceFlags(flags)", "TraceFlags(int(flags == 1))"),
        says="lowest bit of the flags",
    ),
    WrongAnswer(
        "the flag is lost",
        code=_reads(", trace_flags=TraceFlags(flags)", ""),
        says="the sampled flag is lost",
    ),
    WrongAnswer("the first of two", code=_WRITES + NEXT + _FIRST, says="the last of two counts"),
)
