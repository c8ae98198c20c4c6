"""What was measured, and the arithmetic on it. Seconds everywhere; medians over rounds, because machines are noisy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one contender: `calls` answered in `seconds`, each one's latency, and the CPU it cost.

    `generator_cpu` and the values of `server_cpu` (by part) are seconds of CPU time; a part that could not be measured
    is missing.
    """

    calls: int
    seconds: float
    latencies: Sequence[float]
    generator_cpu: float
    server_cpu: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    @property
    def generator_cores(self) -> float:
        """CPU of the load generator, in cores."""
        return self.generator_cpu / self.seconds


@dataclass(frozen=True, slots=True)
class Summary:
    """A contender over all its rounds; `server_cpu` is seconds of CPU a call, by part."""

    rate: float
    p50: float
    p99: float
    generator_cores: float
    server_cpu: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One contender's rate divided by another's: the median over rounds run side by side, the lowest, the highest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Two contenders to put in ratio, and what the ratio should reach, where somebody has said so."""

    ours: str
    reference: str
    aim: float | None = None

    @property
    def name(self) -> str:
        return f"{self.ours} ÷ {self.reference}"


def summary(rounds: Sequence[Round]) -> Summary:
    return Summary(
        rate=median(each.rate for each in rounds),
        p50=median(percentile(each.latencies, 50) for each in rounds),
        p99=median(percentile(each.latencies, 99) for each in rounds),
        generator_cores=median(each.generator_cores for each in rounds),
        server_cpu={
            part: median(each.server_cpu[part] / each.calls for each in rounds) for part in rounds[0].server_cpu
        },
    )


def ratio(ours: Sequence[Round], reference: Sequence[Round]) -> Ratio:
    """Compared round by round: what slowed the machine for a while slowed both."""
    each = [mine.rate / theirs.rate for mine, theirs in zip(ours, reference, strict=True)]
    return Ratio(median(each), min(each), max(each))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` per cent of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(0, int(rank) - 1)]
