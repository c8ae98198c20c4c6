"""Who is calling, as a verified token says, and the two refusals."""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from chassis.errors import PermissionDenied, Unauthenticated

USER_SERVICE = "user-service"
"""The one who says who users are: the `iss` of their tokens."""
BOOKING_SERVICE = "booking-service"
GATEWAY = "api-gateway"


class Role(StrEnum):
    CUSTOMER = "customer"
    ORGANISER = "organiser"
    ADMIN = "admin"
    SERVICE = "service"


USER_ROLES = frozenset({Role.CUSTOMER, Role.ORGANISER, Role.ADMIN})
SERVICE_ROLES = frozenset({Role.SERVICE})


@dataclass(frozen=True, slots=True)
class Caller:
    """`id` is a user's id, or the name of a service; without a token it is empty, and so are the roles."""

    id: str = ""
    roles: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        return bool(self.id)

    def has(self, *roles: Role) -> bool:
        """Whether the caller has one of these."""
        return not self.roles.isdisjoint(roles)

    def is_service(self, name: str) -> bool:
        return self.id == name and Role.SERVICE in self.roles


NOBODY = Caller()
_calling: ContextVar[Caller] = ContextVar("calling", default=NOBODY)


def caller() -> Caller:
    """Who makes the call being handled; NOBODY where no token is looked at, and outside of a call."""
    return _calling.get()


def note(found: Caller) -> None:
    """From now on, in this call, `caller()` is this one: each call is handled in a context of its own."""
    _calling.set(found)


class NotAuthenticated(Unauthenticated):
    reason = "NO_TOKEN"


class InvalidToken(NotAuthenticated):
    reason = "INVALID_TOKEN"


class TokenExpired(InvalidToken):
    reason = "TOKEN_EXPIRED"


class NotAllowed(PermissionDenied):
    reason = "NOT_ALLOWED"
