"""Who may do what with users: everybody with themselves, admins with all."""

import uuid
from collections.abc import Mapping

from access.callers import Caller, Role
from access.control import Rule, anyone, must_have, roles

from user_service.domain import UserNotFound
from user_service.proto import user_pb2 as pb

OPEN = frozenset({"/user.UserService/GetKeys"})


async def oneself(caller: Caller, request: pb.GetUserRequest | pb.UpdateUserRequest | None) -> None:
    """Somebody else's profile is, to the caller, not there."""
    must_have(caller, Role.CUSTOMER, Role.ADMIN)
    if request is not None and request.user_id.lower() != caller.id and not caller.has(Role.ADMIN):
        try:
            raise UserNotFound(uuid.UUID(request.user_id))
        except ValueError:
            return  # what can be no id is refused further in


RULES: Mapping[str, Rule] = {
    "/user.UserService/Register": anyone,
    "/user.UserService/LogIn": anyone,
    "/user.UserService/Refresh": anyone,
    "/user.UserService/LogOut": anyone,
    "/user.UserService/GetUser": oneself,
    "/user.UserService/UpdateUser": oneself,
    "/user.UserService/SetRoles": roles(Role.ADMIN),
}
