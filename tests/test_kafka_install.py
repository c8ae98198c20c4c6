"""`./learn kafka install`: the release is there whole or not at all, and what has come is not asked for again."""

import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.archive_server import Shelf, serving
from workbook import cli, doctor
from workbook.kafka import install as installing
from workbook.kafka import jars
from workbook.kafka.apache import apache_part
from workbook.kafka.choice import LIMITS
from workbook.kafka.download import CannotDownload, download
from workbook.kafka.install import OFFICIAL, NotTheRelease, Release, install
from workbook.kafka.jars import BY_MAVEN, find_apache
from workbook.needs import needs
from workbook.ports import free_port
from workbook.props.topics import fresh_topic, read_all, send

FOLDER = "kafka_2.13-4.1.1"
JAR = f"{FOLDER}/libs/kafka_2.13-4.1.1.jar"
NOISE = hashlib.shake_256(b"a jar").digest(600_000)  # does not compress: the archive is as long


def packed(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def release_of(shelf: Shelf) -> Release:
    return Release(shelf.url, hashlib.sha512(shelf.content).hexdigest(), FOLDER)


def left(kept: Path) -> set[str]:
    return {path.name for path in kept.iterdir()} - {"install.lock"}


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving(packed({JAR: NOISE})) as shelf:
        yield shelf


def test_it_is_downloaded_verified_and_unpacked(shelf: Shelf, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    home = install(release_of(shelf), tmp_path / "kept", lambda *numbers: told.append(numbers))
    assert (home.parent / JAR).read_bytes() == NOISE
    assert left(tmp_path / "kept") == {FOLDER}
    assert told[-1] == (len(shelf.content), len(shelf.content))
    assert [here for here, _ in told] == sorted(here for here, _ in told)


def test_what_is_there_is_not_downloaded_again(shelf: Shelf, tmp_path: Path) -> None:
    install(release_of(shelf), tmp_path)
    install(release_of(shelf), tmp_path)
    assert shelf.asked == [""]


def test_two_at_once_download_it_once(shelf: Shelf, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as at_once:
        homes = list(at_once.map(lambda _: install(release_of(shelf), tmp_path), range(4)))
    assert (set(homes), shelf.asked) == ({tmp_path / FOLDER}, [""])


def test_a_connection_that_breaks_is_made_anew_where_it_broke(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks = [100_000, 250_000]
    assert install(release_of(shelf), tmp_path).exists()
    assert shelf.asked == ["", "bytes=100000-", "bytes=350000-"]


def test_a_connection_that_brings_nothing_ends_it_and_the_next_run_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks = [100_000, 0]
    with pytest.raises(CannotDownload, match=r"cannot be reached: the connection broke.*goes on where it stopped"):
        install(release_of(shelf), tmp_path)
    assert left(tmp_path) == {f"{FOLDER}.tgz"}
    assert install(release_of(shelf), tmp_path).exists()
    assert shelf.asked == ["", "bytes=100000-", "bytes=100000-"]


def test_a_server_without_ranges_gives_it_from_the_start(shelf: Shelf, tmp_path: Path) -> None:
    shelf.knows_ranges = False
    shelf.breaks = [100_000]
    assert install(release_of(shelf), tmp_path).exists()
    assert shelf.asked == ["", "bytes=100000-"]


def test_another_file_is_refused_and_thrown_away(shelf: Shelf, tmp_path: Path) -> None:
    release = release_of(shelf)
    shelf.content = packed({JAR: b"something else"})
    with pytest.raises(NotTheRelease, match=f"not the release, and was removed.*{release.sha512[:16]}"):
        install(release, tmp_path)
    assert left(tmp_path) == set()


def test_a_beginning_of_another_file_is_found_out_by_the_sum(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / f"{FOLDER}.tgz").write_bytes(b"x" * 100_000)
    with pytest.raises(NotTheRelease):
        install(release_of(shelf), tmp_path)
    assert install(release_of(shelf), tmp_path).exists()


@pytest.mark.parametrize("more", [0, 5])
def test_a_whole_file_is_not_asked_for_again_and_a_longer_one_is_replaced(
    shelf: Shelf, tmp_path: Path, more: int
) -> None:
    to = tmp_path / "file"
    to.write_bytes(shelf.content + b"x" * more)
    download(shelf.url, to)
    assert to.read_bytes() == shelf.content
    assert shelf.asked == [f"bytes={len(shelf.content) + more}-", ""][: 2 if more else 1]


def test_interrupted_while_it_unpacks_it_needs_no_network_later(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    release = release_of(shelf)
    with monkeypatch.context() as patched:
        patched.setattr(tarfile.TarFile, "extractall", interrupted)
        with pytest.raises(KeyboardInterrupt):
            install(release, tmp_path)
    assert left(tmp_path) == {f"{FOLDER}.tgz"}
    assert install(Release("http://127.0.0.1:9/gone", release.sha512, FOLDER), tmp_path).exists()


def test_a_full_disk_is_said_before_anything_is_written(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(CannotDownload, match=r"the disk of .* is full: \d+ MB more are needed"):
        install(release_of(shelf), tmp_path)
    assert left(tmp_path) == set()


def test_a_disk_that_fills_up_meanwhile_keeps_what_has_come(shelf: Shelf) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full, a file that is always full")
    with pytest.raises(CannotDownload, match="is full"):
        download(shelf.url, full)


@pytest.mark.parametrize(
    ("address", "said"),
    [("ftp://example.org/kafka.tgz", "no http or https"), ("http://127.0.0.1:9/kafka.tgz", "Connection refused")],
)
def test_an_address_that_leads_nowhere_is_said(address: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CannotDownload, match=said):
        download(address, tmp_path / "file")


def test_the_command_installs_from_another_place(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installing, "OFFICIAL", release_of(shelf))
    monkeypatch.setattr(installing, "KEPT", tmp_path)
    assert cli.main(["kafka", "install", "--url", f"{shelf.url}.gone"]) == 1
    assert "answers 404 Not Found; try another place: --url" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setenv("WORKBOOK_KAFKA_URL", shelf.url)
    assert cli.main(["kafka", "install"]) == 0
    assert f"Apache Kafka 4.1.1 is in {tmp_path / FOLDER}" in capsys.readouterr().out


def test_the_pinned_release_is_the_one_that_is_looked_for() -> None:
    assert re.fullmatch(r"[0-9a-f]{128}", OFFICIAL.sha512)
    assert OFFICIAL.url.endswith(f"/{OFFICIAL.folder}.tgz")
    assert (jars.KEPT / OFFICIAL.folder) == jars.INSTALLED


def test_status_says_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("INSTALLED", "BY_MAVEN"):
        monkeypatch.setattr(jars, place, tmp_path / place)
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    monkeypatch.delenv("WORKBOOK_KAFKA", raising=False)
    assert cli.main(["kafka", "status"]) == 0
    said = capsys.readouterr().out
    assert "○ Apache Kafka is not here: bring it with ./learn kafka install" in said
    assert "./learn up runs the broker inside librdkafka, not Apache Kafka" in said
    looked = doctor._kafka()
    assert (looked.good, looked.needed) == (False, False)
    assert LIMITS in looked.text
    monkeypatch.setenv("WORKBOOK_KAFKA", "apache")
    assert cli.main(["kafka", "status"]) == 1


def test_a_broker_runs_from_what_was_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("apache-kafka")
    real = {f"{FOLDER}/libs/{jar.name}": jar.read_bytes() for jar in find_apache().jars.glob("*.jar")}
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    with serving(packed(real)) as shelf:
        monkeypatch.setattr(jars, "INSTALLED", install(release_of(shelf), tmp_path))
    assert find_apache().source == "./learn kafka install"
    assert find_apache().jars != BY_MAVEN
    part = apache_part(tmp_path, free_port())
    try:
        part.start()
        topic = fresh_topic(part.address)
        send(part.address, topic, [("key", "value")])
        assert [record.value for record in read_all(part.address, topic)] == ["value"]
    finally:
        part.stop()
