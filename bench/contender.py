"""Who takes part: anything that can be kept busy for some seconds and says what it did."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bench.figures import Round


class ContenderFailed(Exception):
    """A call failed, or the generator did; the text carries what it said."""


class Contender(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def servers(self) -> Mapping[str, int]:
        """The processes that do the work, by part: their CPU is counted."""
        ...

    def run(self, seconds: float, in_flight: int) -> Round:
        """Keeps `in_flight` calls under way for `seconds`; raises ContenderFailed when one of them fails."""
        ...


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one kind to the server at `address`, gRPC or PostgreSQL; `load` is as bench/load.py wants it."""

    name: str
    load: str
    address: str
    servers: Mapping[str, int] = field(default_factory=dict)

    def run(self, seconds: float, in_flight: int) -> Round:
        generator = [sys.executable, "-m", "bench.load", self.load, self.address, str(seconds), str(in_flight)]
        done = subprocess.run(generator, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ContenderFailed(f"{self.name}: {done.stderr.strip()}")
        return Round(**json.loads(done.stdout))


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A contender with a concurrency of its own, whatever the others run with."""

    name: str
    contender: Contender
    in_flight: int

    @property
    def servers(self) -> Mapping[str, int]:
        return self.contender.servers

    def run(self, seconds: float, _in_flight: int) -> Round:
        return self.contender.run(seconds, self.in_flight)
