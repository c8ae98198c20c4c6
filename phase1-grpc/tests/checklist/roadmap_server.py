"""A server that has the roadmap and nothing else, as a learner may write it: `python roadmap_server.py [VARIANT …]`.

Numbers as ids, one lock, no idempotency keys, no pages, no health service. It prints its port and ends with its
standard input. Variants: `hidden` has no reflection, `renumbered` has a field under another number.
"""

import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection
from grpc_tools import protoc

PROTO = Path(__file__).parent / "roadmap.proto.txt"  # not .proto: it defines the same names as the real one
SERVICE = "booking.BookingService"


class Refused(Exception):
    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class Bookings:
    """The four methods over a list; a booking's id is its place in it, counted from 1."""

    def __init__(self, messages: dict[str, Any]) -> None:
        self._messages = messages
        self._stored: list[Any] = []

    def CreateBooking(self, request: Any, answer: Any) -> None:
        if not (1 <= request.ticket_count <= 100 and _is_name(request.user_id) and _is_name(request.event_id)):
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "wrong field")
        wish = {name: getattr(request, name) for name in ("user_id", "event_id", "ticket_count")}
        booking = self._messages["Booking"](id=str(len(self._stored) + 1), status="PENDING", **wish)
        booking.created_at.GetCurrentTime()
        self._stored.append(booking)
        answer.booking.CopyFrom(booking)

    def GetBooking(self, request: Any, answer: Any) -> None:
        answer.booking.CopyFrom(self._found(request.booking_id))

    def ListUserBookings(self, request: Any, answer: Any) -> None:
        answer.bookings.extend(found for found in reversed(self._stored) if found.user_id == request.user_id)

    def CancelBooking(self, request: Any, answer: Any) -> None:
        try:
            self._found(request.booking_id).status = "CANCELLED"
            answer.success = True
        except Refused:
            answer.success = False  # the roadmap's own way to say that there is no such booking

    def _found(self, booking_id: str) -> Any:
        if not booking_id.isdecimal() or len(booking_id) > 10 or not 0 < int(booking_id) <= len(self._stored):
            raise Refused(grpc.StatusCode.NOT_FOUND, "no such booking")
        return self._stored[int(booking_id) - 1]


def _is_name(text: str) -> bool:
    return text.isprintable() and bool(text.strip()) and len(text) <= 100


def compiled(proto: str) -> DescriptorPool:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "booking.proto", Path(folder) / "booking.set"
        source.write_text(proto)
        well_known = Path(protoc.__file__).parent / "_proto"
        options = [f"-I{folder}", f"-I{well_known}", "--include_imports", f"--descriptor_set_out={target}"]
        assert protoc.main(["protoc", *options, str(source)]) == 0
        files = FileDescriptorSet.FromString(target.read_bytes())
    pool = DescriptorPool()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def handler(pool: DescriptorPool) -> grpc.GenericRpcHandler:
    file = pool.FindFileContainingSymbol(SERVICE)
    messages = {name: GetMessageClass(message) for name, message in file.message_types_by_name.items()}
    bookings, one_at_a_time = Bookings(messages), threading.Lock()

    def method(name: str) -> Any:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            response = messages[f"{name}Response"]()
            try:
                with one_at_a_time:
                    getattr(bookings, name)(request, response)
            except Refused as refusal:
                context.abort(refusal.code, str(refusal))
            return response

        read, write = messages[f"{name}Request"].FromString, messages[f"{name}Response"].SerializeToString
        return grpc.unary_unary_rpc_method_handler(answer, read, write)

    methods = {method.name: method for method in file.services_by_name["BookingService"].methods}
    return grpc.method_handlers_generic_handler(SERVICE, {name: method(name) for name in methods})


def main(variants: list[str]) -> None:
    proto = PROTO.read_text()
    if "renumbered" in variants:
        proto = proto.replace("string message = 2;", "string message = 3;")
    pool = compiled(proto)
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((handler(pool),))
    if "hidden" not in variants:
        reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server, pool=pool)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(sys.argv[1:])
