"""The use cases, as sentences."""

import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from user_service.domain import (
    CUSTOMER,
    NewUser,
    Session,
    TooManyTries,
    User,
    WrongCredentials,
    check_email,
    check_name,
    check_password,
)
from user_service.repository import Guesses, SessionRepository, UserRepository

_REFRESH_BYTES = 32

log = structlog.get_logger(__name__)


class Hashing(Protocol):
    async def hashed(self, password: str) -> str: ...
    async def is_right(self, known: str | None, password: str) -> bool: ...
    def is_outdated(self, known: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Lives:
    """Seconds that an access token is good for, and a session with all its refresh tokens."""

    access_token: int
    session: int


class UserUseCases:
    """`sign` makes a user's access token."""

    def __init__(
        self,
        users: UserRepository,
        sessions: SessionRepository,
        guesses: Guesses,
        passwords: Hashing,
        sign: Callable[[User], str],
        lives: Lives,
    ) -> None:
        self._users, self._sessions, self._guesses, self._passwords = users, sessions, guesses, passwords
        self._sign = sign
        self._lives = lives

    async def register(self, new: NewUser, address: str) -> User:
        """The new user. Who has the e-mail already gets the same work done, the same answer, and no account."""
        await self._guesses.count_registration(address)
        user_id, email = uuid.uuid4(), check_email(new.email)
        password_hash = await self._passwords.hashed(check_password(new.password))
        made_at = await self._users.add(user_id, email, new.name, password_hash)
        return User(user_id, email, new.name, (CUSTOMER,), made_at)

    async def log_in(self, email: str, password: str, address: str) -> Session:
        """Raises WrongCredentials, TooManyTries."""
        email, password = check_email(email), check_password(password)
        try:
            await self._guesses.count(email, address)
            user = await self._proved(email, password)
        except (WrongCredentials, TooManyTries) as refusal:
            log.warning("login refused", why=refusal.reason, account=pseudonym(email), address=address)
            raise
        await self._guesses.forgive(email, address)
        token = new_refresh_token()
        await self._sessions.begin(user.id, hash_of(token), self._lives.session)
        return self._session(user, token)

    async def refresh(self, token: str) -> Session:
        """Raises InvalidRefreshToken."""
        following = new_refresh_token()
        user = await self._sessions.rotate(hash_of(token), hash_of(following))
        return self._session(user, following)

    async def log_out(self, token: str) -> None:
        await self._sessions.end(hash_of(token))

    async def get(self, user_id: uuid.UUID) -> User:
        return await self._users.get(user_id)

    async def rename(self, user_id: uuid.UUID, name: str | None) -> User:
        return await self._users.rename(user_id, None if name is None else check_name(name))

    async def set_roles(self, user_id: uuid.UUID, roles: tuple[str, ...]) -> User:
        user = await self._users.set_roles(user_id, roles)
        log.info("roles set", user_id=str(user_id), roles=roles)
        return user

    async def _proved(self, email: str, password: str) -> User:
        found = await self._users.credentials(email)
        known = found.password_hash if found else None
        if not await self._passwords.is_right(known, password) or found is None:
            raise WrongCredentials
        if self._passwords.is_outdated(found.password_hash):
            await self._users.rehash(found.user.id, found.password_hash, await self._passwords.hashed(password))
        return found.user

    def _session(self, user: User, refresh_token: str) -> Session:
        return Session(user, self._sign(user), refresh_token, self._lives.access_token)


def new_refresh_token() -> str:
    return secrets.token_urlsafe(_REFRESH_BYTES)


def hash_of(token: str) -> bytes:
    """What is stored of a refresh token. One round is enough: nobody can guess 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def pseudonym(email: str) -> str:
    """What stands in the log for an e-mail: enough to see that lines are of one account, too short to find it by."""
    return hashlib.sha256(email.encode()).hexdigest()[:8]
