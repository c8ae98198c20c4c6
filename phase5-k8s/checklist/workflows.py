"""GitHub's workflows as the checks read them: when each begins, and what its jobs run."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workbook.checks.verdict import Wrong, expect

_SCRIPT = re.compile(r"(?<![\w/])(\.{0,2}/?[\w.-]+(?:/[\w.-]+)+|\./[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Job:
    """`runs` is all that its steps run, `uses` the actions that they are."""

    name: str
    workflow: "Workflow"
    raw: Mapping[str, Any]

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        return [step for step in self.raw.get("steps") or [] if isinstance(step, Mapping)]

    @property
    def runs(self) -> str:
        return "\n".join(str(step["run"]) for step in self.steps if "run" in step)

    @property
    def uses(self) -> list[str]:
        called = [self.raw["uses"]] if "uses" in self.raw else []
        return [*called, *(str(step["uses"]) for step in self.steps if "uses" in step)]

    @property
    def needs(self) -> list[str]:
        asked = self.raw.get("needs") or []
        return [asked] if isinstance(asked, str) else list(asked)

    def whole(self) -> str:
        """What it runs, and what stands in the scripts that it names."""
        return self.with_scripts(self.runs)

    def with_scripts(self, run: str) -> str:
        named = (self.workflow.root / name for name in _SCRIPT.findall(run))
        return "\n".join([run, *(path.read_text(errors="replace") for path in named if _is_script(path))])

    def __str__(self) -> str:
        return f"{self.workflow.path.name}, job {self.name}"


@dataclass(frozen=True, slots=True)
class Workflow:
    path: Path
    raw: Mapping[Any, Any]

    @property
    def root(self) -> Path:
        """The repository's folder."""
        return self.path.resolve().parents[2]

    @property
    def events(self) -> Mapping[str, Any]:
        """What it begins with, and under which conditions."""
        told = self.raw.get("on", self.raw.get(True))  # YAML 1.1 reads `on` as yes
        if isinstance(told, Mapping):
            return {str(name): how or {} for name, how in told.items()}
        return {str(name): {} for name in ([told] if isinstance(told, str) else told or [])}

    @property
    def jobs(self) -> list[Job]:
        return [Job(str(name), self, raw) for name, raw in (self.raw.get("jobs") or {}).items()]

    def before(self, job: Job) -> Iterator[Job]:
        """The jobs that a job waits for, and those that they wait for."""
        for other in self.jobs:
            if other.name in job.needs:
                yield other
                yield from self.before(other)


def workflows(folder: Path) -> list[Workflow]:
    """All that there are; Wrong if one cannot be read."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".yml", ".yaml"})
    found = [_read(path) for path in files]
    expect(found, f"{folder.name} holds no workflow", "write .github/workflows/ci.yml")
    return found


def _read(path: Path) -> Workflow:
    try:
        raw = yaml.safe_load(path.read_text())
    except yaml.YAMLError as problem:
        raise Wrong(f"{path.name} is no YAML: {problem}", "try it: check-jsonschema, or actionlint") from problem
    expect(isinstance(raw, dict) and raw.get("jobs"), f"{path.name} has no jobs", "write jobs with steps")
    return Workflow(path, raw)


def _is_script(path: Path) -> bool:
    """Of a shell: other programs say more than they run."""
    return path.is_file() and re.match(r"#!.*sh\b", path.read_text(errors="replace")) is not None
