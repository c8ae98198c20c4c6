"""An admin, made for whoever demonstrates or checks it: nobody else could change events there."""

import os
import secrets
import time
from collections.abc import Callable

import grpc
from user_service.proto import user_pb2 as pb
from user_service.proto.user_pb2_grpc import UserServiceStub

from workbook.bearer import Token
from workbook.phases import steps
from workbook.stack import LocalStack

EMAIL = "admin@example.com"
PASSWORD = "ADMIN_PASSWORD"  # noqa: S105 - the name of an environment variable
_STEP = "make-admin"


class Admin:
    """Has an account, and logs in when the token gets old. Nobody else knows the password, if the shell names none."""

    def __init__(self, address: str, appoint: Callable[[str, str], object], email: str = EMAIL) -> None:
        """`address` is the user service's; `appoint` makes an admin of an e-mail and a password."""
        self._address = address
        self._email, self._password = email, os.environ.get(PASSWORD) or secrets.token_urlsafe()
        self._token, self._until = "", 0.0
        appoint(email, self._password)

    def token(self) -> str:
        """A token that is good for some more minutes; raises grpc.RpcError."""
        if time.monotonic() > self._until:
            asked_at = time.monotonic()
            with grpc.insecure_channel(self._address) as channel:
                users: UserServiceStub = UserServiceStub(channel)
                request = pb.LogInRequest(email=self._email, password=self._password)
                session = users.LogIn(request, timeout=30, wait_for_ready=True).session
            self._token, self._until = session.access_token, asked_at + session.expires_in / 2
        return self._token


def appointing(email: str, password: str) -> list[str]:
    """The command that does so where the user service runs, in a container."""
    given = (f"ADMIN_EMAIL={email}", f"ADMIN_PASSWORD={password}")
    return ["env", *given, "python", "-m", "phase5", _STEP]


def an_email() -> str:
    """One of our own, where nobody knows the passwords of the admins there are."""
    return f"{secrets.token_hex(8)}-{EMAIL}"


def token_for(stack: LocalStack) -> Token | None:
    """An admin's; None where nobody is asked for one."""
    return admin_of(stack).token if _STEP in steps(stack.phase) else None


def admin_of(stack: LocalStack) -> Admin:
    def appoint(email: str, password: str) -> None:
        stack.step(_STEP, ADMIN_EMAIL=email, ADMIN_PASSWORD=password)

    return Admin(stack["user-service"].address, appoint)
