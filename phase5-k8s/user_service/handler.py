"""gRPC in, use case, gRPC out. Checks live in the domain, who may call what in may.py, statuses in chassis."""

from access.callers import caller
from chassis.fields import check_uuid
from chassis.interceptor import Context
from google.protobuf.timestamp_pb2 import Timestamp

from user_service.addresses import client_address
from user_service.domain import NewUser, Session, User, check_roles
from user_service.proto import user_pb2 as pb
from user_service.proto import user_pb2_grpc
from user_service.service import UserUseCases


class UserHandler(user_pb2_grpc.UserServiceServicer):
    """`user.UserService` over the use cases; `jwks` are the public keys as JSON."""

    def __init__(self, use_cases: UserUseCases, jwks: str) -> None:
        self._use_cases = use_cases
        self._jwks = jwks

    async def Register(self, request: pb.RegisterRequest, context: Context) -> pb.RegisterResponse:
        new = NewUser(request.email, request.password, request.name)
        return pb.RegisterResponse(user=message(await self._use_cases.register(new, _address(context))))

    async def LogIn(self, request: pb.LogInRequest, context: Context) -> pb.LogInResponse:
        session = await self._use_cases.log_in(request.email, request.password, _address(context))
        return pb.LogInResponse(session=session_message(session))

    async def Refresh(self, request: pb.RefreshRequest, context: Context) -> pb.RefreshResponse:
        return pb.RefreshResponse(session=session_message(await self._use_cases.refresh(request.refresh_token)))

    async def LogOut(self, request: pb.LogOutRequest, context: Context) -> pb.LogOutResponse:
        await self._use_cases.log_out(request.refresh_token)
        return pb.LogOutResponse()

    async def GetUser(self, request: pb.GetUserRequest, context: Context) -> pb.GetUserResponse:
        user = await self._use_cases.get(check_uuid("user_id", request.user_id))
        return pb.GetUserResponse(user=message(user))

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Context) -> pb.UpdateUserResponse:
        name = request.name if request.HasField("name") else None
        user = await self._use_cases.rename(check_uuid("user_id", request.user_id), name)
        return pb.UpdateUserResponse(user=message(user))

    async def SetRoles(self, request: pb.SetRolesRequest, context: Context) -> pb.SetRolesResponse:
        user_id = check_uuid("user_id", request.user_id)
        user = await self._use_cases.set_roles(user_id, check_roles(list(request.roles)))
        return pb.SetRolesResponse(user=message(user))

    async def GetKeys(self, request: pb.GetKeysRequest, context: Context) -> pb.GetKeysResponse:
        return pb.GetKeysResponse(jwks_json=self._jwks)


def message(user: User) -> pb.User:
    """The user as the wire carries them; a password's hash is not even in reach."""
    created_at = Timestamp()
    created_at.FromDatetime(user.created_at)
    return pb.User(id=str(user.id), email=user.email, name=user.name, roles=user.roles, created_at=created_at)


def session_message(session: Session) -> pb.Session:
    return pb.Session(
        access_token=session.access_token,
        token_type="Bearer",  # noqa: S106 - the kind of the token
        expires_in=session.expires_in,
        refresh_token=session.refresh_token,
        user=message(session.user),
    )


def _address(context: Context) -> str:
    return client_address(caller(), context.peer(), context.invocation_metadata() or ())
