"""The pytest plugin behind `./learn check`: opens the target, hands it to the checks, reports each as it ends.

It writes one JSON object a line to the file descriptor of --results-fd, which `run` reads:
`{"progress": …}`, `{"against": …}`, `{"check": {…}}`, `{"problem": …}`, and at the end `{"finished": true}`.
"""

import json
import os
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest

from workbook.checks.report import Check, Outcome
from workbook.checks.system import System
from workbook.checks.targets import NoTarget, open_target
from workbook.checks.verdict import Wrong, not_run

_SYSTEM = pytest.StashKey[System]()
_OPENED = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    options = parser.getgroup("checklist")
    options.addoption("--as-of", type=int, default=1)
    options.addoption("--target", default="local")
    options.addoption("--restart", default=None)
    options.addoption("--pause", default=None)
    options.addoption("--deadline", type=float, default=5.0)
    options.addoption("--within", type=float, default=None)
    options.addoption("--results-fd", type=int, default=1)


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    opened = config.stash[_OPENED] = ExitStack()
    as_of, target, restart, pause = (config.getoption(name) for name in ("as_of", "target", "restart", "pause"))
    target_open = open_target(
        as_of,
        target,
        restart,
        pause,
        patience=config.getoption("deadline"),
        within=config.getoption("within"),
        progress=lambda step: _tell(config, progress=step),
    )
    try:
        config.stash[_SYSTEM] = opened.enter_context(target_open)
    except NoTarget as problem:
        _tell(config, problem=str(problem))
        pytest.exit(str(problem), returncode=2)
    _tell(config, against=config.stash[_SYSTEM].name)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_OPENED].close()
    _tell(session.config, finished=exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED})


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        raise pytest.UsageError(f"the checklist cannot be read: {report.longreprtext}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _tell(item.config, progress=_box(item))
    gone = item.config.stash[_SYSTEM].gone
    if gone:
        not_run(f"the server stopped answering in “{gone}”")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None or call.when == "call":
        check = _judged(item, call.excinfo.value if call.excinfo else None)
        _tell(item.config, check={name: getattr(check, name) for name in Check.__slots__})
    return report


@pytest.fixture(scope="session")
def system(pytestconfig: pytest.Config) -> System:
    """The system under check."""
    return pytestconfig.stash[_SYSTEM]


def _judged(item: pytest.Item, error: BaseException | None) -> Check:
    box, title = _box(item), _title(item)
    if error is None:
        return Check(box, title, Outcome.PASSED)
    if isinstance(error, pytest.skip.Exception):
        return Check(box, title, Outcome.NOT_RUN, str(error))
    if isinstance(error, Wrong):
        return Check(box, title, Outcome.FAILED, error.said, error.todo)
    said = f"the check itself broke: {type(error).__name__}: {error}"
    return Check(box, title, Outcome.FAILED, said, "report this: it is a mistake in the checklist, not in your server")


def _box(item: pytest.Item) -> str:
    """The box's name: the first line of the docstring of the check's file."""
    module = item.getparent(pytest.Module)
    return _first_line(module.obj if module else None) or item.nodeid


def _title(item: pytest.Item) -> str:
    title = _first_line(getattr(item, "obj", None)) or item.name
    case = getattr(item, "callspec", None)
    return f"{title}: {case.id}" if case else title


def _first_line(documented: object) -> str:
    return (getattr(documented, "__doc__", None) or "").strip().split("\n")[0].removesuffix(".")


def _tell(config: pytest.Config, **what: Any) -> None:
    os.write(config.getoption("results_fd"), f"{json.dumps(what)}\n".encode())
