"""Apache Kafka as a part of the local stack: one node in KRaft mode, small, on loopback."""

import subprocess
from pathlib import Path

from workbook.kafka.answers import answers
from workbook.kafka.jars import ApacheKafka, find_apache
from workbook.part import Part, PartFailed, Program
from workbook.ports import free_port

_CLUSTER = "dGlja2V0LXdvcmtib29rLQ"  # any 16 bytes in base64; the data of one cluster knows only its own

# Small internal topics and no waiting for more members: it is one node that lives for one run. A killed broker's old
# session must end before it may register again: with Kafka's 9 s it is back after 13 to 16 s, with 3 s after 5 to 7.
PROPERTIES = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.consumer.heartbeat.interval.ms=1000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.session.timeout.ms=6000
group.consumer.min.session.timeout.ms=3000
"""
# It starts in half the time when Java compiles less; a class course is not where its peak rate is measured.
_JAVA = ["-Xmx320m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"


def apache_part(folder: Path, port: int) -> Part:
    """A broker on loopback with its data in `folder`/kafka; killed and started again it has what it confirmed."""
    kafka, home = find_apache(), folder / "kafka"
    properties = home / "server.properties"
    if not properties.exists():
        home.mkdir()
        properties.write_text(PROPERTIES.format(port=port, controller=free_port(), data=home / "data"))
        _format(kafka, properties)
    program = Program(
        argv=[str(kafka.java), *_JAVA, _QUIET, "-cp", f"{kafka.jars}/*", "kafka.Kafka", str(properties)],
        ready=lambda: answers(f"127.0.0.1:{port}"),
        patience=60,
        grace=20,
    )
    return Part("kafka", f"127.0.0.1:{port}", program, folder / "kafka.log")


def _format(kafka: ApacheKafka, properties: Path) -> None:
    tool = [str(kafka.java), *_JAVA, _QUIET, "-cp", f"{kafka.jars}/*", "kafka.tools.StorageTool", "format"]
    made = subprocess.run(
        [*tool, "--cluster-id", _CLUSTER, "--config", str(properties)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise PartFailed(f"Apache Kafka could not make its data folder:\n{made.stdout}{made.stderr}")
