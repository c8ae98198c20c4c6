"""The command line that runs a service: what it starts, and the one line it says when it cannot."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from chassis.service import Service, Step, main
from chassis.settings import CannotStart, ProcessSettings, ServiceSettings


class PaperSettings(ServiceSettings):
    service_name: str = "paper"


class OwnLoop(asyncio.SelectorEventLoop):
    """A loop that can be told from others."""


class Served:
    """Stands for a service: notes the settings that it was started with, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.settings: list[ServiceSettings] = []
        self._failure = failure

    async def __call__(self, settings: ServiceSettings) -> None:
        self.settings.append(settings)
        self.loop = asyncio.get_running_loop()
        if self._failure is not None:
            raise self._failure


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """`main` configures the logs of the whole process."""
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = list(root.handlers)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def run(served: Served, *arguments: str) -> int:
    services = [
        Service("paper", PaperSettings, served, (Path("nowhere"),)),
        Service("window", ProcessSettings, served, port="http_port", loop=OwnLoop),
    ]
    steps = [Step("fold", "fold the paper", PaperSettings, served)]
    return main("phase0", services, arguments, steps=steps)


def test_it_serves_with_the_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_PORT", "50099")
    served = Served()
    assert run(served, "serve", "paper") == 0
    assert [(settings.service_name, settings.grpc_port) for settings in served.settings] == [("paper", 50099)]


def test_a_phase_has_steps_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    served = Served()
    assert run(served, "fold") == 0
    assert [settings.service_name for settings in served.settings] == ["paper"]
    assert run(Served(CannotStart("no paper")), "fold") == 1
    assert capsys.readouterr().err == "fold: no paper\n"


def test_a_service_without_a_database_serves_and_has_nothing_to_migrate(capsys: pytest.CaptureFixture[str]) -> None:
    served = Served()
    assert run(served, "serve", "window") == 0
    assert isinstance(served.loop, OwnLoop)
    with pytest.raises(SystemExit):
        run(Served(), "migrate", "window")
    assert "choose from paper" in capsys.readouterr().err.replace("'", "")


@pytest.mark.parametrize("failure", [CannotStart("the port is taken"), psycopg.OperationalError("the port is taken")])
def test_what_cannot_start_says_why_in_one_line(failure: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Served(failure), "serve", "paper") == 1
    assert capsys.readouterr().err == "paper: the port is taken\n"


def test_a_wrong_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GRPC_PORT", "fifty")
    served = Served()
    assert run(served, "serve", "paper") == 1
    assert capsys.readouterr().err.startswith("paper: GRPC_PORT: ")
    assert served.settings == []


def test_a_bug_is_not_dressed_up_as_a_reason() -> None:
    with pytest.raises(ZeroDivisionError):
        run(Served(ZeroDivisionError()), "serve", "paper")


@pytest.mark.parametrize("arguments", [[], ["serve"], ["serve", "scissors"], ["dance", "paper"]])
def test_a_wrong_command_line_is_refused_with_the_right_ones(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(Served(), *arguments)
    assert ended.value.code == 2
    assert "usage: python -m phase0" in capsys.readouterr().err


def test_a_database_that_is_not_there_stops_a_migration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DB_HOST", "127.0.0.1")
    monkeypatch.setenv("DB_PORT", "1")  # nothing listens there
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    assert run(Served(), "migrate", "paper") == 1
    said = capsys.readouterr().err
    assert said.startswith("paper: ")
    assert "refused" in said
    assert "hunter2" not in said
