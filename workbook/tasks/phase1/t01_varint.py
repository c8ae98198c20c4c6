"""Task 1.1: a varint encoder, compared with what protobuf itself writes."""

from collections.abc import Callable

from google.protobuf.timestamp_pb2 import Timestamp

from workbook.lesson.task import Task, Wrong, WrongAnswer

NUMBERS = (0, 1, 2, 127, 128, 300, 16_383, 16_384, 2**31, 2**63 - 1)


def check(varint: Callable[[int], bytes]) -> str:
    """The edges of each length, in bytes and bits that a learner can compare."""
    for number in NUMBERS:
        got, right = varint(number), written_by_protobuf(number)
        if not isinstance(got, bytes):
            raise Wrong(f"varint({number}) gives {got!r}: bytes are wanted, such as {right!r}")
        if got != right:
            raise Wrong(f"varint({number}) gives {_shown(got)}, protobuf writes {_shown(right)}")
    largest = varint(2**64 - 1)
    if largest != b"\xff" * 9 + b"\x01":
        raise Wrong(f"varint(2**64 - 1) gives {_shown(largest)}: nine bytes ff, then 01")
    return f"{len(NUMBERS) + 1} numbers, byte for byte as protobuf writes them"


def written_by_protobuf(number: int) -> bytes:
    """The value's bytes as a real message has them. A 0 is a default and not written: its varint is one zero byte."""
    return Timestamp(seconds=number).SerializeToString()[1:] or b"\x00"


def _shown(raw: bytes) -> str:
    return f"{raw.hex(' ')} ({' '.join(f'{byte:08b}' for byte in raw)})" if raw else "no bytes"


TASK = Task(
    id="1.1",
    title="A varint encoder",
    names=("varint",),
    hints=(
        "Take seven bits at a time from the low end: `number & 0x7F` are the lowest seven, `number >> 7` is the rest.",
        (
            "Collect the bytes in a `bytearray`. While the rest is not 0, the byte gets its eighth bit: `| 0x80`. "
            "The last byte does not. Mind 0: it is one byte, not none."
        ),
        (
            "A loop that runs while `number > 0x7F`: append the lowest seven bits with 0x80 set, then shift by "
            "seven. After the loop, append what is left as it is, and return `bytes(...)` of it all."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "highest bits first",
            code="""\
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.insert(0, number & 0x7F)
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])
""",
            says="varint(128) gives 81 00",
        ),
        WrongAnswer(
            "says that more follows in the last byte too",
            code="""\
    out = bytearray([number & 0x7F | 0x80])
    while number := number >> 7:
        out.append(number & 0x7F | 0x80)
    return bytes(out)
""",
            says="varint(0) gives 80",
        ),
        WrongAnswer(
            "nothing for zero",
            code="""\
    out = bytearray()
    while number:
        out.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
    return bytes(out)
""",
            says="varint(0) gives no bytes",
        ),
        WrongAnswer(
            "plain bytes, eight bits each",
            code='    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "little")\n',
            says="varint(128) gives 80",
        ),
    ),
)
