"""Task 1.2: taking a message apart without its description."""

from collections.abc import Callable

from booking_service.proto import booking_pb2 as pb

from workbook.lesson.task import Task, Wrong, WrongAnswer

Fields = list[tuple[int, int | bytes]]
MESSAGES: tuple[tuple[str, bytes, Fields], ...] = (
    ("an empty message", b"", []),
    ("ticket_count = 300", pb.Booking(ticket_count=300).SerializeToString(), [(4, 300)]),
    (
        "user_id and ticket_count",
        pb.Booking(user_id="ayse", ticket_count=2).SerializeToString(),
        [(2, b"ayse"), (4, 2)],
    ),
    ("a reason of 150 characters", pb.Booking(reason="x" * 150).SerializeToString(), [(8, b"x" * 150)]),
    ("field 16, whose tag takes two bytes", b"\x82\x01\x02hi", [(16, b"hi")]),
    (
        "a list of two bookings: field 1 twice",
        pb.ListUserBookingsResponse(
            bookings=[pb.Booking(ticket_count=1), pb.Booking(ticket_count=2)]
        ).SerializeToString(),
        [(1, b"\x20\x01"), (1, b"\x20\x02")],
    ),
)
EIGHT_BYTES = b"\x09" + b"\x80" * 7 + b"\x01"  # field 1, wire type 1; as a varint it would make sense too


def check(fields: Callable[[bytes], Fields]) -> str:
    """Messages that protobuf wrote, each with one thing that is easy to miss; then a wire type that must be refused."""
    for what, raw, right in MESSAGES:
        try:
            got = fields(raw)
        except (IndexError, ValueError) as error:
            raise Wrong(f"{what}: {raw[:16].hex(' ')} raises {type(error).__name__}: {error}") from None
        if got != right:
            raise Wrong(f"{what}: {raw[:16].hex(' ')} gives {_shown(got)}, and is {_shown(right)}")
    try:
        got = fields(EIGHT_BYTES)
    except ValueError:
        return f"{len(MESSAGES)} messages read without their description"
    except IndexError as error:
        raise Wrong(f"wire type 1: {EIGHT_BYTES.hex(' ')} raises IndexError: {error}; ValueError is wanted") from None
    raise Wrong(f"wire type 1: {EIGHT_BYTES.hex(' ')} gives {_shown(got)}; ValueError is wanted")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:70]} …"


TASK = Task(
    id="1.2",
    title="Reading fields out of raw bytes",
    names=("fields",),
    hints=(
        (
            "Keep a position `at`, and go on while it is less than `len(raw)`. Each round reads one tag and one "
            "value, and moves `at` behind them."
        ),
        (
            "`tag, at = read_varint(raw, at)` reads a tag of any length. The wire type is its last three bits, the "
            "field's number is the tag shifted right by three."
        ),
        (
            "Wire type 0: the value is one more `read_varint`. Wire type 2: read the length with `read_varint`, "
            "take that many bytes by slicing, and move `at` by the length. Anything else: `raise ValueError`."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "the tag is one byte",
            code="""\
    found, at = [], 0
    while at < len(raw):
        number, wire_type = raw[at] >> 3, raw[at] & 0b111
        value, at = read_varint(raw, at + 1)
        if wire_type == 2:
            value, at = raw[at : at + value], at + value
        elif wire_type != 0:
            raise ValueError(wire_type)
        found.append((number, value))
    return found
""",
            says="field 16, whose tag takes two bytes",
        ),
        WrongAnswer(
            "the length is one byte",
            code="""\
    found, at = [], 0
    while at < len(raw):
        tag, at = read_varint(raw, at)
        if tag & 0b111 == 2:
            length = raw[at]
            found.append((tag >> 3, raw[at + 1 : at + 1 + length]))
            at += 1 + length
        elif tag & 0b111 == 0:
            value, at = read_varint(raw, at)
            found.append((tag >> 3, value))
        else:
            raise ValueError(tag)
    return found
""",
            says="a reason of 150 characters",
        ),
        WrongAnswer(
            "one value a field",
            code="""\
    found, at = {}, 0
    while at < len(raw):
        tag, at = read_varint(raw, at)
        value, at = read_varint(raw, at)
        if tag & 0b111 == 2:
            value, at = raw[at : at + value], at + value
        elif tag & 0b111 != 0:
            raise ValueError(tag)
        found[tag >> 3] = value
    return list(found.items())
""",
            says="field 1 twice",
        ),
        WrongAnswer(
            "takes every wire type for a varint or a length",
            code="""\
    found, at = [], 0
    while at < len(raw):
        tag, at = read_varint(raw, at)
        value, at = read_varint(raw, at)
        if tag & 0b111 == 2:
            value, at = raw[at : at + value], at + value
        found.append((tag >> 3, value))
    return found
""",
            says="ValueError is wanted",
        ),
    ),
)
