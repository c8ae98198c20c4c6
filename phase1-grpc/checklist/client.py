"""The client the checks use, of any service: each call has a deadline, and what goes wrong is said in words."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import grpc
from checklist.contract import Contract
from checklist.reflection import Served, served_messages
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from workbook.checks.probe import answers_within
from workbook.checks.system import System
from workbook.checks.verdict import Wrong, expect, not_run

Code = grpc.StatusCode
Request = Mapping[str, Any]

_LOOK_FOR_LOCKS = "answer in time: look for a lock nobody releases, a full connection pool, a query without an index"


def fresh(kind: str) -> str:
    """A name nobody used before, so that a server with data in it can be checked again and again."""
    return f"check-{kind}-{secrets.token_hex(6)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to; `call` says in words which call it was, such as "GetBooking of an unknown id".

    `reason` is the one in google.rpc.ErrorInfo, "" for refusals without it.
    """

    call: str
    code: Code
    details: str
    message: Any = None
    reason: str = ""

    def ok(self) -> Any:
        """The response message; Wrong if the call was refused."""
        readable = "deserializing" not in self.details  # how grpcio says that the answer is not the roadmap's message
        todo = (
            "answer OK: this request is right"
            if readable
            else "answer with the contract's messages: see the checks of its proto"
        )
        expect(self.code is Code.OK, self.told(), todo)
        return self.message

    def refused(self, *codes: Code, todo: str) -> None:
        """Wrong unless the call was refused with one of `codes`."""
        expect(self.code in codes, self.told(), todo)

    def told(self) -> str:
        return f"{self.call} answered {self.code.name}" + (f" ({self.details[:120]})" if self.details else "")


class Client:
    """One service of the system behind one connection."""

    def __init__(self, system: System, name: str, contract: Contract, channel: grpc.Channel, served: Served) -> None:
        self.system = system
        self.name = name
        self.contract = contract
        self.channel = channel
        self.served = served
        self.additions = contract.known_additions(served)
        self._messages = contract.message_classes(self.additions)
        self._hung: set[str] = set()

    def needs(self, message: str, *fields: str) -> None:
        """Ends the check without a verdict if the server's message lacks fields that this workbook adds."""
        missing = [field for field in fields if field not in self.additions[message]]
        if missing:
            proto = f"proto/{self.contract.service.partition('.')[0]}.proto"
            not_run(f"needs {', '.join(missing)} in {message}: an addition to the roadmap, see {proto}")

    def call(self, method: str, case: str = "", **request: Any) -> Answer:
        """One call with its deadline. Wrong if no answer comes; no verdict if the server lacks the method."""
        return self._checked(method, self.attempt(method, case, **request))

    def attempt(self, method: str, case: str = "", **request: Any) -> Answer:
        """One call and whatever became of it."""
        return self._answer(method, case, self._start(method, request, self._patience(method)))

    def patiently(self, method: str, seconds: float, case: str = "", **request: Any) -> tuple[Answer, float]:
        """One call with a deadline of its own, whatever became of it, and how many seconds that took."""
        began = time.monotonic()
        answer = self._answer(method, case, self._start(method, request, seconds))
        return answer, time.monotonic() - began

    def at_once(self, method: str, requests: Sequence[Request], case: str = "") -> list[Answer]:
        """All calls in flight together; their answers in the order of the requests."""
        started = [self._start(method, request, 4 * self._patience(method)) for request in requests]
        answers = [self._answer(method, case, call) for call in started]
        return [self._checked(method, answer) for answer in answers]

    def hang_up(self, method: str, requests: Sequence[Request]) -> None:
        """Starts all calls, waits for the first answer and leaves the rest in the middle of what they were doing."""
        first, *rest = [self._start(method, request, self._patience(method)) for request in requests]
        self._checked(method, self._answer(method, f"with {len(requests)} calls in flight", first))
        for call in rest:
            call.cancel()

    def _start(self, method: str, request: Request, patience: float) -> Any:
        call: Callable[..., Any] = self.channel.unary_unary(
            f"/{self.contract.service}/{method}",
            request_serializer=self._messages[self.contract.request(method)].SerializeToString,
            response_deserializer=self._messages[self.contract.response(method)].FromString,
        ).future
        return call(self._messages[self.contract.request(method)](**request), timeout=patience)

    def _answer(self, method: str, case: str, call: Any) -> Answer:
        name = f"{method} {case}".strip()
        code = call.code()  # waits for the end of the call
        (self._hung.add if code is Code.DEADLINE_EXCEEDED else self._hung.discard)(method)
        message = call.result() if code is Code.OK else None
        return Answer(name, code, call.details() or "", message, _reason(call))

    def _patience(self, method: str) -> float:
        # A method that has just hung would cost each check that needs it a whole deadline again.
        return self.system.patience / (5 if method in self._hung else 1)

    def _checked(self, method: str, answer: Answer) -> Answer:
        if answer.code is Code.UNIMPLEMENTED:
            not_run(f"needs {method}, see {self.contract.box}")
        if answer.code is Code.DEADLINE_EXCEEDED:
            raise Wrong(f"{answer.call} did not answer within its deadline", _LOOK_FOR_LOCKS)
        if answer.code is Code.UNAVAILABLE:
            self.still_there(answer.call)
        return answer

    def still_there(self, after: str) -> None:
        """Wrong, and the end of all checks, if the server no longer answers anything."""
        if not answers_within(self.system.address(self.name), self.system.patience):
            self.system.gone = after
            raise Wrong(f"{after}: the server crashed", "read the end of its log; no request may end the process")

    @contextmanager
    def elsewhere(self) -> Iterator[Self]:
        """Another client of the same server, over a connection of its own."""
        with self.system.channel(self.name) as channel:
            yield type(self)(self.system, self.name, self.contract, channel, self.served)

    @classmethod
    @contextmanager
    def connected(cls, system: System, name: str, contract: Contract) -> Iterator[Self]:
        """A client that has asked the server what its messages are."""
        with system.channel(name) as channel:
            served = served_messages(channel, contract.service, system.patience)
            yield cls(system, name, contract, channel, served)


def _reason(call: Any) -> str:
    info = ErrorInfo()
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            with suppress(DecodeError):
                found = Status.FromString(value)
                return next((info.reason for detail in found.details if detail.Unpack(info)), "")
    return ""
