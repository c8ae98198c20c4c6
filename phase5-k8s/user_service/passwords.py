"""Passwords are hashed and verified in threads of their own: argon2 takes its time, and the event loop has none."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from user_service.config import UserSettings


class Passwords:
    """At most `hashes_at_once` at a time; who has to wait longer than their deadline gives up and costs nothing."""

    def __init__(self, settings: UserSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.hash_time_cost,
            memory_cost=settings.hash_memory_cost,
            parallelism=settings.hash_parallelism,
        )
        # The pool is the semaphore: a thread that was started works on after its caller is gone, and is still counted.
        self._threads = ThreadPoolExecutor(settings.hashes_at_once, thread_name_prefix="argon2")
        self._of_nobody = ""

    async def __aenter__(self) -> Self:
        self._of_nobody = await self.hashed("nobody has this password")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hashed(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def is_right(self, known: str | None, password: str) -> bool:
        """Whether the password is the one behind the hash `known`; without one it takes as long to say no."""
        verified = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._verified, known or self._of_nobody, password
        )
        return verified and known is not None

    def is_outdated(self, known: str) -> bool:
        """Whether the settings ask for another cost by now."""
        return self._hasher.check_needs_rehash(known)

    def _verified(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False
