"""What a run of a checklist found."""

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Check:
    """One check's result. `said` is what was wrong, or what the check needs to run; `todo` is what to do about it."""

    box: str
    title: str
    outcome: Outcome
    said: str = ""
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """One line of the roadmap's list, such as "1.4 CRUD operations work", and its checks."""

    name: str
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """Passed only if every check was run and passed."""
        outcomes = {check.outcome for check in self.checks}
        return next((o for o in (Outcome.FAILED, Outcome.NOT_RUN) if o in outcomes), Outcome.PASSED)


@dataclass(slots=True)
class Report:
    """A whole run. `problem` is why nothing could be checked, "" when the checks ran; `against` is what was checked."""

    phase: int
    target: str
    against: str = ""
    checks: list[Check] = field(default_factory=list)
    problem: str = ""

    @property
    def boxes(self) -> list[Box]:
        names = dict.fromkeys(check.box for check in self.checks)
        return [Box(name, tuple(check for check in self.checks if check.box == name)) for name in names]

    def count(self, outcome: Outcome) -> int:
        return sum(check.outcome is outcome for check in self.checks)

    @property
    def status(self) -> int:
        """The exit status: 0 nothing failed and something passed, 1 a check failed, 2 nothing could be checked."""
        if self.problem or not self.count(Outcome.PASSED) + self.count(Outcome.FAILED):
            return 2
        return 1 if self.count(Outcome.FAILED) else 0
