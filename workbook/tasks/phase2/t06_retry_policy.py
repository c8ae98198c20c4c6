"""Task 2.6: a retry policy, on a channel of its own to a server that counts."""

import asyncio
import json
import time

import grpc

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.refusing_server import call, refusing

SERVICE = "event.EventService"
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
NEVER_AGAIN = (
    (grpc.StatusCode.DEADLINE_EXCEEDED, "the time of the call is over, and nobody waits for a second one"),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "the service has too much to do already"),
    (grpc.StatusCode.INTERNAL, "the same bug waits for the second one"),
)
PATIENCE = 2.0  # seconds of a call; the booking service waits no longer for its tickets
CALLERS, CALLS = 8, 40
TOO_MANY = 80


async def check(config: str) -> str:
    """Reads the text, then counts what a channel with it sends."""
    _readable(config)
    await _taken(config)
    tries = [await _tries(config, method) for method in ("ReserveTickets", "ReleaseTickets")]
    if (sent := await _attempts(config, "CreateEvent", UNAVAILABLE)) != 1:
        raise Wrong(
            f"CreateEvent was answered UNAVAILABLE and sent {sent} times: nobody knows whether the first one made an "
            "event, and each makes another. Name the methods that may come twice"
        )
    for status, why in NEVER_AGAIN:
        if (sent := await _attempts(config, "ReserveTickets", status)) != 1:
            raise Wrong(f"ReserveTickets was answered {status.name} and sent {sent} times, but {why}")
    load = await _load(config)
    return (
        f"UNAVAILABLE: {tries[0]} attempts to reserve, {tries[1]} to release, 1 to create; {CALLS} calls to a dead "
        f"service were {load} attempts"
    )


def _readable(config: str) -> None:
    try:
        read = json.loads(config)
    except (TypeError, ValueError) as error:
        raise Wrong(f"SERVICE_CONFIG is no JSON text: {error}; give the dict to json.dumps") from error
    if '"timeout"' in json.dumps(read):
        raise Wrong(
            "a `timeout` stands in the config: it fires a second or two early, and the server is told of no deadline. "
            "Deadlines belong to the call, as in task 2.5"
        )


async def _taken(config: str) -> None:
    """What gRPC does not take of a config, it says only when a call is made."""
    async with refusing(UNAVAILABLE, config) as (_, channel):
        error = await call(channel, f"/{SERVICE}/CreateEvent", PATIENCE)
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        said = (error.details() or "").partition("service config: ")[2] or error.details()
        raise Wrong(f"gRPC does not take this config, and no call gets through: {said}")


async def _tries(config: str, method: str) -> int:
    began = time.monotonic()
    sent = await _attempts(config, method, UNAVAILABLE)
    if time.monotonic() - began >= PATIENCE:
        raise Wrong(
            f"{method} was answered UNAVAILABLE and sent {sent} times within {PATIENCE:g} s, then its time was over: "
            "begin with a backoff of some hundredths of a second"
        )
    if sent == 1:
        raise Wrong(
            f"{method} was answered UNAVAILABLE and sent once: the policy does not reach it. Compare the names, letter "
            f"by letter, with {SERVICE} and {method}, and look at retryableStatusCodes"
        )
    if sent > 4:
        raise Wrong(
            f"{method} was answered UNAVAILABLE and sent {sent} times (gRPC stops at 5, whatever maxAttempts says): 2 "
            "to 4 in all are enough, the caller waits meanwhile"
        )
    return sent


async def _attempts(config: str, method: str, status: grpc.StatusCode) -> int:
    """How often one call was sent that is always answered with `status`."""
    async with refusing(status, config) as (server, channel):
        await call(channel, f"/{SERVICE}/{method}", PATIENCE)
        return server.attempts.total()


