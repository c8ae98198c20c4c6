"""What a target may name besides addresses: folders that a system is described in, such as `manifests=k8s`."""

from collections.abc import Mapping
from pathlib import Path

from workbook.phases import ROOT

MANIFESTS, WORKFLOWS = "manifests", "workflows"
OURS: Mapping[str, Path] = {MANIFESTS: ROOT / "phase5-k8s" / "k8s", WORKFLOWS: ROOT / ".github" / "workflows"}
"""Those of this repository, for its own systems."""


def parted(target: str) -> tuple[str, dict[str, Path]]:
    """The addresses of a target, as they are written, and its folders by name."""
    parts = [part.strip() for part in target.split(",")]
    folders = {name: Path(path) for name, _, path in map(_named, parts) if name in OURS}
    return ",".join(part for part in parts if _named(part)[0] not in OURS), folders


def seen_from_here(target: str) -> str:
    """The target with whole paths: the checks run in another folder."""
    written = [part.strip() for part in target.split(",")]
    return ",".join(
        f"{name}={Path(path).resolve()}" if name in OURS else part
        for part in written
        for name, _, path in [_named(part)]
    )


def _named(part: str) -> tuple[str, str, str]:
    return part.partition("=")
