"""`./learn proto`: the gRPC code, generated from the .proto files by the command the phase README shows."""

import filecmp
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from workbook.phases import ROOT, phase_folders
from workbook.terminal import DONE, WRONG, console, error

GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def main(*, check: bool) -> int:
    for folder in phase_folders().values():
        protos = sorted(folder.glob("*/proto/*.proto"))
        if not protos:
            continue
        if check:
            with tempfile.TemporaryDirectory() as fresh:
                _generate(protos, folder, Path(fresh))
                stale = [path for path in _outputs(protos, folder, folder) if not _same(path, folder, Path(fresh))]
            for path in stale:
                console.print(f"{WRONG} {path.relative_to(ROOT)} is not what its .proto gives; run ./learn proto")
            if stale:
                return 1
        else:
            _generate(protos, folder, folder)
        console.print(f"{DONE} {', '.join(str(path.relative_to(ROOT)) for path in protos)}")
    return 0


def command(protos: list[Path], folder: Path, output: Path) -> list[str]:
    """The protoc command: messages and services for Python, each with types."""
    kinds = ("python", "mypy", "grpc_python", "mypy_grpc")
    outputs = [f"--{kind}_out={'quiet:' if 'mypy' in kind else ''}{output}" for kind in kinds]
    return [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", *outputs, *map(str, protos)]


def _generate(protos: list[Path], folder: Path, output: Path) -> None:
    # protoc finds mypy's plugins on PATH
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    made = subprocess.run(command(protos, folder, output), env=environment, cwd=ROOT, check=False)
    if made.returncode:
        error("protoc refused the .proto files; its message is above")
        raise SystemExit(1)


def _outputs(protos: list[Path], folder: Path, output: Path) -> list[Path]:
    stems = [output / proto.relative_to(folder).with_suffix("") for proto in protos]
    return [stem.with_name(stem.name + ending) for stem in stems for ending in GENERATED]


def _same(path: Path, folder: Path, fresh: Path) -> bool:
    other = fresh / path.relative_to(folder)
    return path.exists() and other.exists() and filecmp.cmp(path, other, shallow=False)
