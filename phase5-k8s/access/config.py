"""What a service needs to know to tell who is calling."""

from pathlib import Path
from typing import Annotated

from chassis.settings import Limit
from pydantic import Field
from pydantic_settings import BaseSettings


class AccessSettings(BaseSettings):
    """`keys_folder` holds this service's own key and the public ones of all services (see keys.py).

    The rest says how patient to be with user-service, whose keys are asked for: see fetched_keys.py. Times in seconds.
    """

    keys_folder: Path = Path("keys")
    user_address: str = "127.0.0.1:50053"
    keys_deadline: Limit = 2
    keys_every: Limit = 300
    keys_pause: Limit = 5
    clock_leeway: Annotated[int, Field(ge=0, le=300)] = 30
