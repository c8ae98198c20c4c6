"""The objects that a folder describes, as Kubernetes would get them, and the files that git would take."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

from workbook.checks.verdict import Wrong, expect, not_run
from workbook.cluster.manifests import Manifests

Described = Mapping[str, Manifests]
"""Manifests by the name of their overlay, "" where there is but one."""
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
SUFFIXES = {".yaml", ".yml", ".json"}


@cache
def described(folder: Path) -> Described:
    """Rendered where there is a kustomization, read as they are where there is none; Wrong if that cannot be done."""
    with tempfile.TemporaryDirectory() as beside:
        if _overlays(folder):
            overlays = _overlays(_complete(folder, Path(beside)))
            found = {name: _read(_rendered(path)) for name, path in overlays.items()}
        else:
            found = {"": _read("\n---\n".join(path.read_text() for path in _files(folder)))}
    expect(any(each.objects for each in found.values()), f"{folder.name} describes nothing", "write manifests there")
    return found


def problems(described: Described, policy: Callable[[Manifests], Iterator[str]]) -> list[str]:
    """What a policy finds, each with the overlay that it is in."""
    return [
        f"{problem} ({name})" if name else problem
        for name, manifests in described.items()
        for problem in policy(manifests)
    ]


def none_of(described: Described, policy: Callable[[Manifests], Iterator[str]], todo: str) -> None:
    """Wrong if the policy finds anything; the first is told."""
    found = problems(described, policy)
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    expect(not found, f"{found and found[0]}{more}", todo)


def kept_files(folder: Path) -> list[Path]:
    """Those that git has or would take; all of them where there is no git."""
    command = ["git", "-C", str(folder), "ls-files", "--cached", "--others", "--exclude-standard", "-z", "."]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own words
    except (OSError, subprocess.CalledProcessError):
        return [path for path in folder.rglob("*") if path.is_file()]
    return [folder / name for name in listed.split("\0") if name and (folder / name).is_file()]


def _overlays(folder: Path) -> dict[str, Path]:
    if any((folder / name).is_file() for name in KUSTOMIZATIONS):
        return {"": folder}
    found = {path.parent for name in KUSTOMIZATIONS for path in folder.glob(f"overlays/*/{name}")}
    return {path.name: path for path in sorted(found)}


def _complete(folder: Path, beside: Path) -> Path:
    """With the secrets that git does not hold, where we know how to make them: in this workbook's own."""
    from workbook.cluster.overlays import K8S, copied  # noqa: PLC0415 - the services' code takes long to import

    return copied(beside) if folder.resolve() == K8S else folder


def _rendered(folder: Path) -> str:
    from workbook.cluster.overlays import CannotRender, rendered  # noqa: PLC0415 - as above
    from workbook.needs import missing  # noqa: PLC0415 - as above

    if missing("kubectl"):
        not_run("needs kubectl, which renders kustomizations; or a folder of manifests that are rendered")
    try:
        return rendered(folder)
    except CannotRender as problem:
        raise Wrong(f"{folder.name} cannot be rendered: {problem}", "try it: kubectl kustomize FOLDER") from problem


def _read(text: str) -> Manifests:
    try:
        return Manifests.of(text)
    except yaml.YAMLError as problem:
        raise Wrong(f"the manifests are no YAML: {problem}", "try it: kubectl apply --dry-run=client") from problem


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
