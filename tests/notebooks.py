"""A notebook run from its first cell to its last, as a test."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from workbook.phases import ROOT


def run_notebook(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "default"]
    with tempfile.TemporaryDirectory() as own:
        ran = subprocess.run(
            [*command, "--override-ini=addopts=", "--timeout=300", "--nbval-cell-timeout=120", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "WORKBOOK_PROGRESS": str(Path(own, "progress.json"))},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
