"""The random run and its proof: a plan that its seed repeats, a checker that sees each law broken, real runs."""

import dataclasses
import itertools
import json
import uuid
from pathlib import Path

import pytest

from workbook.chaos.checker import LAWS, Final, Stored, broken
from workbook.chaos.command import main
from workbook.chaos.history import OK, REFUSED, UNKNOWN, WRONG, Call, History
from workbook.chaos.plan import PARTS, TELLING, faults_of, wishes_of

B, OTHER, E = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
BOOK = Call(1, "book", 1, 2, OK, key="k", booking=B, event=E, tickets=2, status="CONFIRMED")
CANCEL = Call(1, "cancel", 3, 4, OK, booking=B, status="CANCELLED")
READ = Call(1, "read", 5, 6, OK, booking=B, status="CONFIRMED")
ADD = Call(1, "add", 1, 2, OK, key=OTHER, event=E, tickets=3)
ROW = Stored("client-1", "k", E, 2, "CONFIRMED")
WHOLE = Final({B: ROW}, {E: (10, 8)}, {})


def test_a_seed_is_a_plan() -> None:
    assert faults_of(7, 60) == faults_of(7, 60) != faults_of(8, 60)
    one, same, other = (list(itertools.islice(wishes_of(7, client), 50)) for client in (1, 1, 2))
    assert one == same != other


def test_a_longer_run_begins_like_a_short_one_and_touches_every_part() -> None:
    everything = (*PARTS, *TELLING)
    short, long = faults_of(7, 30, everything), faults_of(7, 300, everything)
    assert long[: len(short)] == short
    kinds = ("kill", "pause", "restart")
    assert {(fault.part, fault.kind) for fault in long} == set(itertools.product(everything, kinds))


def laws(calls: list[Call], end: Final) -> set[str]:
    return {each.law for each in broken(History(calls), end, first_capacity=10)}


def with_row(row: Stored, available: int = 8) -> Final:
    return Final({B: row}, {E: (10, available)}, {})


CANCELLED = with_row(dataclasses.replace(ROW, status="CANCELLED"), 10)


@pytest.mark.parametrize(
    ("calls", "end"),
    [
        ([BOOK, READ], WHOLE),
        ([BOOK, CANCEL], CANCELLED),
        ([BOOK, CANCEL, dataclasses.replace(READ, began=3.5)], CANCELLED),
        ([BOOK, dataclasses.replace(CANCEL, outcome=UNKNOWN, status="")], CANCELLED),
        ([BOOK, dataclasses.replace(CANCEL, outcome=UNKNOWN, status="")], WHOLE),
        ([dataclasses.replace(BOOK, outcome=UNKNOWN, booking="", status="")], CANCELLED),
        ([ADD], Final({}, {E: (13, 13)}, {OTHER: (E, 3)})),
    ],
)
def test_what_may_happen_breaks_no_law(calls: list[Call], end: Final) -> None:
    assert laws(calls, end) == set()


@pytest.mark.parametrize(
    ("law", "calls", "end"),
    [
        ("KEPT", [BOOK], Final({}, {E: (10, 10)}, {})),
        ("KEPT", [BOOK], with_row(dataclasses.replace(ROW, tickets=3), 7)),
        ("KEPT", [BOOK], CANCELLED),
        ("FORWARD", [BOOK, CANCEL], WHOLE),
        ("FORWARD", [BOOK, CANCEL, READ], CANCELLED),
        ("FORWARD", [BOOK, dataclasses.replace(READ, status="PENDING")], WHOLE),
        ("FORWARD", [dataclasses.replace(BOOK, outcome=REFUSED, booking="", status="")], WHOLE),
        ("ONE KEY", [BOOK, dataclasses.replace(BOOK, booking=OTHER)], Final({B: ROW, OTHER: ROW}, {E: (10, 6)}, {})),
        ("SUM", [BOOK], with_row(ROW, 7)),
        ("SUM", [], Final({}, {E: (16, 16)}, {OTHER: (E, 3)})),
        ("SUM", [ADD], Final({}, {E: (10, 10)}, {})),
        ("NO BUG", [dataclasses.replace(READ, outcome=WRONG, reason="INTERNAL")], WHOLE),
    ],
)
def test_each_law_can_be_broken(law: str, calls: list[Call], end: Final) -> None:
    assert law in LAWS
    assert law in laws(calls, end)


def test_a_short_run_breaks_no_law_and_leaves_its_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(0.3, 11, tmp_path, rest=180) == 0, capsys.readouterr().out
    folder = tmp_path / "seed-11"
    calls = [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]
    assert {"ok", "unknown"} <= {call["outcome"] for call in calls}
    assert {call["what"] for call in calls} == {"book", "cancel", "read", "look", "add"}
    assert (folder / "faults.jsonl").read_text().count("\n") == len(json.loads((folder / "plan.json").read_text()))
    assert (folder / "chaos.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("guard", ["reservation key", "recovery"])
def test_a_run_without_a_guard_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str], guard: str) -> None:
    assert main(0.15, 11, tmp_path, phase=2, program="tests.builds", environment={"WITHOUT": guard}, rest=1) == 1
    said = capsys.readouterr().out
    assert "✗ I2" in said
    assert "./learn chaos --minutes 0.15 --seed 11" in said


def test_a_run_whose_messages_nobody_takes_to_kafka_is_caught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(0.1, 11, tmp_path, phase=3, environment={"OUTBOX_RELAY": "false"}, rest=1) == 1
    assert "✗ I4" in capsys.readouterr().out
