"""Readers of one topic as processes that a lesson can start, kill and ask what they did."""

import json
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Self

from workbook.part import Part, Program
from workbook.ports import free_port


class Members:
    """A consumer group: its members are processes (see member.py), gone with the block."""

    def __init__(self, address: str, topic: str) -> None:
        self._address = address
        self._topic = topic
        self.group = f"group-{uuid.uuid4().hex[:8]}"
        self._folder = tempfile.TemporaryDirectory(prefix="ticket-members-")
        self._handled = Path(self._folder.name, "handled.txt")
        self._parts: dict[str, Part] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for part in self._parts.values():
            part.kill()
        self._folder.cleanup()

    def join(self, name: str, *options: str) -> None:
        """Starts a member; `options` are those of member.py."""
        log = Path(self._folder.name, f"{name}.log")
        log.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "workbook.props.member", self._address, self._topic, self.group]
        program = Program([*argv, str(self._handled), *options], ready=lambda: True)
        part = self._parts[name] = Part(name, f"127.0.0.1:{free_port()}", program, log)
        part.start()

    def kill(self, name: str) -> None:
        """SIGKILL: it says goodbye to nobody."""
        self._parts.pop(name).kill()

    def shares(self) -> dict[str, list[int]]:
        """The partitions that each living member was given last."""
        return {name: _last_share(part.log) for name, part in self._parts.items()}

    def handled(self) -> list[str]:
        """Every value that some member has handled, in order."""
        return self._handled.read_text().splitlines() if self._handled.exists() else []


def _last_share(log: Path) -> list[int]:
    told = [line for line in log.read_text().splitlines() if line.startswith("[")] if log.exists() else []
    return list(json.loads(told[-1])) if told else []
