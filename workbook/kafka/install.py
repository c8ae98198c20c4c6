"""`./learn kafka install`: Apache Kafka's official release, downloaded once, verified, and used by the local stack."""

import fcntl
import hashlib
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from workbook.kafka.download import CannotDownload, Told, download
from workbook.kafka.jars import KEPT, VERSION, NoApacheKafka, find_apache
from workbook.terminal import DONE, NOT_RUN, console, error


@dataclass(frozen=True, slots=True)
class Release:
    """An archive on the net, the SHA-512 it must have, and the folder that it holds."""

    url: str
    sha512: str
    folder: str


# The archive keeps old releases at the same address for good; mirrors drop them.
OFFICIAL = Release(
    f"https://archive.apache.org/dist/kafka/{VERSION}/kafka_2.13-{VERSION}.tgz",
    "eb2433e5330e4915a777fcc47447780e81a5041aacf0f787e5b5d06d767da7d4"
    "84afb9f2ca8651e61769f2256f36967f6481baf17429b289bc2b1e6962640deb",
    f"kafka_2.13-{VERSION}",
)


class NotTheRelease(Exception):
    """What was downloaded has another sum; it was thrown away."""


def main(url: str | None) -> int:
    """Installs the release, from `url` or WORKBOOK_KAFKA_URL if given; wherever it comes from, the sum is the same."""
    place = url or os.environ.get("WORKBOOK_KAFKA_URL") or OFFICIAL.url
    release = Release(place, OFFICIAL.sha512, OFFICIAL.folder)
    columns = (TextColumn("Apache Kafka"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("", total=None)
            home = install(release, KEPT, lambda here, total: progress.update(bar, completed=here, total=total or None))
    except (CannotDownload, NotTheRelease) as problem:
        error(str(problem))
        return 1
    console.print(f"{DONE} Apache Kafka {VERSION} is in {home}; ./learn up --kafka apache runs it", soft_wrap=True)
    try:
        find_apache()
    except NoApacheKafka as missing:
        console.print(f"{NOT_RUN} {missing}", soft_wrap=True)
    return 0


def install(release: Release, kept: Path, told: Told = lambda *_: None) -> Path:
    """The release's folder in `kept`: there whole or not at all, whatever ends this; run again, it goes on."""
    kept.mkdir(parents=True, exist_ok=True)
    home, packed = kept / release.folder, kept / f"{release.folder}.tgz"
    with (kept / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two terminals at once: the second waits, and finds it done
        if home.exists():
            return home
        if not packed.exists() or _sum(packed) != release.sha512:
            download(release.url, packed, told)
            _verify(packed, release)
        _unpack(packed, home)
        packed.unlink()
    return home


def _verify(packed: Path, release: Release) -> None:
    found = _sum(packed)
    if found != release.sha512:
        packed.unlink()
        raise NotTheRelease(
            f"what {release.url} gave is not the release, and was removed: its SHA-512 begins with {found[:16]}, the "
            f"release's with {release.sha512[:16]}. Run it again, or try another place: --url"
        )


def _sum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha512").hexdigest()


def _unpack(packed: Path, home: Path) -> None:
    """Unpacks beside `home` and moves it there in one step."""
    fresh = Path(tempfile.mkdtemp(dir=home.parent, prefix=".unpacking-"))
    try:
        with tarfile.open(packed) as archive:
            needed = sum(member.size for member in archive)
            if shutil.disk_usage(fresh).free < needed:
                raise CannotDownload(f"unpacking needs {needed >> 20} MB on the disk of {fresh.parent}: free some")
            # The newest patch releases of each Python have this filter; the sum was right, so it is the second fence.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            archive.extractall(fresh)  # noqa: S202 - as above
        (fresh / home.name).rename(home)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
