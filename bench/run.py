"""One run: the stack and the references side by side, in interleaved rounds, then the table, the plot, the figures."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from bench import phase1, phase2, phase3, phase4, phase5
from bench.contender import Contender, ContenderFailed
from bench.cpu import cpu_seconds
from bench.figures import Round
from bench.machine import describe
from bench.report import Report, show
from workbook.part import PartFailed
from workbook.postgres import connect
from workbook.stack import LocalStack

ROUNDS = 5
PHASES: Mapping[int, ModuleType] = {1: phase1, 2: phase2, 3: phase3, 4: phase4, 5: phase5}
Rounds = Mapping[str, Sequence[Round]]
Progress = Callable[[str], None]


def main(phase: int | None, seconds: float, in_flight: int, output: Path) -> int:
    """Measures, prints the table, and writes phaseN.png and phaseN.json to the folder `output`; the exit status.

    Each contender runs for `seconds`, round after round, `in_flight` calls at a time; the first round is a warm-up.
    """
    if phase not in {None, *PHASES}:
        print(f"bench: nothing measures phase {phase} yet; there is {', '.join(map(str, PHASES))}", file=sys.stderr)
        return 2
    try:
        report = measure(phase or max(PHASES), seconds, in_flight, ROUNDS, _say)
    except (ContenderFailed, PartFailed) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    show(report)
    output.mkdir(parents=True, exist_ok=True)
    figures, picture = output / f"phase{report.phase}.json", output / f"phase{report.phase}.png"
    figures.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    from bench.plot import draw  # noqa: PLC0415 - matplotlib takes a second to import

    draw(report, picture)
    print(f"\nfigures: {figures}\nplot:    {picture}")
    return 0


def measure(phase: int, seconds: float, in_flight: int, rounds: int, progress: Progress) -> Report:
    module = PHASES[phase]
    open_stack = getattr(module, "open_stack", _own_stack)
    with open_stack(phase, progress) as stack, connect(stack["postgres"].address) as postgres:
        with module.contenders(stack) as taking_part:
            measured = interleaved(taking_part, rounds, seconds, in_flight, progress)
        sales = module.sales(stack, in_flight, progress) if hasattr(module, "sales") else ()
        limits = getattr(module, "LIMITS", {})
        return Report(phase, in_flight, seconds, describe(postgres), measured, module.RATIOS, sales, limits)


def _own_stack(phase: int, progress: Progress) -> LocalStack:
    return LocalStack(phase, progress=progress)


def interleaved(
    contenders: Sequence[Contender], rounds: int, seconds: float, in_flight: int, progress: Progress
) -> Rounds:
    """The rounds of each contender by name, without the first: all take their turn before anyone's next."""
    measured: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        for contender in contenders:
            outcome = one_round(contender, seconds, in_flight)
            kind = f"round {number} of {rounds - 1}" if number else "warm-up"
            progress(f"{kind}: {contender.name} {outcome.rate:,.0f}/s")
            if number:
                measured[contender.name].append(outcome)
    return measured


def one_round(contender: Contender, seconds: float, in_flight: int) -> Round:
    before = cpu_seconds(contender.servers)
    outcome = contender.run(seconds, in_flight)
    after = cpu_seconds(contender.servers)
    used = {part: after[part] - before[part] for part in after.keys() & before.keys()}
    return replace(outcome, server_cpu=used)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
