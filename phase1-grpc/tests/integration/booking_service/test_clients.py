"""Clients that do not have our stubs: one compiled from the roadmap's own proto, one that knows only reflection."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
from chassis.server import GrpcServer
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

DATA = Path(__file__).parents[2] / "data"


def run_roadmap_client(folder: Path, address: str) -> dict[str, Any]:
    # The same names cannot be in one process twice, so this client has its own. Its proto is kept as .txt, else the
    # linters would compile it together with the real one.
    shutil.copy(DATA / "roadmap_booking.proto.txt", folder / "booking.proto")
    outputs = [f"-I{folder}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *outputs, "booking.proto"], check=True)
    ran = subprocess.run(
        [sys.executable, str(DATA / "roadmap_client.py"), address],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen: dict[str, Any] = json.loads(ran.stdout)
    return seen


async def test_a_client_compiled_from_the_roadmap_does_all_four(server: GrpcServer, tmp_path: Path) -> None:
    assert await asyncio.to_thread(run_roadmap_client, tmp_path, f"127.0.0.1:{server.port}") == {
        "made": ["ada", "concert", 2, "CONFIRMED", True],
        "same": [True, True],
        "cancelled": [True, True, "CANCELLED"],
    }


class Generic:
    """Calls any method by its name with a dict of fields; all it knows is what the server says of itself."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = DescriptorPool(self._database)

    def services(self) -> list[str]:
        return list(self._database.get_services())

    def service(self, name: str) -> ServiceDescriptor:
        found: ServiceDescriptor = self._pool.FindServiceByName(name)
        return found

    def call(self, service: str, method: str, **fields: Any) -> Any:
        kind = self.service(service).methods_by_name[method]
        request, answer = GetMessageClass(kind.input_type), GetMessageClass(kind.output_type)
        path = f"/{service}/{method}"
        rpc: Any = self._channel.unary_unary(path, request.SerializeToString, answer.FromString)
        return rpc(request(**fields))


def do_all_four(address: str) -> list[Any]:
    with grpc.insecure_channel(address) as channel:
        client = Generic(channel)
        (service,) = [name for name in client.services() if not name.startswith("grpc.")]
        wish = {"user_id": "ada", "event_id": "concert", "ticket_count": 2}
        made = client.call(service, "CreateBooking", **wish).booking
        listed = client.call(service, "ListUserBookings", user_id="ada").bookings
        cancelled = client.call(service, "CancelBooking", booking_id=made.id)
        got = client.call(service, "GetBooking", booking_id=made.id).booking
        return [service, made.status, [booking.id for booking in listed] == [made.id], cancelled.success, got.status]


async def test_a_client_that_knows_only_reflection_does_all_four(server: GrpcServer) -> None:
    seen = await asyncio.to_thread(do_all_four, f"127.0.0.1:{server.port}")
    assert seen == ["booking.BookingService", "CONFIRMED", True, True, "CANCELLED"]


def numbers(service: ServiceDescriptor) -> dict[str, dict[str, tuple[int, int]]]:
    """Number and type of each field of each message of a service's file."""
    return {
        name: {field.name: (field.number, field.type) for field in message.fields}
        for name, message in service.file.message_types_by_name.items()
    }


def served_and_roadmap(folder: Path, address: str) -> tuple[Any, Any]:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet  # noqa: PLC0415 - only here

    shutil.copy(DATA / "roadmap_booking.proto.txt", folder / "booking.proto")
    out = folder / "roadmap.pb"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--descriptor_set_out={out}"]
    subprocess.run([*command, "--include_imports", "booking.proto"], check=True)
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.Add(file)
    with grpc.insecure_channel(address) as channel:
        served = numbers(Generic(channel).service("booking.BookingService"))
    return served, numbers(pool.FindServiceByName("booking.BookingService"))


async def test_names_numbers_and_types_are_the_roadmaps_and_the_rest_only_adds(
    server: GrpcServer, tmp_path: Path
) -> None:
    served, roadmap = await asyncio.to_thread(served_and_roadmap, tmp_path, f"127.0.0.1:{server.port}")
    assert len(roadmap) == 9
    for message, fields in roadmap.items():
        assert fields.items() <= served[message].items()
