"""A workflow of GitHub Actions, run in a model: its jobs in the order of `needs`, its steps as their `if` says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from workbook.props.expressions import asks_for_status, filled, value_of
from workbook.props.shop_world import Shop

Tree = Mapping[str, Any]
ALL = {"packages": "write", "contents": "write"}


class NotAWorkflow(Exception):
    """It cannot be run; the text says why."""


@dataclass
class Result:
    """Of a job or a step: success, failure, cancelled or skipped."""

    result: str
    outputs: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""  # before `continue-on-error`


class Run:
    """One run, for a tag. Each step of `played` is one step of the workflow; `cut_off` is what a newer run may do."""

    def __init__(self, workflow: Tree, shop: Shop, tag: str) -> None:
        self._workflow, self._shop, self._tag = workflow, shop, tag
        self.jobs: dict[str, Result] = {}
        self.cut_off = False

    @property
    def red(self) -> bool:
        return any(job.result in {"failure", "cancelled"} for job in self.jobs.values())

    def played(self) -> Iterator[None]:
        yield from self._alone(self._workflow.get("concurrency"), self._in_order())

    def cancels(self) -> bool:
        """Whether a run of the next tag would cut this one off."""
        return any(
            isinstance(each, Mapping) and self._true(each.get("cancel-in-progress", False))
            for each in (self._workflow.get("concurrency"), *(job.get("concurrency") for job in self._all().values()))
        )

    def _all(self) -> Mapping[str, Tree]:
        jobs: Mapping[str, Tree] = self._workflow["jobs"]
        return jobs

    def _in_order(self) -> Iterator[None]:
        left = dict(self._all())
        while left:
            ready = [name for name, job in left.items() if set(needs(job)) <= self.jobs.keys()]
            if not ready:
                raise NotAWorkflow(f"jobs wait for each other, or for one that is not there: {', '.join(left)}")
            name = ready[-1]  # those that need nobody start at the same time: here the later one is quicker
            yield from self._job(name, left.pop(name))

    def _job(self, name: str, job: Tree) -> Iterator[None]:
        before = [self.jobs[each].result for each in needs(job)]
        status = _status(failed="failure" in before, cancelled=self.cut_off, skipped="skipped" in before)
        if not self._holds(job.get("if"), {}, status, job):
            self.jobs[name] = Result("skipped")
            return
        yield from self._alone(job.get("concurrency"), self._steps(name, job))

    def _steps(self, name: str, job: Tree) -> Iterator[None]:
        done: dict[str, Result] = {}
        failed = False
        for number, step in enumerate(job["steps"]):
            status = _status(failed=failed, cancelled=self.cut_off)
            one = Result("skipped", outcome="skipped")
            if self._holds(step.get("if"), done, status, job):
                well = self._does(step, done, one.outputs, job)
                one.outcome = "success" if well else "failure"
                one.result = "success" if well or self._true(step.get("continue-on-error", False)) else "failure"
                failed = failed or one.result == "failure"
            done[str(step.get("id", number))] = one
            yield
        status = _status(failed=failed, cancelled=self.cut_off)
        outputs = {key: self._filled(value, done, status, job) for key, value in job.get("outputs", {}).items()}
        self.jobs[name] = Result("failure" if failed else "cancelled" if self.cut_off else "success", outputs)

    def _does(self, step: Tree, done: Mapping[str, Result], outputs: dict[str, Any], job: Tree) -> bool:
        status, told = _status(), {**self._workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
        variables = {name: self._filled(value, done, status, job) for name, value in told.items()}
        lines = self._filled(step.get("run", ""), done, status, job).splitlines()
        may = permissions(self._workflow, job)
        return all(self._shop.obeys(_expanded(line, variables), may, outputs) for line in lines)

    def _alone(self, group: Any, inside: Iterator[None]) -> Iterator[None]:
        """While another run holds the same concurrency group, it waits."""
        named = group.get("group") if isinstance(group, Mapping) else group
        name = self._filled(named or "", {}, _status(), {})
        while name and self._shop.locks.get(name, self) is not self:
            yield
        if name:
            self._shop.locks[name] = self
        yield from inside
        self._shop.locks.pop(name, None)

    def _holds(self, condition: Any, done: Mapping[str, Result], status: dict[str, bool], job: Tree) -> bool:
        text = "success()" if condition is None else str(condition).lower() if condition in {True, False} else condition
        inner = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", text)
        if not asks_for_status(inner) and not status["success"]:
            return False
        return bool(value_of(inner, lambda name: self._named(name, done, job), status))

    def _filled(self, text: Any, done: Mapping[str, Result], status: dict[str, bool], job: Tree) -> str:
        return filled(str(text), lambda name: self._named(name, done, job), status)

    def _true(self, value: Any) -> bool:
        return value is True or (isinstance(value, str) and self._filled(value, {}, _status(), {}) == "true")

    def _named(self, name: str, done: Mapping[str, Result], job: Tree) -> Any:
        """Of jobs it sees those that this one needs, and no other."""
        match name.split("."):
            case ["github", "ref_name"]:
                return self._tag
            case ["github", "ref"]:
                return f"refs/tags/{self._tag}"
            case ["steps", step, *rest] if step in done:
                return _of(done[step], rest)
            case ["needs", other, *rest] if other in needs(job) and other in self.jobs:
                return _of(self.jobs[other], rest)
        return ""


def read(text: str) -> Tree:
    """Raises NotAWorkflow."""
    try:
        tree = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise NotAWorkflow(f"it is no YAML: {error.problem}{where}") from error
    jobs = tree.get("jobs") if isinstance(tree, Mapping) else None
    if not isinstance(jobs, Mapping) or not jobs:
        raise NotAWorkflow("it has no jobs")
    for name, job in jobs.items():
        steps = job.get("steps") if isinstance(job, Mapping) else None
        if not isinstance(steps, list) or not all(isinstance(step, Mapping) for step in steps):
            raise NotAWorkflow(f"job {name} has no steps")
    return {str(key): value for key, value in tree.items()}


def needs(job: Tree) -> list[str]:
    named = job.get("needs", [])
    return [named] if isinstance(named, str) else list(named)


def permissions(workflow: Tree, job: Tree) -> Mapping[str, str]:
    """What a job's token may do; where nobody says anything, it is everything."""
    said = job.get("permissions", workflow.get("permissions", "write-all"))
    if isinstance(said, str):
        return ALL if said == "write-all" else {}
    return dict(said or {})


def _of(result: Result, path: list[str]) -> Any:
    match path:
        case ["outputs", name]:
            return result.outputs.get(name, "")
        case ["outcome"]:
            return result.outcome
        case ["result" | "conclusion"]:
            return result.result
    return ""


def _status(*, failed: bool = False, cancelled: bool = False, skipped: bool = False) -> dict[str, bool]:
    good = not failed and not cancelled and not skipped
    return {"success": good, "failure": failed and not cancelled, "cancelled": cancelled, "always": True}


def _expanded(line: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda found: variables.get(found[1], ""), line)
