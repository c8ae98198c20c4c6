"""Runs librdkafka's own broker until it is ended: `python -m workbook.kafka.inside_librdkafka PORT`.

It listens on a port of its own choice, so a line leads to it from the port that was asked for. Everything is in memory.
"""

import sys
import threading

from confluent_kafka import Producer

from workbook.props.line import Line


def main(port: int) -> None:
    broker = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    (found,) = broker.list_topics(timeout=10).brokers.values()
    with Line(f"{found.host}:{found.port}", port=port):
        threading.Event().wait()  # until a signal ends the process, and the broker with it


if __name__ == "__main__":
    main(int(sys.argv[1]))
