"""What a back end's refusal becomes, and what of it the client gets to see."""

import grpc
import pytest
from api_gateway.problems import STATUSES, of_bug, of_refusal, of_rpc
from chassis import errors
from chassis.error_status import CODES, status_of
from google.rpc import status_pb2
from grpc_status import rpc_status

INSIDE = "failed to connect to all addresses; last error: ipv4:10.1.2.3:50051"
TABLE = {
    "NOT_FOUND": 404,
    "INVALID_ARGUMENT": 422,
    "OUT_OF_RANGE": 422,
    "FAILED_PRECONDITION": 409,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


class Full(errors.ResourceExhausted):
    reason = "FULL"
    retry_after = 6.2


class Odd(errors.ServiceError):
    reason = "ODD"


def refusal(error: errors.ServiceError) -> grpc.aio.AioRpcError:
    """As it comes over the wire."""
    status = rpc_status.to_status(status_of(error, "words.WordService"))
    return of_status(status.code, status.details, *status.trailing_metadata)


def of_status(code: grpc.StatusCode, text: str, *trailing: tuple[str, bytes]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), text)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_code_has_a_status_and_a_text_without_a_reason_stays_inside(code: grpc.StatusCode) -> None:
    problem = of_rpc(of_status(code, INSIDE))
    assert (problem.status, problem.reason) == (TABLE.get(code.name, 500), code.name)
    assert "10.1.2.3" not in str(problem)


def test_the_table_of_statuses_is_the_contract() -> None:
    assert {code.name: status.value for code, status in STATUSES.items()} == TABLE


def test_what_was_written_for_callers_reaches_them() -> None:
    problem = of_rpc(refusal(errors.InvalidArgument("colour", "must be a colour")))
    assert (problem.status, problem.reason, str(problem)) == (422, "INVALID_FIELD", "colour: must be a colour")
    assert problem.errors == (("colour", "must be a colour"),)


def test_when_to_try_again_is_a_header() -> None:
    assert of_rpc(refusal(Full("too much"))).answer().headers["retry-after"] == "7"
    assert of_refusal(Full("too much")).answer().headers["retry-after"] == "7"
    assert of_rpc(of_status(grpc.StatusCode.UNAVAILABLE, "")).answer().headers["retry-after"] == "1"


def test_who_is_not_known_is_told_how_to_say_it() -> None:
    assert of_refusal(errors.Unauthenticated("who")).answer().headers["www-authenticate"] == 'Bearer realm="tickets"'


@pytest.mark.parametrize("kind", [kind for kind in CODES if kind is not errors.InvalidArgument])
def test_a_refusal_of_our_own_is_as_one_from_behind(kind: type[errors.ServiceError]) -> None:
    here, behind = of_refusal(kind("no")), of_rpc(refusal(kind("no")))
    assert (here.status, here.reason, str(here)) == (behind.status, behind.reason, str(behind))


def test_an_unknown_refusal_is_our_fault() -> None:
    assert of_refusal(Odd("odd")).status == 500


def test_a_status_that_contradicts_itself_is_read_by_its_code() -> None:
    lie = status_pb2.Status(code=5, message="other").SerializeToString()
    problem = of_rpc(of_status(grpc.StatusCode.UNAVAILABLE, "text", ("grpc-status-details-bin", lie)))
    assert (problem.status, problem.reason) == (503, "UNAVAILABLE")


def test_a_bug_says_nothing_of_itself() -> None:
    assert b"users_email_key" not in bytes(of_bug(ValueError("users_email_key")).answer().body)
