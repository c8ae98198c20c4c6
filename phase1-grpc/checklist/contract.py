"""The contract that is checked: the roadmap's messages as it writes them, and what this workbook's proto adds.

Nothing here comes from the booking service: a server in any language is checked against the same table.
"""

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


def known_additions(served: Mapping[str, DescriptorProto] | None) -> dict[str, Fields]:
    """The additions that a server has in its messages; all of them when it does not show its messages (None)."""
    if served is None:
        return dict(ADDITIONS)
    shown = {name: fields_of(message) for name, message in served.items()}
    return {
        name: {field: what for field, what in fields.items() if shown.get(name, {}).get(field) == what}
        for name, fields in ADDITIONS.items()
    }


def message_classes(additions: Mapping[str, Fields]) -> dict[str, Any]:
    """The classes of the roadmap's messages with these additions. A server's own other fields pass by unread."""
    file = FileDescriptorProto(name="booking.proto", package="booking", syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    for name, fields in ROADMAP.items():
        file.message_type.append(_message(name, {**fields, **additions.get(name, {})}))
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"booking.{name}")) for name in ROADMAP}


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
