"""What the tests of all phases share: one real PostgreSQL a session, and examples that are the same in every run."""

import importlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from workbook.part import Part
from workbook.ports import free_port
from workbook.postgres import connect, postgres_part
from workbook.run_folder import claim_folder, sweep

# pytest would else make a package `tests` of the first folder of that name it meets, and hide what is in the others.
importlib.import_module("tests")

# Tests that several files take over, and what they share.
pytest.register_assert_rewrite("tests.containers", *(f"tests.containers_phase{number}" for number in (2, 3, 4)))
pytest.register_assert_rewrite("tests.told_so_far", "tests.told_at_the_gateway")

# The same examples every time: a red run can be repeated. No deadline: a busy machine is not a bug.
settings.register_profile("workbook", derandomize=True, deadline=None)
settings.load_profile("workbook")

os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)  # a shell with a Jaeger in it: the tests' traces are for the tests


# What takes longest in one piece: begun last, it would be all that is left to wait for.
_LONGEST = ("notebook", "test_lesson_answers", "test_docker_phase5")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, whole notebooks before all."""
    items.sort(key=lambda item: next((n for n, name in enumerate(_LONGEST) if name in item.path.name), len(_LONGEST)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What this machine could not show, a line for each reason; pytest's own has a line for each place."""
    skipped = Counter(
        report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", ())
    )
    for reason, count in skipped.most_common():
        terminalreporter.write_line(f"○ {count} not run ({reason})")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Part]:
    """A running PostgreSQL. A test may kill, pause or restart it, and leaves it running."""
    sweep()
    lock = claim_folder()
    folder = Path(lock.name).parent
    part = postgres_part(folder, free_port())
    try:
        part.start()
        with connect(part.address) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # only a crash of the machine would show the difference
            connection.execute("SELECT pg_reload_conf()")
        yield part
    finally:
        part.stop()
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()
