"""Task 1.4: a proto of one's own, compiled by protoc and looked at through its descriptors."""

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.schema import DoesNotCompile, compiled

TEXT = {FieldDescriptor.TYPE_STRING: "string"}
NUMBER = {
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}
ENTRY = {"user_id": (1, TEXT), "event_id": (2, TEXT), "ticket_count": (3, NUMBER), "note": (5, TEXT)}
PLACE = {"ahead": (1, NUMBER)}
RETIRED_NUMBER, RETIRED_NAME = 4, "phone"


def check(proto: str) -> str:
    try:
        file = compiled(proto).file
    except DoesNotCompile as refusal:
        raise Wrong(f"protoc says: {refusal}") from None
    if file.package != "waitlist":
        raise Wrong(f"the package is {file.package!r}, not 'waitlist'")
    entry = _message(file, "Entry")
    _has_fields(entry, ENTRY)
    _has_fields(_message(file, "Place"), PLACE)
    if not entry.fields_by_name["note"].has_presence:
        raise Wrong('`note` has no presence: a reader cannot tell "" from not given. One word before its type does it')
    _keeps_retired(entry)
    _has_methods(file)
    return "it compiles, and says all it should"


def _message(file: FileDescriptor, name: str) -> Descriptor:
    if name not in file.message_types_by_name:
        raise Wrong(f"there is no message {name}; there is {', '.join(file.message_types_by_name) or 'none'}")
    return file.message_types_by_name[name]


def _has_fields(message: Descriptor, wanted: dict[str, tuple[int, dict[int, str]]]) -> None:
    for name, (number, types) in wanted.items():
        field = message.fields_by_name.get(name)
        if field is None:
            raise Wrong(f"{message.name} has no field {name}; it has {', '.join(message.fields_by_name) or 'none'}")
        if field.number != number:
            raise Wrong(f"{message.name}.{name} has number {field.number}, not {number}")
        if field.type not in types or field.is_repeated:
            raise Wrong(f"{message.name}.{name} is not one {' or '.join(types.values())}")


def _keeps_retired(entry: Descriptor) -> None:
    """Whoever adds number 4 or the name phone again must be refused by protoc."""
    described = DescriptorProto()
    entry.CopyToProto(described)
    if not any(kept.start <= RETIRED_NUMBER < kept.end for kept in described.reserved_range):
        raise Wrong("number 4 is free: the next field somebody adds may take it, and old clients read it as a phone")
    if RETIRED_NAME not in described.reserved_name:
        raise Wrong("the name phone is free: in JSON the name is what counts, and old clients would read the new one")


def _has_methods(file: FileDescriptor) -> None:
    service = file.services_by_name.get("WaitingList")
    if service is None:
        raise Wrong("there is no service WaitingList")
    for name, streams in (("Join", False), ("Watch", True)):
        method = service.methods_by_name.get(name)
        if method is None:
            raise Wrong(f"WaitingList has no rpc {name}")
        if (method.input_type.name, method.output_type.name) != ("Entry", "Place"):
            raise Wrong(
                f"{name} takes {method.input_type.name} and answers {method.output_type.name}, not Entry and Place"
            )
        if method.client_streaming:
            raise Wrong(f"{name} takes a stream: it is given one Entry")
        if method.server_streaming != streams:
            raise Wrong(f"{name} answers {'only once' if streams else 'a stream'}: {_EXPECTED[name]}")


_EXPECTED = {"Join": "whoever joins gets one Place", "Watch": "who watches gets a Place whenever the queue moves"}
_RESERVED = '  reserved 4;\n  reserved "phone";\n'


def _answer(
    reserved: str = _RESERVED,
    count: str = "int32 ticket_count = 3",
    note: str = "optional string note = 5",
    places: str = "stream Place",
) -> str:
    return f'''WAITLIST = """
syntax = "proto3";
package waitlist;
message Entry {{
{reserved}  string user_id = 1;
  string event_id = 2;
  {count};
  {note};
}}
message Place {{ int32 ahead = 1; }}
service WaitingList {{
  rpc Join(Entry) returns (Place);
  rpc Watch(Entry) returns ({places});
}}
"""
'''


TASK = Task(
    id="1.4",
    title="A proto of your own",
    names=("WAITLIST",),
    hints=(
        "Start from BOX_OFFICE: a line `syntax`, a line `package`, two messages, one service with two lines `rpc`.",
        (
            "`reserved` keeps a number, and in a line of its own a name in quotes, from being used again. "
            "`optional` before the type of a field gives it presence."
        ),
        (
            "Entry: two `reserved` lines, then user_id = 1, event_id = 2, ticket_count = 3, and an optional note = "
            "5. Only Watch has the word `stream`, before the message it returns."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer("leaves a gap and no word about it", code=_answer(reserved=""), says="number 4 is free"),
        WrongAnswer(
            "reserves the number only", code=_answer(reserved="  reserved 4;\n"), says="the name phone is free"
        ),
        WrongAnswer("closes the gap", code=_answer(reserved="", note="optional string note = 4"), says="not 5"),
        WrongAnswer("takes the default for not given", code=_answer(note="string note = 5"), says="has no presence"),
        WrongAnswer("one answer for a watcher", code=_answer(places="Place"), says="Watch answers only once"),
        WrongAnswer("counts as text", code=_answer(count="string ticket_count = 3"), says="ticket_count is not one"),
        WrongAnswer("counts from 0", code=_answer(count="int32 ticket_count = 0"), says="protoc says"),
    ),
)
