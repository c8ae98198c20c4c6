"""The user service put together, top to bottom. It guards itself: without access control there is no user service."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from access.callers import USER_SERVICE
from access.control import AccessControl
from access.keys import KnownKeys, own_keys, published, service_keys, user_keys
from access.signing import Signer
from access.verifying import Verifier
from chassis.plugs import NOTHING, Plugs
from chassis.postgres import Database
from chassis.server import GrpcServer
from joserfc.jwk import ECKey

from user_service.config import UserSettings
from user_service.domain import User
from user_service.guessing import PostgresGuesses
from user_service.handler import UserHandler
from user_service.may import OPEN, RULES
from user_service.passwords import Passwords
from user_service.postgres import PostgresUsers
from user_service.proto import user_pb2, user_pb2_grpc
from user_service.service import Lives, UserUseCases
from user_service.sessions import PostgresSessions
from user_service.tidying import Tidying

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = user_pb2.DESCRIPTOR.services_by_name["UserService"].full_name


@asynccontextmanager
async def user_app(settings: UserSettings, *, plugs: Plugs = NOTHING) -> AsyncIterator[GrpcServer]:
    """The running service; `plugs` are described at chassis/plugs.py. Raises NoKeys if its key files are not there."""
    async with AsyncExitStack() as stack:
        keys = own_keys(settings.keys_folder, USER_SERVICE)
        database = await stack.enter_async_context(plugs.database or Database(settings))
        passwords = await stack.enter_async_context(Passwords(settings))
        users = PostgresUsers(database)
        use_cases = UserUseCases(
            users,
            PostgresSessions(database),
            PostgresGuesses(database, settings),
            passwords,
            sign=Tokens(keys[0], settings.access_token_life).of,
            lives=Lives(settings.access_token_life, settings.session_life),
        )
        control = AccessControl(_verifier(settings, keys), RULES, OPEN)
        server = GrpcServer(settings, SERVICE, outside=plugs.outside, inside=[control, *plugs.inside])
        handler = UserHandler(use_cases, json.dumps(published(keys)))
        user_pb2_grpc.add_UserServiceServicer_to_server(handler, server.grpc)
        await stack.enter_async_context(
            Tidying(database, every=settings.tidy_every, forgotten=settings.tries_forgotten)
        )
        yield await stack.enter_async_context(server.running(ready=users.ready))


async def serve(settings: UserSettings) -> None:
    async with user_app(settings) as server:
        await server.until_stopped()


class Tokens:
    """Access tokens of users."""

    def __init__(self, key: ECKey, life: int) -> None:
        self._signer = Signer(USER_SERVICE, key)
        self._life = life

    def of(self, user: User) -> str:
        return self._signer.token(str(user.id), user.roles, self._life)


def _verifier(settings: UserSettings, own: list[ECKey]) -> Verifier:
    """Trusts what it signs itself, and the services."""
    trusted = KnownKeys([*user_keys(published(own)), *service_keys(settings.keys_folder)])
    return Verifier(trusted, leeway=settings.clock_leeway)
