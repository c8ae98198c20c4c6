"""What a gateway can get wrong around its routes: refusals, headers, limits, its document."""

import copy
from collections.abc import Mapping
from typing import Any

from tests.checklist.door import Reply, Request
from tests.checklist.refusals import Refusal
from tests.checklist.right_gateway import Caller, RightGateway

HTML = "<html>Welcome</html>"


class FailsOnBadInput(RightGateway):
    """A stranger's mistake is its own fault, and tells where."""

    def malformed(self) -> Refusal:
        return Refusal(500, "INTERNAL", 'Traceback (most recent call last): File "/app/gateway.py", line 7')


class KeepsAll(RightGateway):
    """However large it is."""

    def too_large(self, request: Request) -> Refusal:
        request.read()
        return self.malformed()


class RefusesInPlainText(RightGateway):
    """Only what its router says itself; and it says nothing about methods."""

    def refused(self, refusal: Refusal) -> Reply:
        reply = super().refused(refusal)
        if refusal.reason == "NO_SUCH_PAGE":
            return Reply(404, "Not Found", kind="text/plain")
        reply.headers.pop("Allow", None)
        return reply


class ProblemsByHalves(RightGateway):
    def refused(self, refusal: Refusal) -> Reply:
        reply = super().refused(refusal)
        reply.headers.pop("WWW-Authenticate", None)
        return Reply(reply.status, {**reply.content, "status": 400}, reply.headers, reply.kind)


class HasAPageForAll(RightGateway):
    """An app of one page: every address is that page."""

    def routed(self, request: Request, caller: Caller) -> Reply:
        if request.path.startswith(("/v1/no-such", "/openapi.json")):
            return Reply(200, HTML, kind="text/html")
        return super().routed(request, caller)


class IsNotAlive(RightGateway):
    def routed(self, request: Request, caller: Caller) -> Reply:
        return Reply(503, {"status": "not ready"}) if request.path == "/healthz" else super().routed(request, caller)


class GuardsWhatSucceeds(RightGateway):
    """And lets pages of all sites ask for it."""

    def guarded(self, request: Request, reply: Reply) -> Reply:
        reply = super().guarded(request, reply)
        reply.headers["Access-Control-Allow-Origin"] = request.headers.get("origin", "*")
        if reply.status < 400:
            return reply
        return Reply(
            reply.status, reply.content, {k: v for k, v in reply.headers.items() if k not in self.headers}, reply.kind
        )


class LetsProxiesKeep(RightGateway):
    headers: Mapping[str, str] = {**RightGateway.headers, "Cache-Control": "public, max-age=60"}


class PromisesOther(RightGateway):
    """A document that was right a year ago."""

    def document(self) -> Any:
        document: Any = copy.deepcopy(super().document())
        for path, methods in document["paths"].items():
            for operation in methods.values():
                operation["responses"].pop("404", None)
                if "bookings" in path:
                    operation.pop("security", None)
        return {
            **document,
            "components": {**document["components"], "securitySchemes": {"token": {"security": "none"}}},
        }


class PromisesOtherFields(RightGateway):
    def document(self) -> Any:
        document: Any = copy.deepcopy(super().document())
        document["components"]["schemas"]["Booking"]["required"].append("price")
        return document


class PromisesNothing(RightGateway):
    def document(self) -> Any:
        return {"openapi": "3.1.0", "info": {}, "paths": {}}


class NeverLimits(RightGateway):
    """It tells of limits, and has none."""

    def count(self, request: Request, caller: Caller) -> None:
        pass


class LimitsAllTogether(RightGateway):
    """One who asks too often keeps all others out."""

    limit = 300

    def counted(self, request: Request, caller: Caller) -> str:
        return "everybody"


class BelievesForwardedFor(RightGateway):
    def counted(self, request: Request, caller: Caller) -> str:
        forwarded = request.headers.get("x-forwarded-for", "")
        return super().counted(request, caller) + forwarded
