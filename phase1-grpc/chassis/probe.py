"""Asks a server for its health, over gRPC or HTTP, for whoever watches it from outside: `python -m chassis.probe`.

Exit status 0 means SERVING, anything else that it is not, or that nobody answered.
"""

import argparse
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from http import HTTPStatus

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

# A proxy in the environment is for what is outside the system, and would answer in the server's place.
_STRAIGHT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def health(address: str, service: str = "", timeout: float = 1) -> str:
    """What the server says of `service`: SERVING, NOT_SERVING, …; or the gRPC status it failed with. Never raises.

    "" asks for the process as a whole, a service's full name (`booking.BookingService`) whether it can do its work.
    An address that begins with http:// is asked over HTTP, and whatever is not 200 is NOT_SERVING. `timeout` is in
    seconds.
    """
    if address.startswith("http://"):
        return _over_http(address, timeout)
    question = health_pb2.HealthCheckRequest(service=service)
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(question, timeout=timeout)
        except grpc.RpcError as error:
            status: grpc.StatusCode = error.code()
            return status.name
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def _over_http(address: str, timeout: float) -> str:
    try:
        with _STRAIGHT.open(address, timeout=timeout) as answer:
            return "SERVING" if answer.status == HTTPStatus.OK else "NOT_SERVING"
    except urllib.error.HTTPError as answer:
        answer.close()
        return "NOT_SERVING"
    except (OSError, http.client.HTTPException):
        return "UNAVAILABLE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the answer; 0 for SERVING, else 1."""
    port = os.environ.get("GRPC_PORT", "50051")
    parser = argparse.ArgumentParser(
        prog="python -m chassis.probe", description="Ask a server for its health; exit status 0 means SERVING."
    )
    parser.add_argument(
        "address", nargs="?", default=f"127.0.0.1:{port}", help="HOST:PORT or http://… (default: %(default)s)"
    )
    parser.add_argument("service", nargs="?", default="", help="full name of a service (default: the whole process)")
    parser.add_argument("--timeout", type=float, default=2, help="seconds (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    said = health(chosen.address, chosen.service, chosen.timeout)
    print(f"{chosen.address} {chosen.service or 'process'}: {said}")  # noqa: T201 - `docker inspect` shows this line
    return 0 if said == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
