"""The contract that is checked: the roadmap's messages as it writes them, and what this workbook's proto adds.

Nothing here comes from a service of ours: a server in any language is checked against the same tables.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

Field = tuple[int, str]  # number and type
Fields = Mapping[str, Field]

SERVICE = "booking.BookingService"
METHODS = ("CreateBooking", "GetBooking", "ListUserBookings", "CancelBooking")

ROADMAP: Mapping[str, Fields] = {
    "Booking": {
        "id": (1, "string"),
        "user_id": (2, "string"),
        "event_id": (3, "string"),
        "ticket_count": (4, "int32"),
        "status": (5, "string"),
        "created_at": (6, ".google.protobuf.Timestamp"),
    },
    "CreateBookingRequest": {"user_id": (1, "string"), "event_id": (2, "string"), "ticket_count": (3, "int32")},
    "CreateBookingResponse": {"booking": (1, ".booking.Booking")},
    "GetBookingRequest": {"booking_id": (1, "string")},
    "GetBookingResponse": {"booking": (1, ".booking.Booking")},
    "ListUserBookingsRequest": {"user_id": (1, "string")},
    "ListUserBookingsResponse": {"bookings": (1, "repeated .booking.Booking")},
    "CancelBookingRequest": {"booking_id": (1, "string")},
    "CancelBookingResponse": {"success": (1, "bool"), "message": (2, "string")},
}

ADDITIONS: Mapping[str, Fields] = {
    "Booking": {"reason": (8, "string")},
    "CreateBookingRequest": {"idempotency_key": (4, "string")},
    "ListUserBookingsRequest": {"page_size": (2, "int32"), "page_token": (3, "string")},
    "ListUserBookingsResponse": {"next_page_token": (2, "string")},
    "CancelBookingRequest": {"reason": (2, "string")},
}

_TYPES = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "bool": FieldDescriptorProto.TYPE_BOOL,
}
_NAMES = {number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()}


def fields_of(message: DescriptorProto) -> dict[str, Field]:
    """A message's fields in the words of the tables above."""
    return {field.name: (field.number, _type_of(field)) for field in message.field}


@dataclasses.dataclass(frozen=True, slots=True)
class Contract:
    """What one service must have, `roadmap`, and what it may have, `additions`: fields by message.

    `box` is where the checks of the messages stand; `stems` names the messages that are not called after their methods.
    """

    service: str
    box: str
    roadmap: Mapping[str, Fields]
    additions: Mapping[str, Fields]
    stems: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def request(self, method: str) -> str:
        return f"{self.stems.get(method, method)}Request"

    def response(self, method: str) -> str:
        return f"{self.stems.get(method, method)}Response"

    def known_additions(self, served: Mapping[str, DescriptorProto] | None) -> dict[str, Fields]:
        """The additions that a server has in its messages; all of them when it does not show its messages (None)."""
        if served is None:
            return dict(self.additions)
        shown = {name: fields_of(message) for name, message in served.items()}
        return {
            name: {added: what for added, what in fields.items() if shown.get(name, {}).get(added) == what}
            for name, fields in self.additions.items()
        }

    def message_classes(self, additions: Mapping[str, Fields]) -> dict[str, Any]:
        """The classes of all messages with these additions. A server's own other fields pass by unread."""
        package = self.service.rpartition(".")[0]
        file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
        names = dict.fromkeys([*self.roadmap, *self.additions])
        for name in names:
            file.message_type.append(_message(name, {**self.roadmap.get(name, {}), **additions.get(name, {})}))
        pool = DescriptorPool()
        pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
        pool.AddSerializedFile(file.SerializeToString())
        return {name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in names}


BOOKING = Contract(SERVICE, "1.1", ROADMAP, ADDITIONS)


def _message(name: str, fields: Fields) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for field, (number, kind) in fields.items():
        plain = kind.removeprefix("repeated ")
        added = message.field.add(name=field, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
        if plain != kind:
            added.label = FieldDescriptorProto.LABEL_REPEATED
        if plain in _TYPES:
            added.type = _TYPES[plain]
        else:
            added.type, added.type_name = FieldDescriptorProto.TYPE_MESSAGE, plain
    return message


def _type_of(field: FieldDescriptorProto) -> str:
    repeated = "repeated " if field.label == FieldDescriptorProto.LABEL_REPEATED else ""
    return repeated + (field.type_name or _NAMES[field.type])
