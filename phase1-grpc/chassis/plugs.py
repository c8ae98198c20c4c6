"""What later phases plug into a service, whatever it does: the app passes it on to the places where it belongs."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from chassis.postgres import Database


@dataclass(frozen=True, slots=True)
class Plugs:
    """Nothing is plugged in by default.

    `database` is used instead of the service's own, which is made of its settings. `outside` and `inside` are described
    at chassis/server.py; `calling` stands around the calls to other services.
    """

    database: Database | None = None
    outside: Sequence[grpc.aio.ServerInterceptor] = ()
    inside: Sequence[grpc.aio.ServerInterceptor] = ()
    calling: Sequence[grpc.aio.ClientInterceptor] = ()


NOTHING = Plugs()