async def _load(config: str) -> int:
    """What the calls of a few callers, each one after another, make a dead service suffer."""
    async with refusing(UNAVAILABLE, config) as (server, channel):
        for _ in range(CALLS // CALLERS):
            await asyncio.gather(*(call(channel, f"/{SERVICE}/ReserveTickets", PATIENCE) for _ in range(CALLERS)))
        load = server.attempts.total()
    if load >= TOO_MANY:
        raise Wrong(
            f"{CALLS} calls to a dead service were {load} attempts: retries make it worse, for everybody at once. "
            "Let them stop soon when most of them fail: retryThrottling, with few tokens"
        )
    return load


_RIGHT = """
SERVICE_CONFIG = json.dumps(
    {
        "methodConfig": [
            {
                "name": [
                    {"service": "event.EventService", "method": "ReserveTickets"},
                    {"service": "event.EventService", "method": "ReleaseTickets"},
                ],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
)
"""
_METHODS = """
                    {"service": "event.EventService", "method": "ReserveTickets"},
                    {"service": "event.EventService", "method": "ReleaseTickets"},
"""


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


TASK = Task(
    id="2.6",
    title="A retry policy",
    names=("SERVICE_CONFIG",),
    hints=(
        "Which calls may come twice without harm? After which answer does another one help? And what if all fail?",
        (
            '"methodConfig" is a list of {"name": […], "retryPolicy": {…}}; a name is a service and a method. Beside '
            'it stands "retryThrottling" with maxTokens and tokenRatio.'
        ),
        (
            'retryPolicy: maxAttempts 3, initialBackoff "0.05s", maxBackoff "0.5s", backoffMultiplier 2, '
            'retryableStatusCodes ["UNAVAILABLE"]. Two names, both of event.EventService. retryThrottling: maxTokens '
            "10, tokenRatio 0.1."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer("every method", code=_but(_METHODS, "{}"), says="CreateEvent was answered UNAVAILABLE and sent 3"),
        WrongAnswer(
            "every method of the service",
            code=_but(_METHODS, '{"service": "event.EventService"}'),
            says="CreateEvent was answered UNAVAILABLE and sent 3",
        ),
        WrongAnswer(
            "after a deadline too",
            code=_but('["UNAVAILABLE"]', '["UNAVAILABLE", "DEADLINE_EXCEEDED"]'),
            says="ReserveTickets was answered DEADLINE_EXCEEDED and sent 3 times",
        ),
        WrongAnswer(
            "when the service has too much to do",
            code=_but('["UNAVAILABLE"]', '["UNAVAILABLE", "RESOURCE_EXHAUSTED"]'),
            says="ReserveTickets was answered RESOURCE_EXHAUSTED and sent 3 times",
        ),
        WrongAnswer("no throttling", code=_but('"retryThrottling"', '"throttling"'), says="were 120 attempts"),
        WrongAnswer(
            "after a bug too",
            code=_but('["UNAVAILABLE"]', '["UNAVAILABLE", "INTERNAL"]'),
            says="ReserveTickets was answered INTERNAL and sent 3 times",
        ),
        WrongAnswer("a pause that is a number", code=_but('"0.05s"', "0.05"), says="initialBackoff error:is not a str"),
        WrongAnswer("one attempt", code=_but('"maxAttempts": 3', '"maxAttempts": 1'), says="must be at least 2"),
        WrongAnswer("ten attempts", code=_but('"maxAttempts": 3', '"maxAttempts": 10'), says="and sent 5 times"),
        WrongAnswer(
            "a long pause",
            code=_but('"0.05s",\n                    "maxBackoff": "0.5s"', '"3s", "maxBackoff": "9s"'),
            says="its time was over",
        ),
        WrongAnswer(
            "a timeout in the config", code=_but('"retryPolicy"', '"timeout": "2s", "retryPolicy"'), says="a `timeout`"
        ),
        WrongAnswer(
            "a name that is nobody's", code=_but("event.EventService", "EventService"), says="does not reach it"
        ),
        WrongAnswer(
            "a duration without its s", code=_but('"0.05s"', '"0.05"'), says="initialBackoff error:Not a duration"
        ),
        WrongAnswer("no text", code=_RIGHT.replace("json.dumps", "dict"), says="give the dict to json.dumps"),
    ),
)
