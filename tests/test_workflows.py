"""Workflows, images and compose files are clean to the tools that know them, and each tool would see a mistake."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbook.phases import ROOT
from workbook.props.expressions import filled
from workbook.prove import stages

TOOLS = Path(sys.executable).parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
# docker-compose.prod.yml has tags that the schema's tool does not know: see test_production.py
COMPOSE_FILES = sorted([*ROOT.glob("phase*-*/compose*.yaml"), ROOT / "docker-compose.yml"])
PHASES = sorted(ROOT.glob("phase*-*/compose.yaml"))
CI, DEPENDABOT, DOCKERFILE, COMPOSE = (
    ROOT / name
    for name in (".github/workflows/ci.yml", ".github/dependabot.yml", "Dockerfile", "phase1-grpc/compose.yaml")
)
SOURCES = {path.name: path for path in (CI, DEPENDABOT, DOCKERFILE, COMPOSE)}
SCHEMA = ("check-jsonschema", "--builtin-schema")
LINTERS = {
    "zizmor": (("zizmor", "--offline", "--no-config", "--persona", "pedantic"), [*WORKFLOWS, DEPENDABOT]),
    "workflow schema": ((*SCHEMA, "vendor.github-workflows"), WORKFLOWS),
    "dependabot schema": ((*SCHEMA, "vendor.dependabot"), [DEPENDABOT]),
    "compose schema": ((*SCHEMA, "vendor.compose-spec"), COMPOSE_FILES),
    "hadolint": (("hadolint",), [DOCKERFILE]),
    "yamllint": (("yamllint", "--strict"), [ROOT]),
}
MISTAKES = [
    ("zizmor", "ci.yml", r"actions/checkout@\w+ # \S+", "actions/checkout@v7", "unpinned-uses"),
    ("zizmor", "ci.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
    ("zizmor", "ci.yml", "run: .ci/run", "run: echo ${{ github.event.pull_request.title }}", "template-injection"),
    ("workflow schema", "ci.yml", "runs-on: ubuntu-latest", "runs_on: ubuntu-latest", "runs_on"),
    ("dependabot schema", "dependabot.yml", "interval: monthly", "interval: sometimes", "sometimes"),
    ("compose schema", "compose.yaml", "depends_on:", "depends-on:", "depends-on"),
    ("hadolint", "Dockerfile", "FROM python:3.13-slim", "FROM python:latest", "DL3007"),
    ("hadolint", "Dockerfile", r"CMD \[.*serve.*\]", "CMD serve", "DL3025"),
    ("yamllint", "compose.yaml", "    ports:", "    image: again\n    ports:\n    image: again", "duplication of key"),
]


@pytest.mark.parametrize("name", LINTERS)
def test_there_is_nothing_to_find(name: str) -> None:
    command, files = LINTERS[name]
    assert files
    ended = lint(*command, *files)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("name", "file", "right", "wrong", "said"), MISTAKES, ids=[mistake[-1] for mistake in MISTAKES]
)
def test_a_mistake_would_be_found(name: str, file: str, right: str, wrong: str, said: str, tmp_path: Path) -> None:
    source = SOURCES[file]
    broken = tmp_path / source.relative_to(ROOT)
    broken.parent.mkdir(parents=True, exist_ok=True)
    text, places = re.subn(right, lambda _: wrong, source.read_text(), count=1)
    assert places == 1
    broken.write_text(text)
    ended = lint(*LINTERS[name][0], broken)
    assert ended.returncode != 0
    assert said in ended.stdout + ended.stderr


def test_ci_runs_the_command_that_the_readme_shows() -> None:
    assert set(re.findall(r"- run: (.*)", CI.read_text())) == {".ci/run", "./learn test"}
    assert (ROOT / ".ci/run").read_text().rstrip().endswith('exec ./learn test "$@"')
    assert "$ ./learn test\n" in (ROOT / "README.md").read_text()


def test_ci_covers_the_oldest_python_and_the_one_in_the_image() -> None:
    (tried,) = re.findall(r"python: \[(.*)\]", CI.read_text())
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    (in_image,) = re.findall(r"^FROM python:([\d.]+)-slim", DOCKERFILE.read_text(), re.MULTILINE)
    assert {f'"{oldest}"', f'"{in_image}"'} <= set(tried.split(", "))


def test_each_commit_on_main_keeps_its_own_answer() -> None:
    """Of runs that wait in one group GitHub keeps the newest alone: commits in a group of their own wait for nobody."""
    (group,) = re.findall(r"^  group: (.*)$", CI.read_text(), re.MULTILINE)
    of = {
        event: [filled(group, {"github.ref": "main", "github.sha": sha, "github.event_name": event}.__getitem__, {})
                for sha in ("one", "two")]
        for event in ("push", "pull_request")
    }  # fmt: skip
    assert len(set(of["push"])) == 2
    assert len(set(of["pull_request"])) == 1  # a newer push to it takes over


def test_the_hook_runs_every_stage_but_the_tests() -> None:
    named = re.findall(r"--only (\w+)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert named == [stage for stage in stages() if stage != "tests"]


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_images_have_exact_tags(file: Path) -> None:
    assert floating_images(file.read_text()) == []


def test_a_floating_tag_would_be_seen() -> None:
    wrong = "  image: postgres\n  image: redis:latest\n  image: postgres:18\n  image: postgres:18.4\n"
    assert floating_images(wrong) == ["postgres", "redis:latest", "postgres:18"]


@pytest.mark.parametrize("file", PHASES[1:], ids=lambda path: path.parent.name)
def test_no_service_is_defined_twice(file: Path) -> None:
    before = PHASES[PHASES.index(file) - 1]
    assert again(yaml.safe_load(before.read_text()), yaml.safe_load(file.read_text())) == []


def test_a_service_defined_twice_would_be_seen() -> None:
    before, after = ({"services": {"postgres": {"image": image}}} for image in ("postgres:18.4", "postgres:19.1"))
    assert again(before, after) == ["postgres"]


def again(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Services of `before` that `after` writes anew instead of extending them."""
    both = before["services"].keys() & after["services"].keys()
    return [name for name in both if after["services"][name].get("extends", {}).get("service") != name]


def floating_images(compose: str) -> list[str]:
    """Images whose tag may mean another image tomorrow: no tag, or no dot in its version. Ours are built here."""
    named = re.findall(r"^ +image: (?!ticket-workbook/)(\S+)", compose, re.MULTILINE)
    return [image for image in named if not re.search(r":v?\d+\.\d+", image)]


def lint(*command: str | Path) -> subprocess.CompletedProcess[str]:
    tool, *arguments = map(str, command)
    return subprocess.run([str(TOOLS / tool), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
