"""docker-compose.prod.yml: what it makes of the whole system, and that each demand would be missed without it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.containers import configured
from workbook.needs import needs
from workbook.phases import ROOT
from workbook.production import main, make_secrets

FILES = ["docker-compose.yml", "docker-compose.prod.yml"]
STEPS = {"topics", "user-migrate", "event-migrate", "booking-migrate", "metrics-migrate"}
REPLICAS = {"user-service": 2, "event-service": 2, "booking-service": 2}
PASSWORD = "1234"


@pytest.fixture(scope="module")
def production() -> Any:
    needs("docker")
    return configured(*FILES)


def missing(system: Mapping[str, Any]) -> Iterator[str]:
    """What production asks for and this system lacks, in words."""
    if PASSWORD in json.dumps(system["services"]):
        yield "a password for learning"
    for name, service in system["services"].items():
        for demand in ("read_only", "mem_limit", *(() if name in STEPS else ("logging", "pids_limit"))):
            if not service.get(demand):
                yield f"{name}: {demand}"
        if service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", ()):
            yield f"{name}: rights"
        if service.get("restart") != ("no" if name in STEPS else "unless-stopped"):
            yield f"{name}: restart"
        if service.get("ports") and name != "api-gateway":
            yield f"{name}: open"
        yield from _not_its_own(name, service)


def _not_its_own(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    """Private keys that it can read and does not sign with."""
    if any(volume["target"] == "/keys" for volume in service.get("volumes", ())):
        yield f"{name}: all keys"
    for secret in service.get("secrets", ()):
        if secret["target"].startswith("/keys/") and Path(secret["target"]).stem not in {name, "services"}:
            yield f"{name}: {secret['source']}"


def test_it_lacks_nothing(production: Any) -> None:
    assert list(missing(production)) == []


def test_without_it_all_of_that_is_missing() -> None:
    """The control: a demand that the system for learning meets, too, would prove nothing of this file."""
    needs("docker")
    found = {problem.rpartition(": ")[2] for problem in missing(configured(FILES[0]))}
    assert found == {
        *("a password for learning", "read_only", "logging", "pids_limit", "rights", "restart", "open", "all keys")
    }


def test_services_that_take_calls_are_there_twice(production: Any) -> None:
    replicas = {name: service.get("deploy", {}).get("replicas", 1) for name, service in production["services"].items()}
    assert {name: number for name, number in replicas.items() if number > 1} == REPLICAS
    assert production["services"]["api-gateway"]["environment"]["BOOKING_ADDRESS"] == "booking-service:50051"


def test_the_gateway_is_open_on_this_machine_only(production: Any) -> None:
    (port,) = production["services"]["api-gateway"]["ports"]
    assert (port["host_ip"], port["target"]) == ("127.0.0.1", 8080)


def test_every_secret_is_made_once_and_only_its_owner_comes_to_it(production: Any, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    wanted = {Path(secret["file"]).relative_to(ROOT / "secrets") for secret in production["secrets"].values()}
    assert {*map(Path, make_secrets(folder)), Path("keys/services.json")} == wanted
    assert folder.stat().st_mode & 0o777 == 0o700
    before = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert len(before) == len(wanted)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in before)
    assert make_secrets(folder) == []
    assert {path: path.read_text() for path in before} == before


def test_neither_a_umask_nor_a_folder_that_is_there_changes_who_comes_to_the_secrets(tmp_path: Path) -> None:
    """A container is another user, and could not read what a umask of 077 makes."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    folder.chmod(0o755)
    before = os.umask(0o077)
    try:
        make_secrets(folder)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert files == dict.fromkeys(files, 0o644)


def test_a_key_file_that_somebody_has_broken_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To change a key one writes in it."""
    monkeypatch.setattr("workbook.production.FOLDER", tmp_path)
    assert main() == 0
    (tmp_path / "keys" / "booking-service.json").write_text("[]")
    assert main() == 1
    assert "booking-service.json" in capsys.readouterr().err.replace("\n", "")


def test_it_is_a_compose_file(tmp_path: Path) -> None:
    """To the schema, which knows the tags no more than the tool that reads it does."""
    text = (ROOT / "docker-compose.prod.yml").read_text()
    plain = tmp_path / "compose.yaml"
    plain.write_text(re.sub(r"!(reset|override)", "", text.replace("  keys: !reset null", "  keys: {}")))
    tool = Path(sys.executable).parent / "check-jsonschema"
    command = [str(tool), "--builtin-schema", "vendor.compose-spec", str(plain)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
