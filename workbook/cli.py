"""The command line. Each command's code is imported when it runs: `--help` stays quick."""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from workbook.cluster.command import add_cluster
from workbook.data import add_data
from workbook.kafka.command import add_kafka
from workbook.kafka.names import broker_name
from workbook.terminal import error

Runner = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    chosen = parser().parse_args(arguments)
    runner: Runner = chosen.runner
    try:
        return runner(chosen)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `./learn … | head`
        return 0
    except OSError as problem:
        error(_plainly(problem))
        return 1


def parser() -> argparse.ArgumentParser:
    """The whole command line, also read by the test that proves each command in the READMEs."""
    root = argparse.ArgumentParser(
        prog="./learn",
        description="Learn microservices by building an online ticket booking system, phase by phase.",
        epilog="Start with `./learn up`. Each command explains itself: ./learn COMMAND --help",
    )
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _lessons(commands)
    _system(commands)
    add_data(commands)
    add_kafka(commands)
    add_cluster(commands)
    _proof(commands)
    _maintenance(commands)
    return root


def _lessons(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    lab = commands.add_parser("lab", help="open the lessons in JupyterLab")
    lab.add_argument("--port", type=int, default=8888, help="JupyterLab's port (default: 8888, or the next free one)")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.set_defaults(runner=lambda chosen: _run("lab", port=chosen.port, browser=not chosen.no_browser))

    listed = commands.add_parser("list", help="all tasks and how far you are")
    listed.set_defaults(runner=lambda _: _desk().show_board())

    for name, about in (("hint", "the next of a task's three hints"), ("solution", "a solution to compare with yours")):
        one = commands.add_parser(name, help=about)
        one.add_argument("task", metavar="N.M", help="the task, such as 1.3")
    commands.choices["hint"].set_defaults(runner=lambda chosen: _desk().show_hint(chosen.task))
    commands.choices["solution"].set_defaults(runner=lambda chosen: _desk().show_solution(chosen.task))

    reset = commands.add_parser("reset", help="put a lesson or a task back to how it came; backs up first")
    reset.add_argument("name", metavar="N[.M]", help="a lesson such as 1, or a task such as 1.3")
    reset.set_defaults(runner=lambda chosen: _desk().reset(chosen.name))


def _system(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = commands.add_parser("up", help="run the system on this machine until Ctrl-C", description=_UP)
    up.add_argument("--phase", type=_phase, metavar="N", help="the system as of phase N (default: the newest)")
    up.add_argument("--free-ports", action="store_true", help="use any free ports instead of the standard ones")
    up.add_argument("--once", action="store_true", help="stop after the demo instead of staying up")
    up.add_argument("--kafka", type=broker_name, metavar="BROKER", help=_KAFKA)
    up.set_defaults(runner=lambda c: _run("up", c.phase, free_ports=c.free_ports, once=c.once, kafka=c.kafka))

    call = commands.add_parser("call", help="call a gRPC method with JSON", description=_CALL)
    call.add_argument("address", metavar="HOST:PORT", help="where the server listens, such as 127.0.0.1:50051")
    call.add_argument("method", nargs="?", metavar="SERVICE/METHOD", help="without it: list what the server offers")
    call.add_argument("request", nargs="?", default="{}", metavar="JSON", help="the request (default: {})")
    call.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="the deadline (default: 10)")
    call.set_defaults(runner=lambda c: _run("call", c.address, c.method, c.request, c.timeout))


def _proof(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    test = commands.add_parser("test", help="prove everything there is to prove", description=_TEST)
    test.add_argument("--only", action="append", metavar="STAGE", help="run only this stage (may be repeated)")
    test.add_argument("pytest", nargs="*", metavar="PYTEST_ARGUMENT", help="after `--`: arguments for pytest")
    test.set_defaults(runner=lambda chosen: _run("prove", chosen.only, chosen.pytest))

    check = commands.add_parser(
        "check", help="a phase's checklist as a board, one task, or the laws", description=_CHECK
    )
    check.add_argument(
        "what", nargs="?", metavar="N[.M]", help="a phase (default: the newest), a task such as 1.3, or `laws`"
    )
    check.add_argument("--target", default="local", metavar="TARGET", help=_TARGETS)
    check.add_argument("--restart", metavar="COMMAND", help="kills and restarts your $SERVICE: does data last?")
    check.add_argument("--pause", metavar="COMMAND", help="sends $SIGNAL to your $SERVICE: 'kill -$SIGNAL $(cat pid)'")
    check.add_argument("--as-of", type=_phase, metavar="N", help="check this later phase's stack (default: its own)")
    check.add_argument("--deadline", type=float, default=5, metavar="SECONDS", help="for each call (default: 5)")
    check.add_argument("--watch", action="store_true", help="for a task: check again at each save until it passes")
    check.set_defaults(runner=_check)

    bench = commands.add_parser("bench", help="measure speed, as ratios in one run", description=_BENCH)
    bench.add_argument("--phase", type=_phase, metavar="N", help="the phase to measure (default: the newest)")
    bench.add_argument("--seconds", type=float, default=2, help="length of each round (default: 2)")
    bench.add_argument("--in-flight", type=int, default=32, metavar="CALLS", help="calls at once (default: 32)")
    bench.add_argument("--output", type=Path, default=Path(".learn/bench"), help="where plot and figures go")
    bench.set_defaults(runner=lambda c: _run("bench.run", c.phase, c.seconds, c.in_flight, c.output, package=""))

    chaos = commands.add_parser("chaos", help="a random run while parts die, then a proof", description=_CHAOS)
    chaos.add_argument("--minutes", type=_positive, default=1, metavar="N", help="length of the run (default: 1)")
    chaos.add_argument("--seed", type=int, metavar="S", help="the plan of faults and calls (default: a new one)")
    chaos.add_argument("--output", type=Path, default=Path(".learn/chaos"), help="where history and picture go")
    chaos.set_defaults(runner=lambda c: _run("chaos.command", c.minutes, c.seed, c.output))


def _maintenance(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser("doctor", help="look at this machine: what works, what is missing")
    doctor.set_defaults(runner=lambda _: _run("doctor"))

    build = commands.add_parser("build", help="make notebooks, and pages for instructors, from the lessons")
    build.add_argument("lesson", nargs="*", metavar="LESSON", help="only these, such as phase1_grpc (default: all)")
    build.add_argument("--check", action="store_true", help="only say whether notebooks and pages are up to date")
    build.set_defaults(runner=lambda chosen: _run("lesson.build", chosen.lesson, check=chosen.check))

    proto = commands.add_parser("proto", help="generate the gRPC code from the .proto files")
    proto.add_argument("--check", action="store_true", help="only say whether the committed code is up to date")
    proto.set_defaults(runner=lambda chosen: _run("proto", check=chosen.check))

    lock = commands.add_parser("lock", help="pin the packages anew (needs the network)")
    lock.add_argument("--check", action="store_true", help="only say whether the locks cover what is asked for")
    lock.set_defaults(runner=lambda chosen: _run("lock", check=chosen.check))


def _check(chosen: argparse.Namespace) -> int:
    what = chosen.what
    if what == "laws":
        return _run("laws")
    if what is not None and "." in what:
        return int(_desk().check_task(what, watch=chosen.watch))
    try:
        phase = None if what is None else _phase(what)
    except argparse.ArgumentTypeError as problem:
        error(str(problem))
        return 2
    return _run("checklist", phase, chosen.target, chosen.restart, chosen.pause, chosen.as_of, chosen.deadline)


def _desk() -> Any:
    return import_module("workbook.lesson.desk")


def _run(module: str, *arguments: object, package: str = "workbook.", **options: object) -> int:
    status: int = import_module(f"{package}{module}").main(*arguments, **options)
    return status


def _phase(text: str) -> int:
    from workbook.phases import phase_folders  # noqa: PLC0415 - only when asked for: it imports the services' code

    known = phase_folders()
    if not text.isdecimal() or int(text) not in known:
        raise argparse.ArgumentTypeError(f"there is no phase {text}; there is {', '.join(map(str, known))}")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < _A_DAY:
        raise argparse.ArgumentTypeError(f"must be a number of minutes above 0, less than a day; not {text}")
    return number


def _plainly(problem: OSError) -> str:
    if problem.errno == _DISK_FULL:
        return "the disk is full; free some space and run it again"
    return f"{problem.strerror or problem}{f': {problem.filename}' if problem.filename else ''}"


_DISK_FULL = 28
_A_DAY = 24 * 60  # minutes
_UP = "Starts PostgreSQL and the services on this machine, migrates, shows a live demo, and stays up until Ctrl-C."
_KAFKA = "from phase 3 on: apache, embedded, or HOST:PORT of one that runs (default: apache where it is here)"
_CALL = "Calls any gRPC server that has reflection; without SERVICE/METHOD it lists what the server offers."
_TEST = "Runs lint, types, the import contract, the generated code, the locks and all tests. Exit status 0: all green."
_CHECK = (
    "Runs a phase's checklist against a target: the local stack, the compose stack, a cluster, or your own server; "
    "where that asks who is calling, put an admin's token into TICKETS_TOKEN. "
    "`laws` reads the databases of a running system and says which law is broken where."
)
_TARGETS = "local (default), compose, kubernetes, HOST:PORT, or NAME=HOST:PORT,…; in phase 5 also manifests=FOLDER,…"
_BENCH = "Measures the services against a bare gRPC echo and pgbench in one run, and draws a plot."
_CHAOS = """Clients book, cancel and read while the parts of the newest phase are killed, paused and restarted; then the
laws are proved. The seed repeats the plan: what is done to whom, and when; not how the machine interleaves it."""
