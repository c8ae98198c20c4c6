"""A gRPC client that needs no stubs: it asks the server, by reflection, what it offers."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from rich.markup import escape

from workbook.bearer import token_of_shell, with_token
from workbook.terminal import console, error

Json = dict[str, Any]


class WrongCall(Exception):
    """The call cannot be made as written; the text says what to write instead."""


class ReflectedServer:
    """The services of the server behind a channel. JSON in, JSON out, by protobuf's own JSON mapping."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = DescriptorPool(self._database)

    def services(self) -> list[ServiceDescriptor]:
        return [self._pool.FindServiceByName(name) for name in sorted(self._database.get_services())]

    def call(self, method: str, request: Json, timeout: float = 10) -> Json:
        """The one answer of a unary call; raises grpc.RpcError, or WrongCall when it cannot be made."""
        return next(self.stream(method, request, timeout))

    def stream(self, method: str, request: Json, timeout: float = 10) -> Iterator[Json]:
        """The answers of a call, one by one; a unary call has one."""
        found = self._method(method)
        if found.client_streaming:
            raise WrongCall(f"{method} takes a stream of requests; this client sends one")
        try:
            message = json_format.ParseDict(request, GetMessageClass(found.input_type)())
        except json_format.ParseError as problem:
            raise WrongCall(f"the request is not a {found.input_type.full_name}: {problem}") from None
        # Every unary call is also a stream of one answer: one way to call serves both.
        answers = self._channel.unary_stream(
            f"/{found.containing_service.full_name}/{found.name}",
            request_serializer=type(message).SerializeToString,
            response_deserializer=GetMessageClass(found.output_type).FromString,
        )(message, timeout=timeout)
        for answer in answers:
            yield json_format.MessageToDict(answer, preserving_proto_field_name=True)

    def _method(self, path: str) -> MethodDescriptor:
        service, _, name = path.strip("/").rpartition("/")
        try:
            methods = self._pool.FindServiceByName(service).methods_by_name
        except KeyError:
            known = ", ".join(sorted(self._database.get_services()))
            raise WrongCall(f"no service {service!r} here; there is {known}") from None
        if name not in methods:
            raise WrongCall(f"{service} has no method {name!r}; there is {', '.join(sorted(methods))}")
        return methods[name]


def main(address: str, method: str | None, request: str, timeout: float) -> int:
    with with_token(grpc.insecure_channel(address), token_of_shell()) as channel:
        server = ReflectedServer(channel)
        try:
            if method is None:
                _list(server)
                return 0
            for answer in server.stream(method, _parsed(request), timeout):
                console.print_json(data=answer)
        except WrongCall as wrong:
            error(str(wrong))
        except grpc.RpcError as refusal:
            error(told(refusal))
        else:
            return 0
    return 1


def told(refusal: Any) -> str:
    """A refusal in words: status, text, and the rich details if there are any."""
    lines = [f"{refusal.code().name}: {refusal.details()}"]
    status = rpc_status.from_call(refusal)
    for detail in status.details if status else ():
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
            if detail.Is(kind.DESCRIPTOR):
                found = kind()
                detail.Unpack(found)
                lines.append(f"  {kind.__name__} {json_format.MessageToDict(found)}")
    return "\n".join(lines)


def _parsed(text: str) -> Json:
    try:
        request = json.loads(text)
    except json.JSONDecodeError as problem:
        raise WrongCall(f"the request is not JSON: {problem}") from None
    if not isinstance(request, dict):
        raise WrongCall('the request must be a JSON object, such as {"user_id": "ada"}')
    return request


def _list(server: ReflectedServer) -> None:
    for service in server.services():
        console.print(f"[bold]{service.full_name}[/]")
        for method in service.methods:
            takes = ("stream " if method.client_streaming else "") + method.input_type.name
            gives = ("stream " if method.server_streaming else "") + method.output_type.name
            console.print(escape(f"  {method.name}({takes}) → {gives}"))
