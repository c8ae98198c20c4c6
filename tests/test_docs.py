"""Every command, listing, link and default in the documents is true."""

import re
import shlex
from pathlib import Path

import pytest
from api_gateway.config import GatewaySettings
from booking_outbox.config import OutboxSettings
from booking_saga.config import SagaSettings
from booking_service.config import BookingSettings
from event_service.config import EventSettings
from metrics_consumer.config import MetricsSettings
from phase5.config import GuardedBookingSettings, GuardedEventSettings, ObservedUserSettings
from pydantic_settings import BaseSettings
from telemetry.config import ObservedBookingSettings, ObservedEventSettings, ObservedMetricsSettings

from workbook import proto
from workbook.cli import parser
from workbook.phases import ROOT, phase_folders

DOCUMENTS = sorted(path for path in ROOT.glob("**/*.md") if ".venv" not in path.parts and ".learn" not in path.parts)
FENCE = re.compile(r"^```(\w*)(?: file=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def commands(document: Path) -> list[str]:
    """The commands a document shows: lines after `$ ` in console blocks, and `./learn …` in inline code."""
    text = document.read_text()
    blocks = [line[2:] for kind, _, body in FENCE.findall(text) if kind == "console" for line in body.splitlines()]
    return [*blocks, *re.findall(r"`(\./learn [^`]*)`", text)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text()) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_learn_commands_are_understood(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [shlex.split(command)[1:] for command in commands(document) if command.startswith("./learn")]
    for arguments in shown:
        if {"COMMAND", "N"} & set(arguments) or "HOST:PORT" in arguments:
            continue  # a pattern, not a command
        try:
            parser().parse_args(arguments)
        except SystemExit as end:
            assert end.code == 0, f"./learn {' '.join(arguments)}: {capsys.readouterr().err}"  # noqa: PT017


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_listings_stand_in_their_files(document: Path) -> None:
    for _, file, body in FENCE.findall(document.read_text()):
        if file:
            assert body in (document.parent / file).read_text(), f"{document.name} shows {file} as it is not"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_commands_name_exist(document: Path) -> None:
    for command in commands(document):
        named = [word for word in shlex.split(command) if re.search(r"\.(ya?ml|py|proto)$", word)]
        here = [word for word in named if "://" not in word]
        assert [word for word in here if not (ROOT / word).exists()] == []


def test_a_wrong_listing_would_be_seen() -> None:
    (found,) = FENCE.findall("```proto file=x.proto\nmessage No {}\n```\n")
    assert found == ("proto", "x.proto", "message No {}\n")


def test_both_readmes_name_the_same_commands() -> None:
    english, turkish = (
        {command.split()[1] for command in commands(ROOT / name)} for name in ("README.md", "README.tr.md")
    )
    assert english == turkish


def parts(readme: str) -> dict[str, object]:
    """What a README has in either language: headings, rows of tables, blocks, pictures, and where its links lead."""
    text = readme.replace("README.tr.md", "README").replace("README.md", "README")
    return {
        "headings": [line.split()[0] for line in text.splitlines() if line.startswith("#")],
        "rows": len(re.findall(r"^\|", text, re.MULTILINE)),
        "blocks": len(FENCE.findall(text)),
        "links": LINK.findall(text),
    }


def test_both_readmes_have_the_same_parts() -> None:
    assert parts((ROOT / "README.md").read_text()) == parts((ROOT / "README.tr.md").read_text())


@pytest.mark.parametrize(
    "left_out", ["## Ne nerede?\n", "| 5 | ", "](docs/glossary.md)", "![Bir ders](docs/lesson.png)"]
)
def test_a_part_that_one_readme_lacks_would_be_seen(left_out: str) -> None:
    whole = "## Ne nerede?\n| 5 | x |\n[sözlük](docs/glossary.md) ![Bir ders](docs/lesson.png)\n"
    assert parts(whole.replace(left_out, "")) != parts(whole)


def test_the_command_table_names_every_command() -> None:
    known = re.findall(r"^    (\w+) +\w", parser().format_help(), re.MULTILINE)
    shown = {command.split()[1] for command in commands(ROOT / "README.md")}
    assert set(known) == shown


def test_the_protoc_command_is_the_one_that_runs() -> None:
    folder = phase_folders()[1]
    runs = proto.command(sorted(folder.glob("*/proto/*.proto")), folder, folder)
    shown = next(command for command in commands(folder / "README.md") if "grpc_tools.protoc" in command)
    assert shlex.split(shown)[1:] == [argument.replace(f"{ROOT}/", "") for argument in runs[1:]]


@pytest.mark.parametrize(
    ("phase", "kinds", "base"),
    [
        (1, [BookingSettings], [BaseSettings]),
        (2, [SagaSettings, EventSettings], [BookingSettings]),
        (3, [OutboxSettings, MetricsSettings], [SagaSettings]),
        (
            4,
            [ObservedBookingSettings, ObservedMetricsSettings, ObservedEventSettings],
            [OutboxSettings, MetricsSettings, EventSettings],
        ),
        (
            5,
            [GuardedBookingSettings, GuardedEventSettings, ObservedUserSettings, GatewaySettings],
            [ObservedBookingSettings, ObservedEventSettings],
        ),
    ],
)
def test_the_settings_table_has_every_setting_with_its_default(
    phase: int, kinds: list[type[BaseSettings]], base: list[type[BaseSettings]]
) -> None:
    table = (phase_folders()[phase] / "README.md").read_text().partition("## Settings")[2]
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \| (.*?) \|", table, re.MULTILINE)
    shown = {
        name: value
        for names, values in rows
        for name, value in zip(re.findall(r"`(\w+)`", names), re.findall(r"`([^`]*)`", values), strict=True)
    }
    defaults = {name.upper(): field.default for kind in kinds for name, field in kind.model_fields.items()}
    shown_elsewhere = {"SERVICE_NAME", *(name.upper() for kind in base for name in kind.model_fields)}
    assert set(shown) == set(defaults) - shown_elsewhere
    for name, value in shown.items():
        real = defaults[name]
        assert str(getattr(real, "get_secret_value", lambda real=real: real)()).removesuffix(".0") == value, name


@pytest.mark.parametrize("package", sorted(ROOT.glob("phase[0-9]-*/*/app.py")), ids=lambda path: path.parent.name)
def test_the_file_tables_name_every_file(package: Path) -> None:
    shown = set(re.findall(r"`(\w+\.py)`", (package.parents[1] / "README.md").read_text()))
    assert {path.name for path in package.parent.glob("*.py")} - {"__init__.py"} <= shown


def test_the_file_table_names_every_file_of_the_chassis() -> None:
    shown = set(re.findall(r"`(\w+\.py)`", (ROOT / "phase1-grpc/README.md").read_text()))
    assert {path.name for path in (ROOT / "phase1-grpc/chassis").glob("*.py")} - {"__init__.py"} <= shown
