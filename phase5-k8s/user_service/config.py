"""The user service's settings. Times are in seconds, memory in KiB."""

from typing import Annotated

from access.config import AccessSettings
from chassis.settings import Port, ServiceSettings
from pydantic import Field

Life = Annotated[int, Field(ge=1, le=366 * 86_400)]
Tries = Annotated[int, Field(ge=1, le=1_000_000)]


class UserSettings(ServiceSettings, AccessSettings):
    """`hash_*` are argon2id's: the defaults are RFC 9106's for little memory. `hashes_at_once` bounds what passwords
    may take: so many cores, and so often that much memory.

    After `tries_per_account` wrong passwords for one account, and `tries_per_address` from one address, each further
    one has to wait, twice as long every time; after `tries_forgotten` without a try and without a wait all is as
    before. So with registrations, which wait as an account does: behind one address there may be a whole school.
    """

    service_name: str = "user-service"
    grpc_port: Port = 50053
    db_name: str = "user_db"
    access_token_life: Life = 600
    session_life: Life = 30 * 86_400
    hash_time_cost: Annotated[int, Field(ge=1, le=100)] = 3
    hash_memory_cost: Annotated[int, Field(ge=8, le=2**22)] = 64 * 1024
    hash_parallelism: Annotated[int, Field(ge=1, le=64)] = 4
    hashes_at_once: Annotated[int, Field(ge=1, le=64)] = 2
    tries_per_account: Tries = 5
    tries_per_address: Tries = 100
    registrations_per_address: Tries = 300
    longest_wait_account: Life = 60
    longest_wait_address: Life = 900
    tries_forgotten: Life = 900
    tidy_every: Life = 600
