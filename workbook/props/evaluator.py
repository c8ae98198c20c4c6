"""PromQL worked out by promtool over series as one wants them: no server, no waiting. It needs "prometheus-tools".

promtool has no command that answers a question without a server. But its test of rules says what it got where it
expected nothing, and that is read here.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STEP = 15  # seconds between two scrapes

_CONTROL = "vector(1)"  # must be answered: else promtool has not run
_SAID = re.compile(
    r'^ +expr: (?P<asked>"(?:[^"\\]|\\.)*"), time: [^,]*,(?: err: (?P<error>.*)|\n +exp: .*\n +got: (?P<got>.*))$',
    re.MULTILINE,
)
_MARK = re.compile(r" # (\d+)$")
_SAMPLE = re.compile(r'(?P<name>\w*)\{(?P<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\} (?P<value>\S+?)(?:, |$)')
_LABEL = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Series:
    """What each scrape found, one `STEP` after the other; None where it found nothing."""

    name: str
    labels: Mapping[str, str]
    values: Sequence[float | None]

    def __str__(self) -> str:
        return f"{self.name}{{{', '.join(f'{name}={json.dumps(value)}' for name, value in self.labels.items())}}}"


@dataclass(frozen=True, slots=True)
class Sample:
    labels: Mapping[str, str]
    value: float


class NotAnswered(Exception):
    """Prometheus does not take an expression; the text is Prometheus' own."""


def answers(asked: Sequence[str], worlds: Sequence[Iterable[Series]]) -> list[list[list[Sample] | NotAnswered]]:
    """What each expression gives in each world, right after its last scrape."""
    said = _said([[*world] for world in worlds], [*asked, _CONTROL])
    width = len(asked) + 1
    if any(at * width + len(asked) not in said for at in range(len(worlds))):
        raise RuntimeError("promtool did not answer")
    return [[said.get(at * width + number, []) for number in range(len(asked))] for at in range(len(worlds))]


def _said(worlds: list[list[Series]], asked: list[str]) -> dict[int, list[Sample] | NotAnswered]:
    """By number of world and expression; those that give nothing are not mentioned."""
    tests = [_test(world, asked, at * len(asked)) for at, world in enumerate(worlds)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "asked.test.yml")
        file.write_text(json.dumps({"evaluation_interval": f"{STEP}s", "tests": tests}))  # JSON is YAML
        ran = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    found: dict[int, list[Sample] | NotAnswered] = {}
    for told in _SAID.finditer(ran.stdout + ran.stderr):
        if mark := _MARK.search(json.loads(told["asked"])):
            found[int(mark[1])] = NotAnswered(told["error"]) if told["error"] else _samples(told["got"])
    return found


def _test(world: list[Series], asked: list[str], first: int) -> dict[str, object]:
    """The number of an expression goes along as a comment: promtool shows it with what it got."""
    length = max(len(series.values) for series in world)
    return {
        "interval": f"{STEP}s",
        "input_series": [{"series": str(series), "values": _values(series)} for series in world],
        "promql_expr_test": [
            {
                "expr": f"{expression.rstrip()} # {first + number}",
                "eval_time": f"{(length - 1) * STEP}s",
                "exp_samples": [],
            }
            for number, expression in enumerate(asked)
        ],
    }


def _values(series: Series) -> str:
    return " ".join("_" if value is None else f"{value:.12g}" for value in series.values)


def _samples(got: str) -> list[Sample]:
    return [
        Sample({name: json.loads(value) for name, value in _LABEL.findall(told["labels"])}, float(told["value"]))
        for told in _SAMPLE.finditer(got)
    ]
