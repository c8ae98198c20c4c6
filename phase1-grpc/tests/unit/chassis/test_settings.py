"""Settings: the roadmap's defaults, one line for each wrong variable, and no secret in any text."""

import os
from pathlib import Path

import pytest
from chassis.postgres import _options
from chassis.server import GrpcServer
from chassis.settings import PostgresSettings, ServiceSettings, WrongSettings, read_settings

SECRET = "hunter2-çok-gizli"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the shell of whoever runs the tests has set."""
    for field in ServiceSettings.model_fields:
        for name in (field, field.upper()):
            if name in os.environ:
                monkeypatch.delenv(name)


def test_the_defaults_are_the_roadmaps_database() -> None:
    info = read_settings(PostgresSettings).conninfo()
    assert (info["host"], info["port"], info["user"], info["password"]) == ("127.0.0.1", 5432, "postgres", "1234")


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "db.internal")
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    info = read_settings(PostgresSettings).conninfo()
    assert (info["host"], info["password"]) == ("db.internal", SECRET)


def test_what_the_environment_does_not_say_is_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_FOLDER", str(tmp_path))
    (tmp_path / "db_password").write_text(f"{SECRET}\n")
    (tmp_path / "db_host").write_text("from-a-file")
    monkeypatch.setenv("DB_HOST", "db.internal")
    info = read_settings(PostgresSettings).conninfo()
    assert (info["host"], info["password"]) == ("db.internal", SECRET)


WRONG = [
    ("GRPC_PORT", ["", "x", "-1", "65536", "50051.5"]),
    ("DB_PORT", ["postgres", "70000"]),
    ("DB_POOL_SIZE", ["0", "101", "-3"]),
    ("DB_STATEMENT_TIMEOUT", ["-1", "nan", "inf", "1e9", "0", "0.0001"]),
    ("DB_LOCK_TIMEOUT", ["soon", "nan", "0", "0.0001"]),
    ("DEADLINE_LIMIT", ["0", "-1", "nan", "inf"]),
    ("DRAIN_DELAY", ["-0.1", "nan"]),
    ("STOP_GRACE", ["-1", "inf"]),
    ("GRPC_MAX_MESSAGE_BYTES", ["1023", "99999999999"]),
    ("GRPC_MAX_CONCURRENT_CALLS", ["0", "99999999999"]),
    ("GRPC_MAX_STREAMS", ["0", "99999999999"]),
    ("GRPC_MAX_CONNECTION_AGE", ["0", "99999999999"]),
    ("LOG_LEVEL", ["loud"]),
    ("LOG_FORMAT", ["xml"]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG for value in values])
def test_a_wrong_value_is_one_line_with_its_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as wrong:
        read_settings(ServiceSettings)
    assert str(wrong.value).startswith(f"{name}: ")
    assert len(str(wrong.value).splitlines()) == 1


def test_every_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRPC_PORT", "DB_PORT", "DEADLINE_LIMIT"):
        monkeypatch.setenv(name, "wrong")
    with pytest.raises(WrongSettings) as wrong:
        read_settings(ServiceSettings)
    assert {line.split(":")[0] for line in str(wrong.value).splitlines()} == {"GRPC_PORT", "DB_PORT", "DEADLINE_LIMIT"}


def test_no_text_holds_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    good = read_settings(ServiceSettings)
    monkeypatch.setenv("DB_PORT", SECRET)  # a value in the wrong variable is easily a secret too
    with pytest.raises(WrongSettings) as wrong:
        read_settings(ServiceSettings)
    chain = (
        wrong.value,
        wrong.value.__cause__,
        wrong.value.__context__ if not wrong.value.__suppress_context__ else None,
    )
    for text in (str(good), repr(good), good.model_dump_json(), *map(str, chain)):
        assert SECRET not in text


def bound(edge: str) -> dict[str, float]:
    """The smallest or largest value that each number may have."""
    rules = {name: rule for name, field in ServiceSettings.model_fields.items() for rule in field.metadata}
    return {name: getattr(rule, edge) for name, rule in rules.items() if getattr(rule, edge, None) is not None}


@pytest.mark.parametrize("edge", ["ge", "le"])
async def test_a_server_starts_with_the_least_and_the_most_of_each_number(edge: str) -> None:
    async def ready() -> None:
        pass

    settings = ServiceSettings(**{**bound(edge), "grpc_port": 0, "drain_delay": 0})  # type: ignore[arg-type]  # numbers
    async with GrpcServer(settings, "test.Words").running(ready) as server:
        assert server.port


def test_no_limit_of_the_database_can_be_switched_off_by_rounding() -> None:
    """PostgreSQL takes a limit of 0 ms as no limit."""
    assert "=0" not in _options(ServiceSettings(**bound("ge")))  # type: ignore[arg-type]  # numbers
