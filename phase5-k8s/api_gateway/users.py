"""/v1/users: new accounts, and one's own profile."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from user_service.proto import user_pb2 as pb

from api_gateway.answers import Json
from api_gateway.backends import back, for_a_stranger, token_of
from api_gateway.callers import caller_of
from api_gateway.documented import SIGNED_IN, problems
from api_gateway.fields import Id, Moment, Strict

router = APIRouter(prefix="/v1/users", tags=["users"])

Email = Annotated[str, Field(min_length=3, max_length=254, examples=["ada@example.com"])]
Name = Annotated[str, Field(min_length=1, max_length=100)]
EXAMPLE: dict[str, Any] = {
    "id": "6b2f8f56-6f0c-4f0e-9f4c-8f4a1d3c2b10",
    "email": "ada@example.com",
    "name": "Ada",
    "roles": ["customer"],
    "created_at": "2026-11-20T17:05:12.345678Z",
}


class User(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    id: Id
    email: str
    name: str
    roles: list[Literal["customer", "organiser", "admin"]]
    created_at: Moment


class NewUser(Strict):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.com", "password": "correct horse battery", "name": "Ada"}]
        }
    )
    email: Email
    password: Annotated[str, Field(min_length=8, max_length=128)]
    name: Name


class ProfileChanges(Strict):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada L."}]})
    name: Name


@router.post("", status_code=201, response_model=User, responses=problems())
async def register(request: Request, new: NewUser) -> Response:
    """Makes an account. For an e-mail that has one the answer looks the same, and nothing is made or changed."""
    wanted = pb.RegisterRequest(email=new.email, password=new.password, name=new.name)
    made = await back(request).users.Register(wanted, metadata=for_a_stranger(request))
    return Json(shown(made.user), 201, {"Location": f"{router.prefix}/me"})


@router.get("/me", response_model=User, responses=problems(401, 403, 404), openapi_extra=SIGNED_IN)
async def get_profile(request: Request) -> Response:
    wanted = pb.GetUserRequest(user_id=caller_of(request).id)
    found = await back(request).users.GetUser(wanted, metadata=token_of(request))
    return Json(shown(found.user))


@router.patch("/me", response_model=User, responses=problems(401, 403, 404), openapi_extra=SIGNED_IN)
async def update_profile(request: Request, changes: ProfileChanges) -> Response:
    wanted = pb.UpdateUserRequest(user_id=caller_of(request).id, name=changes.name)
    changed = await back(request).users.UpdateUser(wanted, metadata=token_of(request))
    return Json(shown(changed.user))


def shown(user: pb.User) -> dict[str, Any]:
    """The user as JSON has it."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "roles": list(user.roles),
        "created_at": user.created_at.ToJsonString(),
    }
