"""Protos compiled while a lesson runs, each in a world of its own, so that two versions of one message can meet."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_NAME = "lesson.proto"


class DoesNotCompile(Exception):
    """protoc refused the text; the message is protoc's own."""


@dataclass(frozen=True)
class Schema:
    """A compiled .proto: `schema["Booking"]` is the class of its message Booking, `file` tells the rest."""

    file: FileDescriptor

    def __getitem__(self, message: str) -> Any:
        return GetMessageClass(self.file.message_types_by_name[message])


@cache
def compiled(proto: str) -> Schema:
    """The schema in the text of a .proto file; raises DoesNotCompile."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _NAME).write_text(proto)
        command = ["-m", "grpc_tools.protoc", "-I.", "--include_imports", "--descriptor_set_out=set", _NAME]
        done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DoesNotCompile(done.stderr.strip())
        files = FileDescriptorSet.FromString((Path(folder) / "set").read_bytes())
    # A pool of its own: the one that everybody shares takes each message name only once.
    pool = DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return Schema(pool.FindFileByName(_NAME))
