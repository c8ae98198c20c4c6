"""The system under check, as checks see it: where its services listen, and how to kill and start one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbook.checks.probe import Connection, answers_within
from workbook.checks.verdict import Wrong, not_run

RESTART_PATIENCE = 60  # seconds for a killed server to answer again
_NEEDS_RESTART = "needs --restart COMMAND, a command that kills your server and starts it again"


class CannotRestart(Exception):
    """The way to restart a service did not work; the text says why. Nothing is known about the service itself."""


@dataclass(slots=True)
class System:
    """`name` says to people what is checked; `addresses` is HOST:PORT by service name; `patience` is a call's deadline.

    `killer` kills a service by name and starts it again, None where nobody knows how. `gone` names the check in which
    the system stopped answering: the checks after it cannot be run.
    """

    name: str
    addresses: Mapping[str, str]
    killer: Callable[[str], None] | None = None
    patience: float = 5
    gone: str = ""

    def address(self, service: str) -> str:
        if service not in self.addresses:
            not_run(f"needs the address of {service}: --target {service}=HOST:PORT,…")
        return self.addresses[service]

    def needs_restart(self) -> None:
        """Ends the check without a verdict where nothing can be restarted: ask before making work for nothing."""
        if self.killer is None:
            not_run(_NEEDS_RESTART)

    def restart(self, service: str) -> None:
        """Kills the service and returns once it answers again; no verdict unless it really went away meanwhile."""
        killer, address = self.killer, self.address(service)
        if killer is None:
            not_run(_NEEDS_RESTART)
        with Connection(address) as connection:
            try:
                killer(service)
            except CannotRestart as problem:
                self._back(service, address, self.patience)
                not_run(f"could not be restarted: {problem}")
            if not connection.broke_within(self.patience):
                not_run("the restart left the server running, its connections stayed open: kill it, then start it")
        self._back(service, address, RESTART_PATIENCE)

    def _back(self, service: str, address: str, patience: float) -> None:
        if not answers_within(address, patience):
            self.gone = "the restart"
            raise Wrong(
                f"{service} did not answer at {address} within {patience:g} s of the restart",
                "make it start by itself while its database is there, and read its log for what stopped it",
            )
