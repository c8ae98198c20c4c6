"""The command: brings the stack up, lets the run loose, checks, draws, and says what was found."""

import asyncio
import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from counting_laws import LAWS as COUNTING_LAWS
from invariants import LAWS as LAWS_BEFORE
from invariants import Broken
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from workbook.chaos.checker import LAWS
from workbook.chaos.history import History
from workbook.chaos.picture import draw
from workbook.chaos.plan import faults_of
from workbook.chaos.run import ENVIRONMENT, REST, parts_of, run, verdict
from workbook.part import PartFailed
from workbook.phases import newest_phase
from workbook.stack import LocalStack
from workbook.terminal import DONE, WRONG, console, error


def main(
    minutes: float,
    seed: int | None,
    output: Path,
    *,
    phase: int | None = None,
    program: str | None = None,
    environment: Mapping[str, str] | None = None,
    rest: float = REST,
) -> int:
    """Runs for so many minutes; 0 if every law held. `phase` is the newest one, `program` and `environment` are the
    stack's (see stack.py).
    """
    phase = phase or newest_phase()
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    folder = output / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    console.print(f"seed {seed}; what happens is written to {folder}")
    try:
        with LocalStack(phase, program=program, environment={**ENVIRONMENT, **(environment or {})}) as stack:
            parts, laws = parts_of(stack), {**(COUNTING_LAWS if stack.kafka else LAWS_BEFORE), **LAWS}
            console.print(f"phase {phase}; faults befall {', '.join(parts)}")
            history, broken = asyncio.run(_run_and_check(stack, seed, 60 * minutes, rest))
            _keep_logs(stack, folder)
    except PartFailed as problem:
        error(str(problem))
        return 1
    plan = [asdict(fault) for fault in faults_of(seed, 60 * minutes, parts)]
    (folder / "plan.json").write_text(json.dumps(plan, indent=1))
    _write(history, broken, seed, folder)
    return _say(history, broken, laws, f"./learn chaos --minutes {minutes:g} --seed {seed}")


async def _run_and_check(stack: LocalStack, seed: int, seconds: float, rest: float) -> tuple[History, list[Broken]]:
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=seconds)

        def show(history: History) -> None:
            said = f"{len(history.calls):,} calls, {len(history.faults)} faults"
            bar.update(task, completed=history.now(), description=said)

        history = await run(stack, seed, seconds, show)
    console.print("everything is up again; waiting until it has come to rest")
    return history, await verdict(stack, history, rest)


def _keep_logs(stack: LocalStack, folder: Path) -> None:
    for part in stack.parts.values():
        shutil.copyfile(part.log, folder / part.log.name)


def _write(history: History, broken: list[Broken], seed: int, folder: Path) -> None:
    history.write(folder)
    (folder / "broken.json").write_text(json.dumps([asdict(each) for each in broken], indent=1))
    title = f"Seed {seed}: {len(history.calls):,} calls, {len(history.faults)} faults, {len(broken)} broken laws"
    draw(history, title, folder / "chaos.png")


def _say(history: History, broken: list[Broken], laws: Mapping[str, str], again: str) -> int:
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in history.outcomes().most_common())
    console.print(f"{len(history.calls):,} calls ({outcomes}) under {len(history.faults)} faults")
    if not broken:
        console.print(f"{DONE} every law held: {', '.join(laws)}")
        return 0
    for law in dict.fromkeys(each.law for each in broken):
        found = [each.what for each in broken if each.law == law]
        console.print(f"{WRONG} {law}: {laws[law]}\n  {len(found)} times, the first: {found[0]}")
    console.print(f"The same plan again: {again}")
    return 1
