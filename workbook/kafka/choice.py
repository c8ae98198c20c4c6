"""Which broker the local stack runs.

`kind` says it: `apache`, `embedded`, or HOST:PORT for one that runs already; `auto` takes Apache Kafka where its jars
and a Java are on this machine, and the embedded one elsewhere. Whoever starts it says which one runs.
"""

import os
from pathlib import Path

from workbook.kafka.apache import apache_part
from workbook.kafka.embedded import embedded_part
from workbook.kafka.jars import NoApacheKafka, find_apache
from workbook.kafka.names import broker_name
from workbook.part import Part

LIMITS = (
    "the broker inside librdkafka, not Apache Kafka: it keeps everything in memory and loses it when killed, makes "
    "topics by itself with four partitions, and a group's second member waits about 50 s for its share"
)

# What the services are told beside its address. The embedded broker gives a dead member's share away after 45 s when it
# leads the group itself, and after the member's own session in the older protocol.
FOR_CLIENTS = {"embedded": {"KAFKA_GROUP_PROTOCOL": "classic"}}


def chosen_kind(asked: str | None = None) -> str:
    """`apache`, `embedded` or HOST:PORT for what was asked, by argument or by WORKBOOK_KAFKA.

    Raises UnknownBroker, or NoApacheKafka when Apache Kafka was asked for and is not there; the text says how to
    bring it.
    """
    kind = broker_name(asked or os.environ.get("WORKBOOK_KAFKA") or "auto")
    if kind == "apache":
        find_apache()
    if kind == "auto":
        try:
            find_apache()
        except NoApacheKafka:
            return "embedded"
        return "apache"
    return kind


def described(kind: str) -> str:
    """What runs, for people: which Apache Kafka, what the embedded broker cannot show, or where the other one is."""
    if kind == "apache":
        kafka = find_apache()
        return f"Apache Kafka {kafka.version} ({kafka.source})"
    return LIMITS if kind == "embedded" else f"the broker at {kind}, which this stack does not run"


def kafka_part(folder: Path, port: int, kind: str) -> Part:
    """A broker on loopback, with its data in `folder`; `kind` is `apache` or `embedded`."""
    return apache_part(folder, port) if kind == "apache" else embedded_part(folder, port)
