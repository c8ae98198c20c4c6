"""The right metrics of a service, written by hand, so that each way to get them wrong is one short method away."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import grpc
from booking_service.proto.booking_pb2 import Booking

CODES = tuple(code.name for code in grpc.StatusCode)
BUCKETS = (0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 5.0)
OTHER = "other"


class Metrics:
    """Those of its requests. `kill` is what a killed process forgets."""

    total = "grpc_requests_total"
    seconds = "grpc_request_duration_seconds"
    buckets: tuple[float, ...] = BUCKETS
    kinds: Mapping[str, str] = {}

    def __init__(self, methods: Iterable[str]) -> None:
        self._methods = (*methods, OTHER)
        self._lock = threading.Lock()
        self.kill()

    def kill(self) -> None:
        self._counts = Counter({tuple(self.labels(m, c).items()): 0 for m in self._methods for c in CODES})
        self._times: dict[str, list[float]] = {method: [] for method in self._methods}

    def known(self, path: str) -> str:
        """The label of a method."""
        name = path.removeprefix("/")
        return name if name in self._methods else OTHER

    def labels(self, method: str, code: str, request: Any = None) -> dict[str, str]:
        return {"side": "server", "method": method, "code": code}

    def ended(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        method = self.known(path)
        with self._lock:
            self._counts[tuple(self.labels(method, code, request).items())] += 1
            self._times.setdefault(method, []).append(seconds)

    def raised(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        """It ended with a refusal, or a bug."""
        self.ended(path, code, seconds, request)

    def left(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        """Its caller did not wait for its end."""
        self.ended(path, code, seconds, request)

    def unknown(self, path: str) -> None:
        """There is no such method."""
        with self._lock:
            self._counts[tuple(self.labels(self.known(path), "UNIMPLEMENTED").items())] += 1

    def page(self) -> str:
        with self._lock:
            return "".join(f"{line}\n" for line in self.lines())

    def lines(self) -> Iterator[str]:
        yield f"# TYPE {self.total} {self.kinds.get(self.total, 'counter')}"
        for labels, count in self._counts.items():
            yield f"{self.total}{written(dict(labels))} {count}"
        yield f"# TYPE {self.seconds} {self.kinds.get(self.seconds, 'histogram')}"
        for method, times in self._times.items():
            yield from self.histogram({"side": "server", "method": method}, times)

    def histogram(self, labels: Mapping[str, str], times: list[float]) -> Iterator[str]:
        for end in self.buckets:
            yield f"{self.seconds}_bucket{written({**labels, 'le': f'{end:g}'})} {self.within(times, end)}"
        yield f"{self.seconds}_bucket{written({**labels, 'le': '+Inf'})} {len(times)}"
        yield f"{self.seconds}_count{written(labels)} {len(times)}"
        yield f"{self.seconds}_sum{written(labels)} {sum(times):.6f}"

    def within(self, times: list[float], end: float) -> int:
        return sum(time <= end for time in times)


class BookingMetrics(Metrics):
    """And those of bookings: what is in the table outlives a kill, and so does this. `tells_total` is off where a
    consumer counts them.
    """

    bookings = "bookings_total"
    by_status = "bookings_by_status"

    def __init__(self, methods: Iterable[str], *, tells_total: bool = True) -> None:
        super().__init__(methods)
        self._tells_total = tells_total
        self.made = Counter({"confirmed": 0, "cancelled": 0})
        self.there = Counter({"pending": 0, "confirmed": 0, "cancelled": 0})

    def created(self, booking: Booking) -> None:
        self.made["confirmed"] += 1
        self.there["confirmed"] += 1

    def cancelled(self, booking: Booking) -> None:
        self.made["cancelled"] += 1
        self.there.update(confirmed=-1, cancelled=1)

    def refused(self, booking: Booking) -> None:
        self.made["cancelled"] += 1
        self.there["cancelled"] += 1

    def retried(self, booking: Booking) -> None:
        pass

    def cancelled_again(self, booking: Booking) -> None:
        pass

    def lines(self) -> Iterator[str]:
        yield from super().lines()
        if self._tells_total:
            yield from self.counted(self.bookings, "counter", self.made)
        yield from self.counted(self.by_status, "gauge", self.there)

    def counted(self, name: str, kind: str, by: Mapping[str, int]) -> Iterator[str]:
        yield f"# TYPE {name} {self.kinds.get(name, kind)}"
        for status, count in by.items():
            yield f"{name}{written({'status': status})} {count}"


def written(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
