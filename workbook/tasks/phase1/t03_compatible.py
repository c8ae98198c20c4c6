"""Task 1.3: which changes break old clients. Every verdict is compared with what an old client really sees."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.schema import compiled

SAFE, BREAKS = "safe", "breaks"
NAMES = (
    "LINES_REORDERED",
    "COUNT_INT64",
    "COUNT_SINT32",
    "COUNT_OPTIONAL",
    "MESSAGE_RENAMED",
    "PACKAGE_RENAMED",
)
VERSIONS = """
syntax = "proto3";
message Booking { string user_id = 2; int32 ticket_count = 4; }
message Reordered { int32 ticket_count = 4; string user_id = 2; }
message Int64 { string user_id = 2; int64 ticket_count = 4; }
message Sint32 { string user_id = 2; sint32 ticket_count = 4; }
message Optional { string user_id = 2; optional int32 ticket_count = 4; }
message Reservation { string user_id = 2; int32 ticket_count = 4; }
"""

Evidence = tuple[str, str]
"""What is true, safe or breaks, and what the old client saw."""


def check(*verdicts: str) -> str:
    wrong = []
    for name, verdict in zip(NAMES, verdicts, strict=True):
        if verdict not in (SAFE, BREAKS):
            raise Wrong(f'{name} is {verdict!r}: write "safe" or "breaks"')
        truth, seen = EVIDENCE[name]()
        if verdict != truth:
            wrong.append(f'{name} = "{verdict}", but {seen}')
    if wrong:
        raise Wrong(f"{len(wrong)} of {len(NAMES)} are not so. {wrong[0]}")
    return "six verdicts, and six old clients that agree"


def messages(new: str) -> Evidence:
    """Three tickets of ayse, written by each side as its version of the message, and read by the other."""
    there, back = _read(new, "Booking"), _read("Booking", new)
    seen = f"the new side writes ayse, 3: the old one reads {there}; the old writes ayse, 3: the new reads {back}"
    return (SAFE if there == back == "ayse, 3" else BREAKS), seen


def renamed() -> Evidence:
    truth, _ = messages("Reservation")
    seen = _read("Reservation", "Booking")
    return truth, f"a Reservation of ayse, 3, read as a Booking, is {seen}: the name is not on the wire"


def call() -> Evidence:
    """A client of the old package calls a server of the new one."""
    old, new = "/booking.BookingService/GetBooking", "/booking.v1.BookingService/GetBooking"
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
    package, _, method = new.strip("/").rpartition("/")
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(package, {method: handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call: Any = channel.unary_unary(old)
            call(b"", timeout=3)
    except grpc.RpcError as error:
        return BREAKS, f"the path is the name: a call of {old} to the new server ends with {error.code().name}"
    finally:
        server.stop(grace=0.2).wait()
    return SAFE, f"a call of {old} to the new server succeeds"


def _read(writer: str, reader: str) -> str:
    schema = compiled(VERSIONS)
    raw = schema[writer](user_id="ayse", ticket_count=3).SerializeToString()
    message = schema[reader].FromString(raw)
    return f"{message.user_id}, {message.ticket_count}"


EVIDENCE: dict[str, Callable[[], Evidence]] = {
    "LINES_REORDERED": lambda: messages("Reordered"),
    "COUNT_INT64": lambda: messages("Int64"),
    "COUNT_SINT32": lambda: messages("Sint32"),
    "COUNT_OPTIONAL": lambda: messages("Optional"),
    "MESSAGE_RENAMED": renamed,
    "PACKAGE_RENAMED": call,
}


def _answer(**differing: str) -> str:
    right = {name: BREAKS if name in ("COUNT_SINT32", "PACKAGE_RENAMED") else SAFE for name in NAMES}
    return "".join(f'{name} = "{verdict}"\n' for name, verdict in {**right, **differing}.items())


TASK = Task(
    id="1.3",
    title="Which changes break old clients",
    names=NAMES,
    hints=(
        (
            "Ask of each change: are the bytes still the same? On the wire are numbers, wire types and values, and "
            "nothing else of a message."
        ),
        (
            "Two of the types share wire type 0 and mean different things by it: one of them writes small negative "
            "numbers short, by giving every second code to them. And a call travels with a path."
        ),
        (
            "Two of the six break. sint32 writes 3 as 6. And look at how a gRPC method is addressed: package, "
            "service, method."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "the same name and nearly the same type is enough",
            code=_answer(COUNT_SINT32=SAFE),
            says="the old one reads ayse, 6",
        ),
        WrongAnswer(
            "any change of type breaks",
            code=_answer(COUNT_INT64=BREAKS),
            says='COUNT_INT64 = "breaks", but the new side',
        ),
        WrongAnswer("names are on the wire", code=_answer(MESSAGE_RENAMED=BREAKS), says="the name is not on the wire"),
        WrongAnswer("a package is only a folder", code=_answer(PACKAGE_RENAMED=SAFE), says="ends with UNIMPLEMENTED"),
        WrongAnswer(
            "the order in the file matters",
            code=_answer(LINES_REORDERED=BREAKS),
            says='LINES_REORDERED = "breaks", but',
        ),
    ),
)
