"""How gateways of the proofs say no."""

from http import HTTPStatus

from tests.checklist.door import PROBLEM, Reply


class Refusal(Exception):
    def __init__(self, status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.headers = headers or {}

    def reply(self) -> Reply:
        title = HTTPStatus(self.status).phrase
        content = {"title": title, "status": self.status, "detail": str(self), "reason": self.reason}
        return Reply(self.status, content, dict(self.headers), PROBLEM)
