"""A reader of a topic as a process of its own, so that a lesson can kill it: `python -m workbook.props.member --help`.

It handles messages in batches and keeps its place in Kafka, before or after handling a batch. What it handled it writes
to a file, one value a line: what it did must be known also after it is dead.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from confluent_kafka import OFFSET_STORED, Consumer, Message, TopicPartition

BATCH = 20


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m workbook.props.member", description="Read a topic until killed.")
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("topic")
    parser.add_argument("group")
    parser.add_argument("handled", type=Path, help="the file to which each handled value is appended")
    parser.add_argument("--commit", choices=("before", "after"), default="after", help="relative to handling a batch")
    parser.add_argument("--partitions", type=int, default=0, help="read these alone, without sharing with the group")
    parser.add_argument("--seconds", type=float, default=0.002, help="that one message takes (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    consumer = Consumer(
        {
            "bootstrap.servers": chosen.address,
            "group.id": chosen.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,
            "partition.assignment.strategy": "roundrobin",
        }
    )
    if chosen.partitions:
        consumer.assign([TopicPartition(chosen.topic, number, OFFSET_STORED) for number in range(chosen.partitions)])
        _tell(list(range(chosen.partitions)))
    else:
        consumer.subscribe([chosen.topic], on_assign=lambda _, found: _tell([each.partition for each in found]))
    while True:
        batch = [message for message in consumer.consume(BATCH, 0.2) if message.error() is None]
        if batch:
            _work(consumer, batch, chosen)


def _work(consumer: Consumer, batch: list[Message], chosen: argparse.Namespace) -> None:
    if chosen.commit == "before":
        _keep_place(consumer, batch)
    with chosen.handled.open("ab") as handled:
        for message in batch:
            time.sleep(chosen.seconds)
            handled.write((message.value() or b"") + b"\n")
            handled.flush()
    if chosen.commit == "after":
        _keep_place(consumer, batch)


def _keep_place(consumer: Consumer, batch: list[Message]) -> None:
    last = {message.partition(): message for message in batch}
    offsets = [TopicPartition(m.topic() or "", m.partition() or 0, (m.offset() or 0) + 1) for m in last.values()]
    consumer.commit(offsets=offsets, asynchronous=False)


def _tell(partitions: list[int]) -> None:
    print(json.dumps(sorted(partitions)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
