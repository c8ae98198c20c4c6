"""A phase's compose stack as a target: is it up, where does it listen, how is a service of it restarted."""

import json
import shutil
import subprocess
from typing import Any

from workbook.checks.system import CannotRestart
from workbook.phases import ROOT, phase_folders

_LIMIT = 90  # seconds for one docker command


class Compose:
    """The stack of `phaseN-*/compose.yaml`. It is looked at and never brought up or down here."""

    def __init__(self, phase: int) -> None:
        self.file = str((phase_folders()[phase] / "compose.yaml").relative_to(ROOT))

    def problem(self) -> str:
        """Why the stack cannot be checked and what to run, "" when it can."""
        if shutil.which("docker") is None:
            return "docker is not installed: install it, or check without it: --target local"
        if not (ROOT / self.file).exists():
            return f"there is no {self.file}; check without Docker: --target local"
        listed = self._docker("ps", "--format", "json")
        if listed.returncode:
            return f"docker compose does not work here: {_last_line(listed)}"
        if not self._published(listed.stdout):
            return f"the compose stack is not up; run: docker compose -f {self.file} up -d --build --wait"
        return ""

    def addresses(self) -> dict[str, str]:
        """Where each running service listens on this machine, by its name."""
        return self._published(self._docker("ps", "--format", "json").stdout)

    def restart(self, service: str) -> None:
        """SIGKILL, then up again as compose does it."""
        for command in (("kill", "-s", "SIGKILL", service), ("up", "-d", "--wait", "--no-build", service)):
            done = self._docker(*command)
            if done.returncode:
                raise CannotRestart(f"docker compose {' '.join(command)}: {_last_line(done)}")

    def _published(self, listed: str) -> dict[str, str]:
        found = {}
        for container in _containers(listed):
            ports = [port["PublishedPort"] for port in container.get("Publishers") or () if port["PublishedPort"]]
            if container["Service"].endswith("-service") and container["State"] == "running" and ports:
                found[container["Service"]] = f"127.0.0.1:{ports[0]}"
        return found

    def _docker(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = ["docker", "compose", "-f", self.file, *arguments]
        try:
            return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"no answer within {_LIMIT} s")


def _containers(listed: str) -> list[dict[str, Any]]:
    # Compose before 2.21 printed one JSON array, since then one object a line.
    lines = [json.loads(line) for line in listed.splitlines() if line.strip()]
    return [container for line in lines for container in (line if isinstance(line, list) else [line])]


def _last_line(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[-1]
