"""What a target may name besides addresses: folders that a system is described in, such as `manifests=k8s`."""

from collections.abc import Mapping
from pathlib import Path

MANIFESTS, WORKFLOWS = "manifests", "workflows"
_NAMES = (MANIFESTS, WORKFLOWS)


def ours() -> Mapping[str, Path]:
    """Those of this repository, for its own systems."""
    from workbook.phases import ROOT  # noqa: PLC0415 - it imports the services' code, which takes long

    return {MANIFESTS: ROOT / "phase5-k8s" / "k8s", WORKFLOWS: ROOT / ".github" / "workflows"}


def parted(target: str) -> tuple[str, dict[str, Path]]:
    """The addresses of a target, as they are written, and its folders by name."""
    parts = [part.strip() for part in target.split(",")]
    folders = {name: Path(path) for name, _, path in map(_named, parts) if name in _NAMES}
    return ",".join(part for part in parts if _named(part)[0] not in _NAMES), folders


def seen_from_here(target: str) -> str:
    """The target with whole paths: the checks run in another folder."""
    return ",".join(map(_whole, target.split(",")))


def _whole(part: str) -> str:
    name, _, path = _named(part.strip())
    return f"{name}={Path(path).resolve()}" if name in _NAMES else part


def _named(part: str) -> tuple[str, str, str]:
    return part.partition("=")
