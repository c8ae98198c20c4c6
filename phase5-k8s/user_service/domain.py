"""What a user is, what a registration must look like, and the refusals."""

import re
import unicodedata
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from chassis.errors import InvalidArgument, NotFound, ResourceExhausted, Unauthenticated

CUSTOMER = "customer"
ROLES = (CUSTOMER, "organiser", "admin")
MAX_EMAIL = 254
MAX_NAME = 100
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128

# ASCII alone: some letters of other scripts look like others, or become others in lower case, and an account could be
# taken for somebody else's. Whether the address exists only a letter to it could tell.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class User:
    """One account; `created_at` comes from the database's clock."""

    id: uuid.UUID
    email: str
    name: str
    roles: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewUser:
    """A registration. Making one checks every field; there is none for roles."""

    email: str
    password: str = field(repr=False)
    name: str

    def __post_init__(self) -> None:
        check_email(self.email)
        check_password(self.password)
        check_name(self.name)


@dataclass(frozen=True, slots=True)
class Session:
    """What a login gives. Both tokens are secrets; `expires_in` is in seconds."""

    user: User
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class UserNotFound(NotFound):
    reason = "USER_NOT_FOUND"

    def __init__(self, user_id: uuid.UUID) -> None:
        super().__init__(f"there is no user {user_id}")


class WrongCredentials(Unauthenticated):
    """One text for a wrong password and for an e-mail that nobody has."""

    reason = "WRONG_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("wrong e-mail or password")


class InvalidRefreshToken(Unauthenticated):
    """One text for tokens that are unknown, used, ended and expired."""

    reason = "INVALID_REFRESH_TOKEN"

    def __init__(self) -> None:
        super().__init__("this refresh token is not valid: log in again")


class TooManyTries(ResourceExhausted):
    reason: ClassVar[str] = "TOO_MANY_TRIES"

    def __init__(self, wait: float) -> None:
        super().__init__("too many tries: wait a little")
        self.retry_after = wait


def check_email(value: str) -> str:
    """`value` as accounts are found by it: in lower case."""
    if len(value) > MAX_EMAIL or not _EMAIL.fullmatch(value):
        raise InvalidArgument("email", f"must be an address such as ada@example.com, of at most {MAX_EMAIL} characters")
    return value.lower()


def check_password(value: str) -> str:
    """`value` in the one form (NFKC) that every keyboard comes to."""
    if not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
        raise InvalidArgument("password", f"must be {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return unicodedata.normalize("NFKC", value)


def check_name(value: str) -> str:
    if not (1 <= len(value) <= MAX_NAME and value.isprintable() and value.strip()):
        raise InvalidArgument("name", f"must be 1 to {MAX_NAME} printable characters, not all blank")
    return value


def check_roles(values: list[str]) -> tuple[str, ...]:
    """The roles in their order; everybody is a customer."""
    if unknown := set(values) - set(ROLES):
        raise InvalidArgument("roles", f"{min(unknown)[:20]!r} is none: there is {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role == CUSTOMER or role in values)
