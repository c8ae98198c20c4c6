"""Checks of fields that every service has."""

import uuid

from chassis.errors import InvalidArgument


def check_uuid(field: str, value: str) -> uuid.UUID:
    """The id in a request, in the one form that services give out; InvalidArgument for anything else."""
    try:
        found = uuid.UUID(value)
    except ValueError:
        found = None
    if found is None or str(found) != value.lower():
        raise InvalidArgument(field, "must be a UUID such as 4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21")
    return found
