"""The outermost of our own: every request gets its time, its caller, and one kind of answer when something is wrong."""

import structlog
from chassis.deadlines import due_in
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.callers import Callers, check_headers
from api_gateway.problems import Problem, of_bug

log = structlog.get_logger(__name__)


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


class Edge:
    def __init__(self, app: ASGIApp, callers: Callers, deadline: float) -> None:
        self._app = app
        self._callers = callers
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        due_in(self._deadline)
        started = ended = False

        async def noted(message: Message) -> None:
            nonlocal started, ended
            started = True
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            check_headers(scope)
            await self._callers.note(scope)
            await self._app(scope, receive, noted)
        except Problem as problem:
            await problem.answer()(scope, receive, send)
        except ClientLeft:
            return
        except Exception as error:
            log.exception("internal error", method=scope["method"], route=getattr(scope.get("route"), "path", ""))
            if not started:
                await of_bug(error).answer()(scope, receive, send)
            elif not ended:  # half an answer is there: only its sudden end tells that it is none
                raise
