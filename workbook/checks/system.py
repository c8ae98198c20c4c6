"""The system under check, as checks see it: where its parts listen, and how to kill and start one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from workbook.bearer import Token, with_token
from workbook.checks.parts import answers_within, connection_to, silence_of
from workbook.checks.probe import open_channel
from workbook.checks.verdict import Wrong, not_run

if TYPE_CHECKING:  # the services' code takes long to import
    from chassis.settings import PostgresSettings

RESTART_PATIENCE = 60  # seconds for a killed server to answer again
_SILENCE = 0.3  # seconds without an answer are a pause
_NEEDS_RESTART = "needs --restart COMMAND, a command that kills your server and starts it again"
_NEEDS_PAUSE = "needs --pause COMMAND, a command that sends $SIGNAL, STOP or CONT, to your $SERVICE"
_NEEDS_DATABASES = "needs the databases: --target local, or compose"


class CannotRestart(Exception):
    """The way to restart or pause a service did not work; the text says why. Nothing is known about the service."""


@dataclass(slots=True)
class System:
    """`name` says to people what is checked; `addresses` is HOST:PORT by name; `patience` is a call's deadline,
    `within` how long what follows from a call may take to show, in seconds: a message, a figure, a trace.

    `killer` kills a service by name and starts it again, `pauser` holds one up inside its block; None where nobody
    knows how. `databases` says where services keep their data, for laws that no answer shows. `gone` names the check
    in which the system stopped answering: the checks after it cannot be run. `event_maker` makes an event that can be
    booked and returns its id; None where the system, as far as is known, takes any id for an event. `token` gives an
    admin's, None where nobody is asked who they are. `folders` says where it is described: manifests, workflows.
    `kubectl` asks the cluster that it runs in, with kubectl's arguments; None where it runs in none.
    """

    name: str
    addresses: Mapping[str, str]
    killer: Callable[[str], None] | None = None
    pauser: Callable[[str], AbstractContextManager[None]] | None = None
    databases: Mapping[str, "PostgresSettings"] = field(default_factory=dict)
    patience: float = 5
    within: float = 5
    gone: str = ""
    event_maker: Callable[[], str] | None = None
    token: Token | None = None
    folders: Mapping[str, Path] = field(default_factory=dict)
    kubectl: Callable[..., str] | None = None

    def channel(self, service: str) -> grpc.Channel:
        """A new channel to the service, that carries the token; close it with `with`."""
        return with_token(open_channel(self.address(service)), self.token)

    def address(self, service: str) -> str:
        if service not in self.addresses:
            not_run(f"needs the address of {service}: --target {service}=HOST:PORT,…")
        return self.addresses[service]

    def folder(self, name: str) -> Path:
        if name not in self.folders:
            not_run(f"needs a folder of {name}: --target {name}=FOLDER,…")
        return self.folders[name]

    def needs_restart(self) -> None:
        """Ends the check without a verdict where nothing can be restarted: ask before making work for nothing."""
        if self.killer is None:
            not_run(_NEEDS_RESTART)

    def database(self, service: str) -> "PostgresSettings":
        if service not in self.databases:
            not_run(_NEEDS_DATABASES)
        return self.databases[service]

    def needs_pause(self) -> None:
        """As `needs_restart`, for a pause."""
        if self.pauser is None:
            not_run(_NEEDS_PAUSE)

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """The service is there and does not answer, inside the block; no verdict unless it really falls silent."""
        pauser, address = self.pauser, self.address(service)
        if pauser is None:
            not_run(_NEEDS_PAUSE)
        try:
            with pauser(service):
                if not silence_of(service, address, _SILENCE):
                    not_run("the pause left the server answering: stop its process with SIGSTOP")
                yield
        except CannotRestart as problem:
            not_run(f"could not be paused: {problem}")
        self._back(service, address, self.patience, "pause")

    def restart(self, service: str) -> None:
        """Kills the service and returns once it answers again; no verdict unless it really went away meanwhile."""
        killer, address = self.killer, self.address(service)
        if killer is None:
            not_run(_NEEDS_RESTART)
        with connection_to(service, address) as connection:
            try:
                killer(service)
            except CannotRestart as problem:
                self._back(service, address, self.patience, "restart")
                not_run(f"could not be restarted: {problem}")
            if not connection.broke_within(self.patience):
                not_run("the restart left the server running, its connections stayed open: kill it, then start it")
        self._back(service, address, RESTART_PATIENCE, "restart")

    def _back(self, service: str, address: str, patience: float, what: str) -> None:
        if not answers_within(service, address, patience):
            self.gone = f"the {what}"
            raise Wrong(
                f"{service} did not answer at {address} within {patience:g} s of the {what}",
                "make it start by itself while its database is there, and read its log for what stopped it",
            )
