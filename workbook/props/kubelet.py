"""A small kubelet: it asks a real process as a manifest's probes say, and kills and starts it as they make it."""

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from chassis.probe import health

from workbook.part import Part, PartFailed
from workbook.props.probes import Container, Probe, pause_before, probes_of

_GLANCE = 0.02  # seconds


class Kubelet:
    """Looks after one part for the length of a block, in a thread of its own.

    Its clock runs `quicker` times as fast: so many times sooner come periods and the pauses between restarts. How long
    a probe waits for its answer, and a process for its start, stays what it is. What it has no part in: images, limits.
    """

    def __init__(self, part: Part, container: Mapping[str, Any], quicker: float) -> None:
        self._part = part
        self._probes = probes_of(container)
        self._quicker = quicker
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_after, daemon=True, name="kubelet")
        self._seen = Container(self._probes, self._now())
        self.restarts = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def addresses(self) -> list[str]:
        """Where its Service sends calls now: the pod while it is ready, else nobody."""
        return [self._part.address] if self._seen.ready else []

    def _now(self) -> float:
        return time.monotonic() * self._quicker

    def _look_after(self) -> None:
        while not self._over.wait(_GLANCE):
            for kind, probe in self._seen.due(self._now()):
                good = _good(self._part.address, probe)
                if self._seen.heard(kind, self._now(), good=good):
                    self._start_again()
                    break

    def _start_again(self) -> None:
        self.restarts += 1
        self._seen.ready = False
        self._part.kill()
        self._over.wait(pause_before(self.restarts) / self._quicker)
        with suppress(PartFailed):  # then the probes say so
            self._part.spawn()
        self._seen = Container(self._probes, self._now())


def _good(address: str, probe: Probe) -> bool:
    if probe.service is not None:
        return health(address, probe.service, probe.timeout) == "SERVING"
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), probe.timeout).close()
    except OSError:
        return False
    return True
