"""`./learn up`: the system on this machine until Ctrl-C."""

import signal
import sys
import time
from types import FrameType

from rich.table import Table

from workbook.admin import EMAIL, PASSWORD, token_for
from workbook.bearer import TOKEN, Token
from workbook.counted import show_counted
from workbook.demo import BOOKING, demo
from workbook.kafka.choice import described
from workbook.kafka.jars import NoApacheKafka
from workbook.kafka.names import UnknownBroker
from workbook.needs import missing
from workbook.part import PartFailed, State
from workbook.phases import newest_phase
from workbook.ports import PortsTaken
from workbook.prometheus import prometheus_runs, rule_files
from workbook.stack import LocalStack
from workbook.terminal import NOT_RUN, console, error
from workbook.told import ENDPOINT

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # a closed terminal or a polite kill is like Ctrl-C


def main(phase: int | None, *, free_ports: bool, once: bool, kafka: str | None) -> int:
    for number in _ENDS:
        signal.signal(number, _interrupt)
    began = time.monotonic()
    try:
        stack = LocalStack(
            phase,
            standard_ports=not free_ports,
            kafka=kafka,
            prometheus=prometheus_runs(phase or newest_phase()),
            progress=lambda step: console.print(f"[dim]· {step}[/]"),
        )
        with stack:
            try:
                _run(stack, time.monotonic() - began, once=once)
            finally:
                _hear_no_more()
    except (PortsTaken, PartFailed, NoApacheKafka, UnknownBroker) as problem:
        error(str(problem))
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped; nothing is left behind")
    return 0


def _run(stack: LocalStack, seconds: float, *, once: bool) -> None:
    _show(stack, seconds)
    events = stack["event-service"].address if "event-service" in stack.parts else None
    token = token_for(stack)
    event_id = demo(stack["booking-service"].address, events, token)
    if stack.kafka:
        show_counted(stack)
    _show_box_office(stack)
    _show_watchers(stack)
    _show_how_to_talk(stack, event_id, token)
    if not once:
        _stay(stack)


def _show(stack: LocalStack, seconds: float) -> None:
    table = Table("part", "address", "pid", box=None, pad_edge=False, header_style="dim")
    for name, part in stack.parts.items():
        table.add_row(name, part.address, str(part.pid))
    console.print(f"[bold]Phase {stack.phase} runs on this machine[/], up in {seconds:.1f} s; logs in {stack.folder}\n")
    console.print(table)
    if stack.kafka:
        console.print(f"\nKafka is {described(stack.kafka)}", soft_wrap=True)


def _show_box_office(stack: LocalStack) -> None:
    if "api-gateway" in stack.parts:
        console.print(f"\nBox office: http://{stack['api-gateway'].address}/", soft_wrap=True)
        console.print(f"  {EMAIL} puts events on sale there: choose the password before, as {PASSWORD}", soft_wrap=True)


def _show_watchers(stack: LocalStack) -> None:
    """Where figures and traces are; says so when they are not taken."""
    if not rule_files(stack.phase):
        return
    if "prometheus" in stack.parts:
        console.print(f"\nPrometheus: http://{stack['prometheus'].address}/query", soft_wrap=True)
    else:
        console.print(f"\n{NOT_RUN} Prometheus is not run: {missing('prometheus')}", soft_wrap=True)
    traces = f"http://{stack['traces'].address}/spans" if "traces" in stack.parts else f"where {ENDPOINT} says"
    console.print(f"Traces: {traces}", soft_wrap=True)


def _show_how_to_talk(stack: LocalStack, event_id: str, token: Token | None) -> None:
    address = stack["booking-service"].address
    console.print("\n[bold]Talk to it[/] from another terminal:")
    if token:
        console.print(f"  export {TOKEN}={token()}   # an admin's, good for some minutes", soft_wrap=True)
    console.print(f"  ./learn call {address}", soft_wrap=True)
    request = f'{{"user_id": "ada", "event_id": "{event_id}", "ticket_count": 2}}'
    console.print(f"  ./learn call {address} {BOOKING}/CreateBooking '{request}'", soft_wrap=True)
    database = stack["postgres"].address
    console.print(f"  psql postgresql://postgres:1234@{database}/booking_db -c 'TABLE bookings'", soft_wrap=True)


def _stay(stack: LocalStack) -> None:
    console.print("\nRunning until Ctrl-C.")
    gone: set[str] = set()
    while True:
        time.sleep(0.5)
        for name, part in stack.parts.items():
            if part.state is State.STOPPED and name not in gone:
                gone.add(name)
                error(f"{name} has ended; the end of its log:\n{part.log_tail()}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    _hear_no_more()
    sys.stdout.flush()
    raise KeyboardInterrupt


def _hear_no_more() -> None:
    """The stack is being stopped: a second Ctrl-C would leave half of it behind."""
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
