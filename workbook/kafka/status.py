"""`./learn kafka status`: which broker the local stack would run, and what there is to run it with."""

import os

from rich.markup import escape

from workbook.kafka.choice import chosen_kind, described
from workbook.kafka.install import OFFICIAL
from workbook.kafka.jars import KEPT, NEEDED_JAVA, NoApacheKafka, find_jars, find_java
from workbook.kafka.names import UnknownBroker
from workbook.terminal import DONE, NOT_RUN, console, error


def main() -> int:
    java = find_java()
    _say(java is not None, f"Java {NEEDED_JAVA} or newer: {java or 'not here'}")
    try:
        jars, source = find_jars()
        _say(True, f"Apache Kafka ({source}): {jars}")
    except NoApacheKafka as missing:
        _say(False, str(missing))
    begun = KEPT / f"{OFFICIAL.folder}.tgz"
    if begun.exists():
        _say(False, f"{begun.stat().st_size >> 20} MB of the release are here: ./learn kafka install goes on")
    try:
        kind = chosen_kind()
    except (NoApacheKafka, UnknownBroker) as problem:
        error(f"WORKBOOK_KAFKA is {os.environ['WORKBOOK_KAFKA']}: {problem}")
        return 1
    console.print(f"./learn up runs {described(kind)}", soft_wrap=True)
    return 0


def _say(good: bool, text: str) -> None:  # noqa: FBT001 - a mark and its text
    console.print(f"{DONE if good else NOT_RUN} {escape(text)}", soft_wrap=True)
