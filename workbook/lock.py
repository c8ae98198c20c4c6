"""`./learn lock`: every package pinned with hashes, for all Pythons and systems at once.

requirements.lock holds everything; each phase's own lock holds what its images install, with the same pins.
"""

import re
import subprocess
import tomllib
from pathlib import Path

from workbook.phases import ROOT, phase_folders
from workbook.terminal import DONE, WRONG, console

_LOCK = "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def main(*, check: bool) -> int:
    if not check and _compile():
        return 1
    problems = found_problems()
    for problem in problems:
        console.print(f"{WRONG} {problem}; run ./learn lock")
    if not problems:
        console.print(f"{DONE} the locks cover what every pyproject.toml asks for, with the same pins")
    return 1 if problems else 0


def found_problems() -> list[str]:
    """What is asked for and not locked, pinned differently in two locks, or names a package index. Needs no network."""
    everything = pins(ROOT / _LOCK)
    return [problem for project in _projects() for problem in _problems_of(project, everything)]


def _problems_of(project: Path, everything: dict[str, str]) -> list[str]:
    where, lock = project.relative_to(ROOT), ROOT / _LOCK if project.parent == ROOT else project.with_name(_LOCK)
    locked = pins(lock)
    missing = [f"{where} asks for {name}, its lock has none" for name in sorted(asked(project) - set(locked))]
    other = [f"{where} pins {name} otherwise than {_LOCK}" for name in locked if locked[name] != everything.get(name)]
    address = [f"the lock of {where} names an address"] if "://" in lock.read_text() else []
    return [*missing, *other, *address]


def asked(project: Path) -> set[str]:
    wishes = tomllib.loads(project.read_text())["project"]["dependencies"]
    return {_name(re.split(r"[^A-Za-z0-9._-]", wish, maxsplit=1)[0]) for wish in wishes}


def pins(lock: Path) -> dict[str, str]:
    return {_name(name): version for name, version in _PIN.findall(lock.read_text())}


def _compile() -> int:
    relative = [str(path.relative_to(ROOT)) for path in _projects()]
    options = ["--quiet", "--universal", "--generate-hashes", "--no-header", "--no-emit-index-url", "--upgrade"]
    uv = ["uv", "pip", "compile", *options]
    status = subprocess.call([*uv, *relative, "-o", _LOCK], cwd=ROOT)
    for project in relative[1:]:
        lock = str(Path(project).with_name(_LOCK))
        status = status or subprocess.call([*uv, "-c", _LOCK, project, "-o", lock], cwd=ROOT)
    return status


def _projects() -> list[Path]:
    return [ROOT / "pyproject.toml", *(folder / "pyproject.toml" for folder in phase_folders().values())]


def _name(written: str) -> str:
    return re.sub(r"[-_.]+", "-", written).lower()
