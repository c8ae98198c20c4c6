"""The broker inside librdkafka as a part of the local stack: the real protocol, everything in memory."""

import sys
from pathlib import Path

from workbook.kafka.answers import answers
from workbook.part import Part, Program


def embedded_part(folder: Path, port: int) -> Part:
    """A broker on loopback; killed and started again it is empty."""
    program = Program(
        argv=[sys.executable, "-m", "workbook.kafka.inside_librdkafka", str(port)],
        ready=lambda: answers(f"127.0.0.1:{port}"),
    )
    return Part("kafka", f"127.0.0.1:{port}", program, folder / "kafka.log")
