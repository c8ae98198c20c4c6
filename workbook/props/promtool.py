"""Questions to promtool: does it take an expression, a file of rules; what do they say of series that are made up."""

import json
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 30  # seconds


@dataclass(frozen=True, slots=True)
class Question:
    """At second `at`, is `expression` equal to `value`? `series` are as promtool has them, a sample each `every` s."""

    series: Mapping[str, str]
    at: int
    expression: str
    value: float
    every: int = 1


def problem_of_expression(expression: str) -> str:
    """What promtool finds wrong with it; empty when it takes it."""
    rule = {"record": "asked", "expr": expression}
    return problem_of_rules(json.dumps({"groups": [{"name": "asked", "rules": [rule]}]}))  # JSON is YAML too


def problem_of_rules(rules: str) -> str:
    """What promtool finds wrong with the text of a file of rules; empty when it takes it."""
    ran = subprocess.run(
        ["promtool", "check", "rules"], input=rules, capture_output=True, text=True, check=False, timeout=_PATIENCE
    )
    return "" if ran.returncode == 0 else ran.stderr.partition("FAILED:")[2].strip() or ran.stderr.strip()


def not_so(rules: str, questions: Sequence[Question]) -> list[int]:
    """The numbers of those questions whose answer is no; raises ValueError with promtool's words if it cannot ask."""
    tests = [
        {
            "name": str(number),
            "interval": f"{question.every}s",
            "input_series": [{"series": name, "values": values} for name, values in question.series.items()],
            "promql_expr_test": [
                {
                    "expr": question.expression,
                    "eval_time": f"{question.at}s",
                    "exp_samples": [{"labels": "{}", "value": question.value}],
                }
            ],
        }
        for number, question in enumerate(questions)
    ]
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        (folder / "rules.yml").write_text(rules)
        asked = {"rule_files": ["rules.yml"], "evaluation_interval": "1s", "tests": tests}
        (folder / "asked.yml").write_text(json.dumps(asked))
        return _failed(folder)


def _failed(folder: Path) -> list[int]:
    told = folder / "told.xml"
    command = ["promtool", "test", "rules", f"--junit={told}", "asked.yml"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    cases = list(ET.parse(told).iter("testcase")) if told.exists() else []  # noqa: S314 - promtool wrote it
    if not cases:
        raise ValueError(ran.stderr.strip())
    return [int(case.get("name", "0")) for case in cases if case.find("failure") is not None]
