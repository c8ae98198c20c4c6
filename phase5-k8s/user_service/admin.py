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


_ANOTHERS = (
    "ADMIN_EMAIL has an account with another password, perhaps a stranger's: nothing is changed. Give that account's "
    "password, if it is yours, or take another e-mail."
)


class AdminSettings(UserSettings):
    """Whose account it is: made with this password, or, if there is one, given the role, if this is its password."""

    admin_email: str
    admin_password: SecretStr
    admin_name: str = "Admin"


async def make_admin(settings: AdminSettings) -> None:
    """Does nothing the second time. Raises CannotStart for an e-mail or a password that no account may have.

    Also for an account with another password: anybody may have registered that e-mail, for nobody proves that one is
    theirs. The password is looked at once there is an account in any case, so nobody comes in between.
    """
    try:
        new = NewUser(settings.admin_email, settings.admin_password.get_secret_value(), settings.admin_name)
    except InvalidArgument as problem:
        raise CannotStart(f"ADMIN_{problem.field.upper()} {problem.problem}") from None
    email, password = check_email(new.email), check_password(new.password)
    async with Database(settings) as database, Passwords(settings) as passwords:
        users = PostgresUsers(database)
        await users.add(uuid.uuid4(), email, new.name, await passwords.hashed(password))
        found = await users.credentials(email)
        if found is None or not await passwords.is_right(found.password_hash, password):
            raise CannotStart(_ANOTHERS)
        await users.set_roles(found.user.id, ROLES)
        log.info("is an admin", user_id=str(found.user.id))
