"""What the check of task 4.8 writes and reads: contexts, traceparents by hand, and spoilt ones."""

from collections.abc import Iterator
from random import Random

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
USUAL = f"00-{TRACE}-{SPAN}-01".encode()
RANDOM_CONTEXTS, RANDOM_VALUES = 100, 4000

_W3C = TraceContextTextMapPropagator()


def contexts() -> Iterator[SpanContext]:
    """Small numbers among them: they have zeros in front."""
    random = Random(4)  # noqa: S311 - the same ones each time
    yield _context(int(TRACE, 16), int(SPAN, 16), 1)
    yield _context(int(TRACE, 16), int(SPAN, 16), 0)
    for _ in range(RANDOM_CONTEXTS - 2):
        bits = random.choice((1, 8, 60))
        yield _context(random.getrandbits(bits * 2) + 1, random.getrandbits(bits) + 1, random.getrandbits(1))


def _context(trace_id: int, span_id: int, flags: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(flags))


def by_hand() -> Iterator[tuple[bytes, str]]:
    yield f"00-{'0' * 32}-{SPAN}-01".encode(), "a trace id of zeros is no trace id"
    yield f"00-{TRACE}-{'0' * 16}-01".encode(), "a span id of zeros is no span id"
    yield b"", "an empty value"
    yield b"\xff\xfe\x00", "these are no letters"
    yield f"00-\N{ARABIC-INDIC DIGIT FOUR}{TRACE[1:]}-{SPAN}-01".encode(), "digits of other scripts are none here"
    yield f"00-{TRACE.upper()}-{SPAN}-01".encode(), "W3C: hexadecimal in lower case, and nothing else"
    yield f"00-{TRACE}-{SPAN.upper()}-01".encode(), "W3C: hexadecimal in lower case, and nothing else"
    yield f"00-0x{TRACE[2:]}-{SPAN}-01".encode(), "int(…, 16) takes 0x in front; W3C does not"
    yield f"00-{TRACE[:5]}_{TRACE[6:]}-{SPAN}-01".encode(), "int(…, 16) takes _ between digits; W3C does not"
    yield f"00-{TRACE}-+{SPAN[1:]}-01".encode(), "int(…, 16) takes a sign; W3C does not"
    yield f"00-{TRACE}-{SPAN}-".encode(), "the flags are missing"
    yield f"00-{TRACE}-{SPAN}".encode(), "the flags are missing"
    yield f"00-{TRACE}-{SPAN}-01-more".encode(), "version 00 has four parts and no more"
    yield f"01-{TRACE}-{SPAN}-01".encode(), "a version that is not known yet: its first four parts are read as 00's"
    yield f"cc-{TRACE}-{SPAN}-01-more-of-it".encode(), "a version that is not known yet may say more, after a dash"
    yield f"cc-{TRACE}-{SPAN}-01more".encode(), "a version that is not known yet may say more, but after a dash"
    yield f"ff-{TRACE}-{SPAN}-01".encode(), "version ff is forbidden"
    yield f"0-{TRACE}-{SPAN}-01".encode(), "a version has two digits"
    yield f"zz-{TRACE}-{SPAN}-01".encode(), "a version has two digits"
    for flags in ("00", "02", "03", "fe", "ff"):
        yield f"00-{TRACE}-{SPAN}-{flags}".encode(), "sampled is the lowest bit of the flags, whatever the others are"


def spoilt() -> Iterator[bytes]:
    """White space at the ends is left out: OpenTelemetry takes it, W3C need not."""
    random = Random(8)  # noqa: S311 - as above
    for _ in range(RANDOM_VALUES):
        value = bytearray(USUAL)
        for _ in range(random.choice((1, 1, 2, 5))):
            _spoil(value, random)
        if bytes(value).strip() == value:
            yield bytes(value)


def _spoil(value: bytearray, random: Random) -> None:
    at = random.randrange(len(value) + 1)
    match random.randrange(4):
        case 0:
            value[at : at + random.randint(1, 4)] = b""
        case 1:
            value[at:at] = bytes([random.choice(b"0f-g_+AF \xc3\x00")])
        case 2:
            value[at : at + 1] = bytes([random.choice(b"0123456789abcdefF-x")])
        case _:
            value[:2] = random.choice((b"00", b"01", b"0f", b"fe", b"ff"))


def w3c_of(context: SpanContext) -> str:
    """The traceparent that OpenTelemetry writes."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(NonRecordingSpan(context), Context()))
    return carrier["traceparent"]


def w3c_parent(value: bytes) -> SpanContext:
    """The context that OpenTelemetry reads; an invalid one where it reads none."""
    read = _W3C.extract({"traceparent": value.decode(errors="replace")}, Context())
    return trace.get_current_span(read).get_span_context()
