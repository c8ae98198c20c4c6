"""What a learner has done, in one file that git ignores. It remembers; it proves nothing: `prove` checks again."""

import json
import os
from pathlib import Path
from typing import Any, TypedDict

from workbook.lesson.judge import Verdict
from workbook.phases import ROOT


class Prediction(TypedDict):
    question: str
    said: str
    was: str | None


class Progress(TypedDict):
    """Tasks passed, hints read by task, predictions by id."""

    passed: list[str]
    hints: dict[str, int]
    predictions: dict[str, Prediction]


def read() -> Progress:
    """The progress so far; an unreadable file is set aside, never overwritten."""
    empty: Progress = {"passed": [], "hints": {}, "predictions": {}}
    path = _path()
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return empty
    except (ValueError, TypeError):
        path.replace(path.with_suffix(".unreadable"))
        return empty
    return {**empty, **found}  # type: ignore[typeddict-item]


def write(progress: Progress) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(progress, indent=2, ensure_ascii=False))
    fresh.replace(path)


def record(verdict: Verdict) -> None:
    """Remembers the newest verdict on a task: a task that fails now is not done, whatever it was before.

    A check that could not be run here says nothing, and changes nothing.
    """
    if verdict.needs:
        return
    progress = read()
    task = verdict.task.id
    done = set(progress["passed"]) - {task} | ({task} if verdict.passed else set())
    write({**progress, "passed": sorted(done)})


def _path() -> Path:
    return Path(os.environ.get("WORKBOOK_PROGRESS", ROOT / ".learn" / "progress.json"))
