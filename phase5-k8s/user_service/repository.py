"""What the use cases need from storage. PostgreSQL implements it: postgres.py, sessions.py, guessing.py."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from user_service.domain import User


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and what proves that it is them."""

    user: User
    password_hash: str = field(repr=False)


class UserRepository(Protocol):
    async def add(self, user_id: uuid.UUID, email: str, name: str, password_hash: str) -> datetime:
        """Adds the user, unless somebody has the e-mail: nothing tells which. Returns the time on the database."""
        ...

    async def credentials(self, email: str) -> Credentials | None: ...

    async def rehash(self, user_id: uuid.UUID, old: str, new: str) -> None:
        """Another hash of the same password, if `old` is still the user's."""
        ...

    async def get(self, user_id: uuid.UUID) -> User:
        """Raises UserNotFound."""
        ...

    async def rename(self, user_id: uuid.UUID, name: str | None) -> User:
        """The user as they are afterwards; None changes nothing. Raises UserNotFound."""
        ...

    async def set_roles(self, user_id: uuid.UUID, roles: tuple[str, ...]) -> User:
        """Raises UserNotFound."""
        ...


class SessionRepository(Protocol):
    """Sessions by the hashes of their refresh tokens: the tokens themselves are nowhere."""

    async def begin(self, user_id: uuid.UUID, token_hash: bytes, life: int) -> None:
        """A new session, `life` seconds long."""
        ...

    async def rotate(self, token_hash: bytes, next_hash: bytes) -> User:
        """Uses a token up and puts the next in its place.

        Raises InvalidRefreshToken; and where the token was used before, the session has ended by then.
        """
        ...

    async def end(self, token_hash: bytes) -> None:
        """Ends the session of a token, used or not. Without one nothing happens."""
        ...


class Guesses(Protocol):
    async def count(self, account: str, address: str) -> None:
        """Counts a try before it is made; raises TooManyTries."""
        ...

    async def forgive(self, account: str, address: str) -> None:
        """It was the right password: the account's tries are forgotten, and this one of the address."""
        ...

    async def count_registration(self, address: str) -> None:
        """Raises TooManyTries."""
        ...
