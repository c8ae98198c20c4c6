"""A run's figures, as a table for people and as JSON for whoever compares runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from bench.figures import Ratio, Round, Summary, percentile, ratio, summary
from workbook.terminal import console

BUSY = 0.9  # of a core: from here on the load generator may be what was measured
_QUANTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)


@dataclass(frozen=True, slots=True)
class Report:
    """`rounds` by contender, in the order in which they ran; `compared` are pairs of contenders to put in ratio."""

    phase: int
    in_flight: int
    seconds: float
    machine: Mapping[str, str | int]
    rounds: Mapping[str, Sequence[Round]]
    compared: Sequence[tuple[str, str]]

    @property
    def summaries(self) -> dict[str, Summary]:
        return {name: summary(rounds) for name, rounds in self.rounds.items()}

    @property
    def ratios(self) -> dict[str, Ratio]:
        return {
            f"{ours} ÷ {reference}": ratio(self.rounds[ours], self.rounds[reference])
            for ours, reference in self.compared
        }

    def as_json(self) -> dict[str, Any]:
        """Everything but the single latencies: their quantiles stand for them."""
        return {
            "phase": self.phase,
            "in_flight": self.in_flight,
            "seconds_a_round": self.seconds,
            "machine": dict(self.machine),
            "ratios": {name: asdict(found) for name, found in self.ratios.items()},
            "summaries": {name: asdict(found) for name, found in self.summaries.items()},
            "rounds": {name: [_round(each) for each in rounds] for name, rounds in self.rounds.items()},
        }


def show(report: Report) -> None:
    console.print(" · ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim")
    console.print(_figures(report), _ratios(report), sep="\n")
    for line in warnings(report):
        console.print(line, style="yellow")


def warnings(report: Report) -> Iterator[str]:
    """What a reader must know before believing the figures."""
    busy = [name for name, found in report.summaries.items() if found.generator_share >= BUSY]
    if busy:
        yield f"The load generator had a core to itself and used it up in: {', '.join(busy)}. It was the limit there."
    if not any(found.server_cpu for found in report.summaries.values()):
        yield "The servers' CPU was not measured: that needs /proc, which only Linux has."


def _figures(report: Report) -> Table:
    few = len(next(iter(report.rounds.values())))
    table = Table(title=f"Phase {report.phase}, {report.in_flight} calls in flight, median of {few} rounds")
    for heading in ("", "calls/s", "p50 ms", "p99 ms", "generator cores", "server CPU µs a call"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, found in report.summaries.items():
        cpu = (
            " + ".join(f"{used * 1e6:,.0f} {part.removesuffix('-service')}" for part, used in found.server_cpu.items())
            or "not measured"
        )
        times = f"{found.p50 * 1e3:.1f}", f"{found.p99 * 1e3:.1f}"
        table.add_row(name, f"{found.rate:,.0f}", *times, f"{found.generator_share:.2f}", cpu)
    return table


def _ratios(report: Report) -> Table:
    table = Table(title="Ratios of rates, round by round")
    for heading in ("", "median", "lowest", "highest"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, found in report.ratios.items():
        table.add_row(name, *(f"{value:.2f}" for value in (found.median, found.low, found.high)))
    return table


def _round(each: Round) -> dict[str, Any]:
    return {
        "calls": each.calls,
        "seconds": each.seconds,
        "rate": each.rate,
        "latency_quantiles": {str(percent): percentile(each.latencies, percent) for percent in _QUANTILES},
        "generator_cores": each.generator_share,
        "server_cpu_seconds": dict(each.server_cpu),
    }
