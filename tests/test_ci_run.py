"""`.ci/run` on machines of every kind, made of small stand-ins: it brings Docker and Kafka, or says that it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workbook.needs import REDIS, public_images
from workbook.phases import ROOT

COMPOSE = [str(path.relative_to(ROOT)) for path in ROOT.glob("phase*-*/compose.yaml")]
KAFKA = [f"workbook/kafka/{name}" for name in ("__init__.py", "jars.py", "pom.xml")]
FILES = (".ci/run", "workbook/__init__.py", "workbook/proxies.py", "workbook/needs.py", "Dockerfile", *KAFKA, *COMPOSE)
LEARN = 'echo "learn $* requires:${WORKBOOK_REQUIRE:-}"; exit "${LEARN_STATUS:-0}"'
DOCKER = """
case "$1 $2" in
  "info "|"compose version") test -e "$MACHINE/engine" ;;
  "image inspect") test -e "$MACHINE/images/$3" ;;
  *) exit 1 ;;  # no registry can be reached
esac
"""
JAVA = 'echo "    java.specification.version = 21" >&2'
MAVEN = """
for argument in "$@"; do
  case "$argument" in
    -DoutputDirectory=*) mkdir -p "${argument#*=}" && touch "${argument#*=}/kafka_2.13-4.1.1.jar" ;;
  esac
done
"""
TOOLBOX = 'touch "$MACHINE/engine"'
BROUGHT = [*public_images("Dockerfile", *COMPOSE), REDIS]
IMAGES = 'for name in "$@"; do mkdir -p "$(dirname "$MACHINE/images/$name")"; touch "$MACHINE/images/$name"; done'
ALL = "requires:docker,java,apache-kafka,prometheus-tools,chromium,prometheus,linux,kubectl,redis," + ",".join(
    f"phase{number}-images" for number in range(1, 6)
)


class Machine:
    """A folder with the repository's files in it, and beside them the programs that this machine has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FILES:
            (folder / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "clone" / name)
        self.program("clone/learn", LEARN)
        self.program("bin/docker", DOCKER)
        self.program("bin/java", JAVA)
        self.program("bin/mvn", MAVEN)
        for tool in ("promtool", "amtool", "prometheus", "kubectl", "chromium"):
            self.program(f"bin/{tool}", "exit 0")
        (folder / "bin" / "python3").symlink_to(sys.executable)

    def program(self, name: str, script: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def runs(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
        return subprocess.run(
            [str(self.folder / "clone/.ci/run"), *arguments],
            env={"PATH": path, "MACHINE": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def with_docker(machine: Machine) -> Machine:
    for name in ("engine", *(f"images/{image}" for image in BROUGHT)):
        (machine.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (machine.folder / name).touch()
    return machine


def test_where_docker_is_its_tests_must_run(with_docker: Machine) -> None:
    ended = with_docker.runs(CI="true")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, f"learn test {ALL}")


def test_a_failed_test_fails_the_run(with_docker: Machine) -> None:
    assert with_docker.runs(CI="true", LEARN_STATUS="1").returncode == 1


def test_arguments_reach_the_test_command(with_docker: Machine) -> None:
    assert with_docker.runs("--only", "lint").stdout.splitlines()[-1] == f"learn test --only lint {ALL}"


def test_what_is_missing_is_brought_from_beside_the_repository(machine: Machine) -> None:
    machine.program("shared/platform/toolbox", TOOLBOX)
    machine.program("shared/platform/images", IMAGES)
    ended = machine.runs(CI="true")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, f"learn test {ALL}")
    assert all((machine.folder / "images" / image).exists() for image in BROUGHT)


def test_what_is_there_is_not_built_again(with_docker: Machine) -> None:
    with_docker.program("shared/platform/toolbox", "exit 1")
    with_docker.program("shared/platform/images", "exit 1")
    assert with_docker.runs(CI="true").returncode == 0


def test_without_docker_it_says_so_and_tests_the_rest(machine: Machine) -> None:
    ended = machine.runs()
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "learn test requires:")
    assert "will be printed as not run" in ended.stderr


@pytest.mark.parametrize("broken", ["no engine", "toolbox fails", "no image"])
def test_ci_itself_refuses_to_go_without_docker(machine: Machine, broken: str) -> None:
    if broken == "toolbox fails":
        machine.program("shared/platform/toolbox", "exit 1")
    if broken == "no image":
        (machine.folder / "engine").touch()
    ended = machine.runs(CI="true")
    assert ended.returncode == 1
    assert "could not be brought" in ended.stderr
    assert "learn test" not in ended.stdout


def test_ci_itself_refuses_to_go_without_kafka(with_docker: Machine) -> None:
    with_docker.program("bin/mvn", "echo 'no repository can be reached'; exit 1")
    ended = with_docker.runs(CI="true")
    assert ended.returncode == 1
    assert "no repository can be reached" in ended.stderr
    assert "could not be brought" in ended.stderr
