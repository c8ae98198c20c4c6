"""One run: the stack and the references side by side, in interleaved rounds, then the table, the plot, the figures."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import grpc

from bench import phase1
from bench.contender import Contender, ContenderFailed
from bench.cpu import cpu_seconds
from bench.figures import Round
from bench.machine import describe
from bench.report import Report, show
from workbook.part import Part, PartFailed, Program
from workbook.ports import free_port
from workbook.postgres import connect
from workbook.stack import LocalStack

ROUNDS = 5
PHASES = {1: phase1}
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
    with LocalStack(phase, progress=progress) as stack, echo_server(stack.folder) as echo:
        settings = stack.settings_of("booking-service")
        with connect(stack["postgres"].address, settings.db_name) as postgres:
            taking_part = PHASES[phase].contenders(stack, echo, postgres)
            measured = interleaved(taking_part, rounds, seconds, in_flight, progress)
            return Report(phase, in_flight, seconds, describe(postgres), measured, PHASES[phase].RATIOS)


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


@contextmanager
def echo_server(folder: Path) -> Iterator[Part]:
    port = free_port()
    address = f"127.0.0.1:{port}"
    program = Program([sys.executable, "-m", "bench.echo", str(port)], ready=lambda: _listens(address))
    part = Part("echo", address, program, folder / "echo.log")
    part.start()
    try:
        yield part
    finally:
        part.stop()


def _listens(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1)
        except grpc.FutureTimeoutError:
            return False
    return True


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
