"""What people write first for task 3.2, and how the check answers."""

from workbook.lesson.task import WrongAnswer

WRONG = (
    WrongAnswer(
        "commits first",
        code="""\
    while (record := log.poll()) is not None:
        log.commit(record)
        handle(record)
""",
        says="died when it had committed record 0, and a new one began at the last commit: record 0 is lost",
    ),
    WrongAnswer(
        "commits whatever happens",
        code="""\
    while (record := log.poll()) is not None:
        try:
            handle(record)
        finally:
            log.commit(record)
""",
        says="record 0 could not be handled just then, and a new one began at the last commit: record 0 is lost",
    ),
    WrongAnswer(
        "swallows the error and commits",
        code="""\
    while (record := log.poll()) is not None:
        try:
            handle(record)
        except Exception as error:
            print("skipped:", error)
        log.commit(record)
""",
        says="record 0 could not be handled just then",
    ),
    WrongAnswer(
        "leaves the failed one uncommitted and goes on",
        code="""\
    while (record := log.poll()) is not None:
        try:
            handle(record)
        except Exception:
            continue
        log.commit(record)
""",
        says="record 0 is lost",
    ),
    WrongAnswer(
        "commits once at the end",
        code="""\
    last = None
    while (record := log.poll()) is not None:
        handle(record)
        last = record
    if last is not None:
        log.commit(last)
""",
        says="nothing is lost, but 2 records were handled twice",
    ),
    WrongAnswer(
        "reads ahead",
        code="""\
    records = []
    while (record := log.poll()) is not None:
        records.append(record)
        log.commit(record)
    for record in records:
        handle(record)
""",
        says="died when it had committed record 0, and a new one began at the last commit: record 0 is lost",
    ),
    WrongAnswer(
        "commits the one before",
        code="""\
    before = None
    while (record := log.poll()) is not None:
        if before is not None:
            log.commit(before)
        handle(record)
        before = record
""",
        says="all 5 were handled, and a new process would begin at record 4",
    ),
    WrongAnswer(
        "an empty record for the end",
        code="""\
    while record := log.poll():
        handle(record)
        log.commit(record)
""",
        says="it stopped at record 2, whose value is empty",
    ),
)
