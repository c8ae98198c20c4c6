"""A Redis of the tests' own, in a container, that can be killed and frozen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.waiting import until
from workbook.compose import run
from workbook.needs import REDIS
from workbook.part import PartFailed
from workbook.ports import free_port


@dataclass(frozen=True)
class Counter:
    """The port stays the same through its deaths; what it has counted does not."""

    name: str
    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def kill(self) -> None:
        run(["docker", "kill", self.name])

    def start(self) -> None:
        run(["docker", "start", self.name])
        until(self._answers)

    def pause(self) -> None:
        """Connections stay open, and nothing answers."""
        run(["docker", "pause", self.name])

    def resume(self) -> None:
        run(["docker", "unpause", self.name])

    def _answers(self) -> bool:
        try:
            return run(["docker", "exec", self.name, "redis-cli", "ping"]) == "PONG"
        except PartFailed:
            return False


@contextmanager
def running_counter() -> Iterator[Counter]:
    counter = Counter(f"ticket-workbook-redis-{os.getpid()}", free_port())
    try:
        run(["docker", "create", "--name", counter.name, "--publish", f"127.0.0.1:{counter.port}:6379", REDIS])
        counter.start()
        yield counter
    finally:
        run(["docker", "rm", "--force", "--volumes", counter.name])
