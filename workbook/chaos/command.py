"""The command: brings the stack up, lets the run loose, checks, draws, and says what was found."""

import asyncio
import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from invariants import LAWS as AT_REST
from invariants import Broken
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from workbook.chaos.checker import LAWS
from workbook.chaos.history import History
from workbook.chaos.picture import draw
from workbook.chaos.plan import faults_of
from workbook.chaos.run import ENVIRONMENT, REST, run, verdict
from workbook.part import PartFailed
from workbook.stack import LocalStack
from workbook.terminal import DONE, WRONG, console, error

PHASE = 2


def main(
    minutes: float,
    seed: int | None,
    output: Path,
    *,
    program: str | None = None,
    environment: Mapping[str, str] | None = None,
    rest: float = REST,
) -> int:
    """Runs for so many minutes; 0 if every law held. `program` and `environment` are the stack's (see stack.py)."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    folder = output / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    console.print(f"seed {seed}; what happens is written to {folder}")
    try:
        with LocalStack(PHASE, program=program, environment={**ENVIRONMENT, **(environment or {})}) as stack:
            history, broken = asyncio.run(_run_and_check(stack, seed, 60 * minutes, rest))
            _keep_logs(stack, folder)
    except PartFailed as problem:
        error(str(problem))
        return 1
    _write(history, broken, seed, minutes, folder)
    return _say(history, broken, seed, minutes)


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


def _write(history: History, broken: list[Broken], seed: int, minutes: float, folder: Path) -> None:
    history.write(folder)
    plan = [asdict(fault) for fault in faults_of(seed, 60 * minutes)]
    (folder / "plan.json").write_text(json.dumps(plan, indent=1))
    (folder / "broken.json").write_text(json.dumps([asdict(each) for each in broken], indent=1))
    title = f"Seed {seed}: {len(history.calls):,} calls, {len(history.faults)} faults, {len(broken)} broken laws"
    draw(history, title, folder / "chaos.png")


def _say(history: History, broken: list[Broken], seed: int, minutes: float) -> int:
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in history.outcomes().most_common())
    console.print(f"{len(history.calls):,} calls ({outcomes}) under {len(history.faults)} faults")
    if not broken:
        console.print(f"{DONE} every law held: {', '.join([*AT_REST, *LAWS])}")
        return 0
    for law in dict.fromkeys(each.law for each in broken):
        found = [each.what for each in broken if each.law == law]
        console.print(f"{WRONG} {law}: {(AT_REST | LAWS)[law]}\n  {len(found)} times, the first: {found[0]}")
    console.print(f"The same plan again: ./learn chaos --minutes {minutes:g} --seed {seed}")
    return 1
