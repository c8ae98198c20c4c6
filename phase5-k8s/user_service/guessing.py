"""Guessing passwords is slow: tries are counted by account and by address, in the database, for all replicas.

A try is counted before it is made. Counted afterwards, a thousand at once would all find that none was wrong yet.
"""

import hashlib
from dataclasses import dataclass

from chassis.postgres import Database

from user_service.config import UserSettings
from user_service.domain import TooManyTries

# A pause is no time without tries: one may be as long as it takes to forget, and would end with all forgotten.
_COUNT = (
    "CASE WHEN greatest(tries.last_at, tries.free_at) < now() - make_interval(secs => %(forgotten)s) "
    "THEN 1 ELSE tries.count + 1 END"
)

# From the last free try on each is followed by a pause, which doubles. No row comes back during a pause. Where there is
# none, the time is long past: now() of another try at the same moment may be later than our own.
COUNT = f"""
INSERT INTO tries (subject, count, free_at)
VALUES (%(subject)s, 1, CASE WHEN %(free)s > 1 THEN '-infinity' ELSE now() + interval '1 second' END)
ON CONFLICT (subject) DO UPDATE SET
    count = {_COUNT}, last_at = now(),
    free_at = CASE WHEN {_COUNT} < %(free)s THEN '-infinity'
        ELSE now() + make_interval(secs => least(%(longest)s, power(2, least({_COUNT} - %(free)s, 30)))) END
WHERE tries.free_at <= now()
RETURNING count
"""

WAIT = "SELECT greatest(0, extract(epoch FROM free_at - now())) FROM tries WHERE subject = %s"

FORGET = "DELETE FROM tries WHERE subject = %s"

TAKE_BACK = "UPDATE tries SET count = count - 1, free_at = '-infinity' WHERE subject = %s AND count > 0"


@dataclass(frozen=True, slots=True)
class _Limit:
    free: int
    longest: int


class PostgresGuesses:
    """The `Guesses` of production."""

    def __init__(self, database: Database, settings: UserSettings) -> None:
        self._database = database
        self._forgotten = settings.tries_forgotten
        self._account = _Limit(settings.tries_per_account, settings.longest_wait_account)
        self._registrations = _Limit(settings.registrations_per_address, settings.longest_wait_account)
        self._address = _Limit(settings.tries_per_address, settings.longest_wait_address)

    async def count(self, account: str, address: str) -> None:
        await self._count(_of_address(address), self._address)
        await self._count(_of_account(account), self._account)

    async def count_registration(self, address: str) -> None:
        await self._count(f"registering {address}", self._registrations)

    async def forgive(self, account: str, address: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(FORGET, [_of_account(account)])
            await connection.execute(TAKE_BACK, [_of_address(address)])

    async def _count(self, subject: str, limit: _Limit) -> None:
        values = {"subject": subject, "free": limit.free, "longest": limit.longest, "forgotten": self._forgotten}
        async with self._database.connection() as connection:
            if (await connection.execute(COUNT, values)).rowcount:
                return
            row = await (await connection.execute(WAIT, [subject])).fetchone()
        raise TooManyTries(float(row[0]) if row else 0)


def _of_account(email: str) -> str:
    """By a digest: whoever gets this table shall not get a list of e-mails that somebody tried."""
    return f"account {hashlib.sha256(email.encode()).hexdigest()}"


def _of_address(address: str) -> str:
    return f"address {address}"
