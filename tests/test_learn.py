"""The `learn` script: what it says when something is missing, and when it installs anew."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from workbook.phases import ROOT


@pytest.fixture
def learn() -> ModuleType:
    loader = SourceFileLoader("learn", str(ROOT / "learn"))
    spec = spec_from_loader("learn", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def run(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "learn"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_help_names_the_commands() -> None:
    told = run("--help")
    assert told.returncode == 0
    assert "run the system on this machine" in told.stdout


def test_an_old_python_is_told_what_to_do(
    learn: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", "")
    assert learn.main(["up"]) == 1
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


def test_the_lock_entry_of_uv_is_whole(learn: ModuleType) -> None:
    entry = learn.entry("uv")
    assert entry.startswith("uv==")
    assert entry.count("--hash=sha256:") > 3
    assert not entry.rstrip().endswith("\\")


def test_it_installs_again_only_when_the_lock_changed(
    learn: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, stamp, python = tmp_path / "lock", tmp_path / "stamp", tmp_path / "python"
    lock.write_text("a==1")
    python.touch()
    for name, path in (("LOCK", lock), ("STAMP", stamp), ("PYTHON", python)):
        monkeypatch.setattr(learn, name, path)
    assert not learn.installed()
    stamp.write_text(learn.wanted())
    assert learn.installed()
    lock.write_text("a==2")
    assert not learn.installed()


def test_a_full_disk_is_said_before_anything_is_made(
    learn: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(learn, "NEEDED_DISK", 1 << 80)
    with pytest.raises(learn.CannotInstall, match="the disk has"):
        learn.install()
    assert not (tmp_path / ".venv").exists()


def test_without_network_it_says_so_and_can_go_on_later(tmp_path: Path) -> None:
    for name in ("learn", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    nowhere = "http" + "://127.0.0.1:9/simple"  # the discard port: refused at once
    told = run(
        "up",
        folder=tmp_path,
        PIP_INDEX_URL=nowhere,
        UV_DEFAULT_INDEX=nowhere,
        PIP_RETRIES="0",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert told.returncode == 1
    assert "No network?" in told.stderr
    assert not (tmp_path / ".venv" / "installed-from").exists()
