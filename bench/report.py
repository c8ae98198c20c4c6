"""A run's figures, as tables for people and as JSON for whoever compares runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from rich.table import Table

from bench.figures import Compared, Ratio, Round, Summary, percentile, ratio, summary
from bench.sale import Sale
from workbook.terminal import console

BUSY = 0.9  # of a core: one Python process cannot use much more than one, so from here on it may be the limit
_QUANTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)


@dataclass(frozen=True, slots=True)
class Report:
    """`rounds` by contender, in the order in which they ran; `compared` are pairs of contenders to put in ratio.

    `limits` say of some contenders what 99 % of their times should not exceed, in seconds.
    """

    phase: int
    in_flight: int
    seconds: float
    machine: Mapping[str, str | int]
    rounds: Mapping[str, Sequence[Round]]
    compared: Sequence[Compared]
    sales: Sequence[Sale] = ()
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def summaries(self) -> dict[str, Summary]:
        return {name: summary(rounds) for name, rounds in self.rounds.items()}

    @property
    def ratios(self) -> dict[str, Ratio]:
        return {pair.name: ratio(self.rounds[pair.ours], self.rounds[pair.reference]) for pair in self.compared}

    def as_json(self) -> dict[str, Any]:
        """Everything but the single latencies: their quantiles stand for them."""
        return {
            "phase": self.phase,
            "in_flight": self.in_flight,
            "seconds_a_round": self.seconds,
            "machine": dict(self.machine),
            "ratios": {name: asdict(found) for name, found in self.ratios.items()},
            "aims": {pair.name: pair.aim for pair in self.compared if pair.aim is not None},
            "limits_p99": dict(self.limits),
            "sales": [asdict(sale) for sale in self.sales],
            "summaries": {name: asdict(found) for name, found in self.summaries.items()},
            "rounds": {name: [_round(each) for each in rounds] for name, rounds in self.rounds.items()},
        }


def show(report: Report) -> None:
    console.print(" · ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim")
    console.print(_figures(report), _ratios(report), sep="\n")
    if report.sales:
        console.print(_sales(report.sales))
    for name, limit in report.limits.items():
        if name in report.rounds:
            slow = [percentile(each.latencies, 99) * 1e3 for each in report.rounds[name]]
            span = f"{min(slow):.0f} to {max(slow):.0f}"
            console.print(f"{name}: p99 {median(slow):.0f} ms, {span} by round (aim ≤ {limit * 1e3:g} ms)")
    for line in remarks(report.summaries):
        console.print(line, style="yellow")


def remarks(summaries: Mapping[str, Summary]) -> Iterator[str]:
    """What a reader must know before believing the figures: who was at its limit, and what was not measured."""
    for part in ("generator", "service"):
        busy = [f"{name} ({used:.2f})" for name, found in summaries.items() if (used := _cores(found, part)) >= BUSY]
        if busy:
            yield f"The {part} used up its core, so it may be what limits: {', '.join(busy)}."
    if not any(found.server_cpu for found in summaries.values()):
        yield "The CPU of services and PostgreSQL was not measured: that needs /proc, which only Linux has."


def _cores(found: Summary, part: str) -> float:
    return found.generator_cores if part == "generator" else found.server_cpu.get(part, 0) * found.rate


def _figures(report: Report) -> Table:
    count = len(next(iter(report.rounds.values())))
    table = Table(
        title=f"Phase {report.phase}: {report.in_flight} calls in flight, medians of {count} rounds",
        caption="generator: cores used by the load generator; the others: µs of CPU a call",
    )
    parts = dict.fromkeys(part for found in report.summaries.values() for part in found.server_cpu)
    for heading in ("", "calls/s", "p50 ms", "p99 ms", "generator", *parts):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, found in report.summaries.items():
        cpu = [f"{found.server_cpu[part] * 1e6:,.0f}" if part in found.server_cpu else "" for part in parts]
        times = f"{found.p50 * 1e3:.1f}", f"{found.p99 * 1e3:.1f}"
        table.add_row(name, f"{found.rate:,.0f}", *times, f"{found.generator_cores:.2f}", *cpu)
    return table


def _ratios(report: Report) -> Table:
    table = Table(title="Rate ÷ rate of the reference, round by round")
    for heading in ("", "median", "lowest", "highest", "aim"):
        table.add_column(heading, justify="right" if heading else "left")
    for pair, found in zip(report.compared, report.ratios.values(), strict=True):
        aim = "" if pair.aim is None else f"≥ {pair.aim:g}"
        table.add_row(pair.name, *(f"{value:.2f}" for value in (found.median, found.low, found.high)), aim)
    return table


def _sales(sales: Sequence[Sale]) -> Table:
    table = Table(
        title="A sale whose seller is killed half way and started again",
        caption="leaked: taken, and held by no booking; refused early: while enough tickets were left; lines: of code",
    )
    for heading in ("", "bookings/s", "confirmed", "oversold", "leaked", "unfinished", "refused early", "lines"):
        table.add_column(heading, justify="right" if heading else "left")
    for sale in sales:
        counts = sale.confirmed, sale.oversold, sale.leaked, sale.unfinished, sale.refused_early, sale.lines
        table.add_row(sale.name, f"{sale.rate:,.0f}", *map(str, counts))
    return table


def _round(each: Round) -> dict[str, Any]:
    return {
        "calls": each.calls,
        "seconds": each.seconds,
        "rate": each.rate,
        "latency_quantiles": {str(percent): percentile(each.latencies, percent) for percent in _QUANTILES},
        "generator_cores": each.generator_cores,
        "server_cpu_seconds": dict(each.server_cpu),
    }
