"""The first admin: somebody has to be one before anybody can be made one."""

import uuid

import structlog
from chassis.errors import InvalidArgument
from chassis.postgres import Database
from chassis.settings import CannotStart
from pydantic import SecretStr

from user_service.config import UserSettings
from user_service.domain import ROLES, NewUser, check_email, check_password
from user_service.passwords import Passwords
from user_service.postgres import PostgresUsers

log = structlog.get_logger(__name__)


class AdminSettings(UserSettings):
    """Whose account it is: made with this password, or, if there is one, given the role, with the password it has."""

    admin_email: str
    admin_password: SecretStr
    admin_name: str = "Admin"


async def make_admin(settings: AdminSettings) -> None:
    """Does nothing the second time. Raises CannotStart for an e-mail or a password that no account may have."""
    try:
        new = NewUser(settings.admin_email, settings.admin_password.get_secret_value(), settings.admin_name)
    except InvalidArgument as problem:
        raise CannotStart(f"ADMIN_{problem.field.upper()} {problem.problem}") from None
    email = check_email(new.email)
    async with Database(settings) as database, Passwords(settings) as passwords:
        users = PostgresUsers(database)
        await users.add(uuid.uuid4(), email, new.name, await passwords.hashed(check_password(new.password)))
        found = await users.credentials(email)
        if found is not None:
            await users.set_roles(found.user.id, ROLES)
            log.info("is an admin", user_id=str(found.user.id))
