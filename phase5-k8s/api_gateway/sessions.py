"""/v1/sessions: signing in, going on, signing out."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from user_service.proto import user_pb2 as pb

from api_gateway import users
from api_gateway.answers import Json
from api_gateway.backends import back, for_a_stranger
from api_gateway.documented import problems
from api_gateway.fields import Strict

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

_EXAMPLE: dict[str, Any] = {
    "access_token": "eyJhbGciOi…",
    "token_type": "Bearer",
    "expires_in": 600,
    "refresh_token": "q0Yw…",
    "user": users.EXAMPLE,
}


class Session(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="seconds that the access token is good for")]
    refresh_token: Annotated[str, Field(description="for one refresh")]
    user: users.User


class Credentials(Strict):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.com", "password": "correct horse battery"}]}
    )
    email: users.Email
    password: Annotated[str, Field(min_length=1, max_length=128)]


class RefreshToken(Strict):
    model_config = ConfigDict(json_schema_extra={"examples": [{"refresh_token": "q0Yw…"}]})
    refresh_token: Annotated[str, Field(min_length=1, max_length=512)]


@router.post("", status_code=201, response_model=Session, responses=problems(401))
async def log_in(request: Request, credentials: Credentials) -> Response:
    """A wrong password and an unknown e-mail are refused alike."""
    wanted = pb.LogInRequest(email=credentials.email, password=credentials.password)
    answer = await back(request).users.LogIn(wanted, metadata=for_a_stranger(request))
    return Json(shown(answer.session), 201)


@router.post("/refresh", response_model=Session, responses=problems(401))
async def refresh(request: Request, old: RefreshToken) -> Response:
    """New tokens for a refresh token, once: one that is used again ends its whole session."""
    wanted = pb.RefreshRequest(refresh_token=old.refresh_token)
    answer = await back(request).users.Refresh(wanted, metadata=for_a_stranger(request))
    return Json(shown(answer.session))


@router.delete("", status_code=204, responses=problems())
async def log_out(request: Request, old: RefreshToken) -> Response:
    """Ends the session that the token belongs to. An unknown one is no error."""
    wanted = pb.LogOutRequest(refresh_token=old.refresh_token)
    await back(request).users.LogOut(wanted, metadata=for_a_stranger(request))
    return Response(status_code=204)


def shown(session: pb.Session) -> dict[str, Any]:
    """The session as JSON has it."""
    return {
        "access_token": session.access_token,
        "token_type": session.token_type,
        "expires_in": session.expires_in,
        "refresh_token": session.refresh_token,
        "user": users.shown(session.user),
    }
