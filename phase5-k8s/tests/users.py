"""A running user service, and a client that nobody stands behind."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from tests.tokens import bearer
from user_service.app import user_app
from user_service.config import UserSettings
from user_service.proto import user_pb2 as pb
from user_service.proto.user_pb2_grpc import UserServiceStub

if TYPE_CHECKING:
    from user_service.proto.user_pb2_grpc import UserServiceAsyncStub

PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class Users:
    """A running user service as a client sees it."""

    stub: "UserServiceAsyncStub"

    async def register(self, email: str = "ada@example.com", password: str = PASSWORD, name: str = "Ada") -> pb.User:
        return (await self.stub.Register(pb.RegisterRequest(email=email, password=password, name=name))).user

    async def log_in(self, email: str = "ada@example.com", password: str = PASSWORD, **options: Any) -> pb.Session:
        return (await self.stub.LogIn(pb.LogInRequest(email=email, password=password), **options)).session

    async def refresh(self, token: str) -> pb.Session:
        return (await self.stub.Refresh(pb.RefreshRequest(refresh_token=token))).session

    async def get(self, user_id: str, token: str) -> pb.User:
        return (await self.stub.GetUser(pb.GetUserRequest(user_id=user_id), metadata=bearer(token))).user


@contextlib.asynccontextmanager
async def running(settings: UserSettings) -> AsyncIterator[Users]:
    async with user_app(settings) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Users(UserServiceStub(channel))
