"""`./learn doctor`: looks at this machine and says what works, what is missing, and what that would give."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from workbook.kafka.choice import LIMITS, described
from workbook.kafka.jars import NoApacheKafka, find_apache
from workbook.needs import missing
from workbook.part import PartFailed
from workbook.phases import ROOT
from workbook.ports import STANDARD, is_free
from workbook.postgres import postgres_version
from workbook.terminal import DONE, NOT_RUN, WRONG, console

_GIGABYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the board; `needed` tells whether the workbook works without it."""

    good: bool
    text: str
    needed: bool = True


def main() -> int:
    findings = [look() for look in LOOKS]
    for finding in findings:
        mark = DONE if finding.good else WRONG if finding.needed else NOT_RUN
        console.print(f"{mark} {finding.text}", soft_wrap=True)
    broken = [finding for finding in findings if finding.needed and not finding.good]
    console.print("Something needed is missing: see ✗ above." if broken else "Ready: try ./learn up")
    return 1 if broken else 0


def _system() -> Finding:
    known = platform.system() in {"Linux", "Darwin"}
    advice = "" if known else ": on Windows use WSL 2 (pausing and killing parts needs POSIX signals)"
    return Finding(known, f"{platform.system()} {platform.machine()}, Python {sys.version.split()[0]}{advice}")


def _disk() -> Finding:
    free = shutil.disk_usage(ROOT).free
    return Finding(free > _GIGABYTE, f"{free / _GIGABYTE:.0f} GB of disk free (1 GB needed)")


def _postgres() -> Finding:
    try:
        return Finding(True, f"{postgres_version()} from its wheel runs here")
    except (OSError, PartFailed) as problem:
        return Finding(False, f"PostgreSQL from its wheel does not run here: {problem}")


def _ports() -> Finding:
    taken = [f"{port} ({name})" for name, port in STANDARD.items() if not is_free(port)]
    text = f"taken: {', '.join(taken)}; use ./learn up --free-ports" if taken else "the standard ones are free"
    return Finding(not taken, f"ports: {text}", needed=False)


def _docker() -> Finding:
    good = not missing("docker")
    return Finding(
        good, "Docker with Compose" + ("" if good else ": not here; only the compose target needs it"), False
    )


def _prometheus() -> Finding:
    good = not missing("prometheus")
    return Finding(good, "Prometheus" if good else f"{missing('prometheus')}; phase 4 runs without", needed=False)


def _kafka() -> Finding:
    try:
        return Finding(True, f"{described('apache')} runs on {find_apache().java}")
    except NoApacheKafka as problem:
        return Finding(False, f"{problem}. Till then phase 3 runs {LIMITS}", needed=False)


LOOKS: tuple[Callable[[], Finding], ...] = (_system, _disk, _postgres, _ports, _kafka, _prometheus, _docker)
