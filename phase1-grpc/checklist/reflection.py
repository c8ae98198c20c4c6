"""Asks a server for its own messages, so that the checks know which additions it has."""

from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2

Served = dict[str, DescriptorProto] | None
"""The messages of a service's package by name, {} if the server does not know it; None without reflection."""

_VERSIONS = ("v1", "v1alpha")  # the same messages under two names


def served_messages(channel: grpc.Channel, service: str, patience: float) -> Served:
    for version in _VERSIONS:
        try:
            return _ask(channel, f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo", service, patience)
        except grpc.RpcError:
            continue
    return None


def _ask(channel: grpc.Channel, method: str, service: str, patience: float) -> dict[str, DescriptorProto]:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=service)
    ask: Any = channel.stream_stream(
        method,
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    found: dict[str, DescriptorProto] = {}
    for answer in ask(iter([request]), timeout=patience):
        for raw in answer.file_descriptor_response.file_descriptor_proto:
            file = FileDescriptorProto.FromString(raw)
            if file.package == service.rpartition(".")[0]:
                found.update({message.name: message for message in file.message_type})
    return found
