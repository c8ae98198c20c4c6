"""The refusals a caller may see. Services raise subclasses of these; `chassis.error_status` alone turns them into gRPC.

Each class is one of gRPC's canonical codes, without importing gRPC: the domain raises them and stays free of the wire.
"""

from typing import ClassVar


class ServiceError(Exception):
    """A refusal meant for the caller: `reason` is for programs and never changes, the text is for people.

    `retry_after` says in how many seconds the same call may succeed, where that is known.
    """

    reason: ClassVar[str] = "UNSPECIFIED"
    retry_after: float | None = None


class InvalidArgument(ServiceError):
    """A field of the request can never be right, whatever the state of the system."""

    reason = "INVALID_FIELD"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class Unauthenticated(ServiceError):
    """It is not known who is calling, or not proved."""


class PermissionDenied(ServiceError):
    """It is known who is calling, and that is not enough."""


class NotFound(ServiceError):
    """What the request names does not exist."""


class AlreadyExists(ServiceError):
    """What the request wants to make is already there, and it is something else."""


class FailedPrecondition(ServiceError):
    """The request is well formed, but the state of the system does not allow it; the same call later may fail too."""


class ResourceExhausted(ServiceError):
    """There is none left of what the request needs."""


class Unavailable(ServiceError):
    """Something the service needs is away; the same call may succeed soon."""
