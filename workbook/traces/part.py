"""The receiver as a part of the local stack."""

import sys
from pathlib import Path

from workbook.part import Part, Program
from workbook.traces.client import Traces


def traces_part(folder: Path, port: int) -> Part:
    """It keeps everything in memory: killed and started again it has no traces."""
    address = f"127.0.0.1:{port}"
    program = Program(
        argv=[sys.executable, "-m", "workbook.traces.receiver", str(port)],
        ready=lambda: _answers(address),
    )
    return Part("traces", address, program, folder / "traces.log")


def _answers(address: str) -> bool:
    try:
        Traces(address).spans(newest=0)
    except OSError:
        return False
    return True
