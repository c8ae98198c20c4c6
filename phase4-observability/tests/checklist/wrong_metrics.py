"""What a service can get wrong with its metrics, a mistake each or a few of a kind."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from booking_service.proto.booking_pb2 import Booking
from tests.checklist.right_metrics import BookingMetrics, written


class ShowsNoFigures(BookingMetrics):
    def page(self) -> str:
        return "<html>Welcome to the booking service</html>"


class NamesOffByOne(BookingMetrics):
    """As habits have it: in the singular, or in another unit."""

    total, seconds = "grpc_request_total", "grpc_request_duration_milliseconds"
    bookings, by_status = "booking_total", "booking_by_status"


class DeclaresCarelessly(BookingMetrics):
    """Gauges that are counters, a series that stands there twice, one that tells when another one was made, series
    that come with their first request, and three buckets.
    """

    kinds: Mapping[str, str] = {BookingMetrics.bookings: "gauge", BookingMetrics.total: "gauge"}
    buckets = (0.1, 1.0, 10.0)

    def kill(self) -> None:
        super().kill()
        self._counts = Counter()

    def lines(self) -> Iterator[str]:
        yield from super().lines()
        yield f"{self.by_status}{written({'status': 'confirmed'})} {self.there['confirmed']}"
        yield f"{self.seconds}_created{written({'side': 'server', 'method': 'other'})} 1.7e+09"


class GuessesCodes(BookingMetrics):
    """It asks for a code that is only there when a handler has chosen one, and takes every other end for a bug."""

    def raised(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        self.ended(path, "OK", seconds, request)

    def left(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        over = code == "DEADLINE_EXCEEDED"
        self.ended(path, "UNKNOWN" if over else "OK", seconds, request)


class CountsAnswersAlone(BookingMetrics):
    """What comes behind an exception is not reached."""

    def raised(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        pass

    def left(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        pass


class CountsTwice(BookingMetrics):
    """Plugged in at two places."""

    def ended(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        super().ended(path, code, seconds, request)
        super().ended(path, code, seconds, request)


class TimesCarelessly(BookingMetrics):
    """Milliseconds, of answers alone, and no bucket for those that take longer than any."""

    def ended(self, path: str, code: str, seconds: float, request: Any = None) -> None:
        super().ended(path, code, 1000 * seconds, request)
        if code != "OK":
            self._times[self.known(path)].pop()

    def histogram(self, labels: Mapping[str, str], times: list[float]) -> Iterator[str]:
        return (line for line in super().histogram(labels, times) if "+Inf" not in line)


class CountsEachBucketAlone(BookingMetrics):
    def within(self, times: list[float], end: float) -> int:
        before = max((each for each in self.buckets if each < end), default=0)
        return sum(before < time <= end for time in times)


class LabelsWhatIsSent(BookingMetrics):
    """The path as it came, and who it was."""

    def known(self, path: str) -> str:
        return path.removeprefix("/")

    def labels(self, method: str, code: str, request: Any = None) -> dict[str, str]:
        return {**super().labels(method, code), "user": getattr(request, "user_id", "")}


class TakesCancelledBack(BookingMetrics):
    """Its counter falls; and a status is the one that a booking began with."""

    def created(self, booking: Booking) -> None:
        self.made["confirmed"] += 1
        self.there["pending"] += 1

    def cancelled(self, booking: Booking) -> None:
        self.made["confirmed"] -= 1


class CountsRefusalsAsBookings(BookingMetrics):
    def refused(self, booking: Booking) -> None:
        super().refused(booking)
        self.made["confirmed"] += 1


class CountsAgain(BookingMetrics):
    """A retry is a booking; and when it starts it reads its table, and adds that to what it knew."""

    def retried(self, booking: Booking) -> None:
        self.made["confirmed"] += 1

    def kill(self) -> None:
        super().kill()
        if hasattr(self, "made"):
            self.made["confirmed"] *= 2
