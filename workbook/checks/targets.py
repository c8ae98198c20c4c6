"""From the word after --target to a running system: `local`, `compose`, `kubernetes`, or addresses."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from workbook.bearer import token_of_shell
from workbook.checks.commands import ordered, stopped
from workbook.checks.folders import ours, parted
from workbook.checks.parts import GATEWAY, GATEWAY_SERVICE, KAFKA, PAGES, WATCHERS, is_service, silence_of
from workbook.checks.system import CannotRestart, System

if TYPE_CHECKING:
    from workbook.part import Part
    from workbook.stack import LocalStack

MAIN_SERVICE = "booking-service"  # whom a bare HOST:PORT means
EVENT_SERVICE = "event-service"  # from phase 2 on, it says which events can be booked
_ADDRESS = re.compile(
    r"(?:(?P<service>[a-z][a-z0-9-]*)=)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})"
)
_MAX_PORT = 65535

Progress = Callable[[str], None]


class NoTarget(Exception):
    """There is nothing to check; the text says what to write or to start."""


@contextmanager
def open_target(
    phase: int,
    target: str,
    restart: str | None,
    pause: str | None = None,
    *,
    patience: float,
    within: float | None = None,
    progress: Progress,
) -> Iterator[System]:
    """The running system of a phase behind `target`, which answers calls; raises NoTarget.

    `restart` is a shell command that kills a service, whose name is in its environment as SERVICE, and starts it again;
    `pause` one that sends it the signal named SIGNAL, first STOP, then CONT. `patience` and `within` are seconds as in
    System. A system that asks who is calling gets the token in the environment variable TICKETS_TOKEN; a local one has
    its own.
    """
    with _opened(phase, target, progress) as system:
        system.patience, system.within = patience, within or patience
        system.token = system.token or token_of_shell()
        if restart:
            system.killer = lambda service: ordered(restart, service)
        if pause:
            system.pauser = lambda service: stopped(pause, service)
        _call(system, patience, progress)
        system.event_maker = _event_maker(system)
        yield system


def _call(system: System, patience: float, progress: Progress) -> None:
    """Raises NoTarget where somebody who is to answer does not."""
    for name, address in system.addresses.items():
        if is_service(name) or name == GATEWAY:
            progress(f"calling {address}")
            if why := silence_of(name, address, patience):
                raise NoTarget(why)


def addresses(target: str) -> dict[str, str]:
    """HOST:PORT by service name from `HOST:PORT` or `SERVICE=HOST:PORT,SERVICE=HOST:PORT`; raises NoTarget."""
    found = {}
    for part in target.split(","):
        match = _ADDRESS.fullmatch(part.strip())
        if match is None or not 0 < int(match["port"]) <= _MAX_PORT:
            raise NoTarget(f"{part!r} is no target: write local, compose, or HOST:PORT such as 127.0.0.1:50051")
        found[match["service"] or MAIN_SERVICE] = f"{match['host']}:{int(match['port'])}"
    return found


def _event_maker(system: System) -> Callable[[], str] | None:
    if EVENT_SERVICE not in system.addresses:
        return None
    from workbook.checks.events import made_event  # noqa: PLC0415 - as below

    return lambda: made_event(system, EVENT_SERVICE)


def _opened(phase: int, target: str, progress: Progress) -> AbstractContextManager[System]:
    if target == "local":
        return _local(phase, progress)
    if target == "kubernetes":
        return _kubernetes()
    return _compose(phase) if target == "compose" else _given(target)


@contextmanager
def _given(target: str) -> Iterator[System]:
    where, folders = parted(target)
    if missing := [f"{name}={folder}" for name, folder in folders.items() if not folder.exists()]:
        raise NoTarget(f"there is no folder {missing[0]}")
    yield System(target, addresses(where) if where or not folders else {}, folders=folders)


def _started(phase: int, progress: Progress) -> "tuple[LocalStack, str]":
    """A local stack that runs, and what it is, for people."""
    from workbook.kafka.choice import described  # noqa: PLC0415 - the services' and Kafka's code takes long to import
    from workbook.kafka.jars import NoApacheKafka  # noqa: PLC0415 - as above
    from workbook.kafka.names import UnknownBroker  # noqa: PLC0415 - as above
    from workbook.part import PartFailed  # noqa: PLC0415 - as above
    from workbook.prometheus import prometheus_runs  # noqa: PLC0415 - as above
    from workbook.stack import LocalStack  # noqa: PLC0415 - as above

    try:
        stack = LocalStack(phase, prometheus=prometheus_runs(phase), progress=progress).start()
    except (PartFailed, NoApacheKafka, UnknownBroker) as failure:
        raise NoTarget(f"the local stack did not start: {failure}") from failure
    kafka = f"; Kafka is {described(stack.kafka)}" if stack.kafka else ""
    return stack, f"local stack: {', '.join(stack.parts)}{kafka}"


@contextmanager
def _local(phase: int, progress: Progress) -> Iterator[System]:
    from workbook.admin import token_for  # noqa: PLC0415 - as below

    stack, name = _started(phase, progress)
    try:
        serving = {name: part.address for name, part in stack.parts.items() if name.endswith("-service")}
        watching = {name: stack[name].address for name in WATCHERS if name in stack.parts}
        databases = {name: stack.settings_of(name) for name in serving}
        yield System(
            name,
            {**serving, **_door(stack), **watching, **_beside(_kafka(stack), stack.metrics_addresses())},
            killer=lambda service: _kill_and_start(_part(stack, service)),
            pauser=lambda service: _paused(_part(stack, service)),
            databases=databases,
            token=token_for(stack),
            folders=ours(),
        )
    finally:
        stack.stop()


def _door(stack: "LocalStack") -> dict[str, str]:
    """Where the system is open to the world, from phase 5 on."""
    return {GATEWAY: stack[GATEWAY_SERVICE].address} if GATEWAY_SERVICE in stack.parts else {}


def _kafka(stack: "LocalStack") -> str:
    return stack.parts[KAFKA].address if KAFKA in stack.parts else stack.kafka


def _beside(kafka: str, metrics: Mapping[str, str]) -> dict[str, str]:
    """What does not speak gRPC, by its name: Kafka, and the pages for Prometheus of these services."""
    pages = {page: metrics[service] for page, service in PAGES.items() if service in metrics}
    return {KAFKA: kafka, **pages} if kafka else pages


def _part(stack: "LocalStack", name: str) -> "Part":
    if name not in stack.parts:
        raise CannotRestart(f"this stack does not run {name}")
    return stack[name]


def _kill_and_start(part: "Part") -> None:
    part.kill()
    part.start()


@contextmanager
def _paused(part: "Part") -> Iterator[None]:
    part.pause()
    try:
        yield
    finally:
        part.resume()


@contextmanager
def _compose(phase: int) -> Iterator[System]:
    from workbook.checks.compose import Compose  # noqa: PLC0415 - as above

    stack = Compose(phase)
    if problem := stack.problem():
        raise NoTarget(problem)
    found = {**stack.addresses(), **stack.gateway(), **stack.watchers(), **_beside(stack.kafka(), stack.metrics())}
    try:
        databases, token = stack.databases(), stack.token()
    except CannotRestart as failure:
        raise NoTarget(str(failure)) from failure
    yield System(
        f"compose stack: {stack.file}", found, stack.restart, stack.paused, databases, token=token, folders=ours()
    )


@contextmanager
def _kubernetes() -> Iterator[System]:
    from workbook.cluster.target import NoCluster, cluster_system  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        try:
            system = stack.enter_context(cluster_system())
        except NoCluster as problem:
            raise NoTarget(str(problem)) from problem
        yield system
