"""The phases that exist in this folder, by number."""

import importlib
from pathlib import Path

from chassis.service import Service, Step

ROOT = Path(__file__).resolve().parent.parent


def phase_folders() -> dict[int, Path]:
    """Folder by phase number: {1: …/phase1-grpc}."""
    found = (path for path in ROOT.glob("phase[0-9]-*") if path.is_dir())
    return {int(path.name.removeprefix("phase").split("-")[0]): path for path in sorted(found)}


def newest_phase() -> int:
    return max(phase_folders())


def newest_checked_phase() -> int:
    """The newest phase that has a checklist."""
    return max(number for number, folder in phase_folders().items() if (folder / "checklist").exists())


def newest_composed_phase() -> int:
    """The newest phase whose system also runs in containers."""
    return max(number for number, folder in phase_folders().items() if (folder / "compose.yaml").exists())


def services(phase: int) -> tuple[Service, ...]:
    """The services of the system as of a phase, in the order in which they start."""
    found: tuple[Service, ...] = importlib.import_module(f"phase{phase}").SERVICES
    return found


def steps(phase: int) -> dict[str, Step]:
    """What the phase's program can do besides serving and migrating, by name."""
    return {step.name: step for step in getattr(importlib.import_module(f"phase{phase}"), "STEPS", ())}
