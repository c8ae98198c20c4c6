"""What is no resource of the system: its health, its keys, its pages."""

import asyncio
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from user_service.proto import user_pb2 as pb

from api_gateway.answers import Json
from api_gateway.backends import back
from api_gateway.readiness import Readiness

STATIC = Path(__file__).parent / "static"
_CHECK_FIRST = {"Cache-Control": "no-cache"}  # a browser keeps pages, and asks whether they are still right
_KEYS_MAX_AGE = 60  # seconds

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """Alive: the process answers. It asks nobody else: a restart would not bring them back."""
    return Json({"status": "alive"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether all services behind can be used; those that cannot are named."""
    readiness: Readiness = request.app.state.readiness
    missing = readiness.missing
    status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
    return Json({"status": "not ready" if missing else "ready", "missing": dict(missing)}, status)


@router.get("/openz")
async def openz(request: Request) -> Response:
    """Whether new requests may be sent here, which is what load balancers have to know."""
    readiness: Readiness = request.app.state.readiness
    if readiness.open:
        return Json({"status": "open"})
    return Json({"status": "shut"}, HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/.well-known/jwks.json")
async def keys(request: Request) -> Response:
    """The public keys that tokens are verified with."""
    found = await back(request).users.GetKeys(pb.GetKeysRequest())
    headers = {"Cache-Control": f"public, max-age={_KEYS_MAX_AGE}"}
    return Response(found.jwks_json, headers=headers, media_type="application/jwk-set+json")


@router.get("/")
async def box_office() -> Response:
    return await _page("index.html")


@router.get("/docs")
async def docs() -> Response:
    """The API for people, read from /openapi.json; nothing on it comes from elsewhere."""
    return await _page("docs.html")


async def _page(name: str) -> Response:
    path = STATIC / name
    if not await asyncio.to_thread(path.is_file):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return FileResponse(path, headers=_CHECK_FIRST)


class Static(StaticFiles):
    """The files of the pages."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.setdefault("Cache-Control", "no-cache")
        return response
