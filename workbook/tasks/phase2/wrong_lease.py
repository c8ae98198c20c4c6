"""What people write first for task 2.8, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = '''
TAKE = """
UPDATE bookings SET settle_at = now() + make_interval(secs => %(lease)s)
WHERE id IN (
    SELECT id FROM bookings
    WHERE settle_at <= now() AND (
        (status = 'PENDING' AND created_at < now() - make_interval(secs => %(limit)s))
        OR (status = 'CANCELLED' AND NOT given_back)
    )
    ORDER BY settle_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
)
RETURNING id, status
"""
'''
_ONLY_LOCKS = """
TAKE = '''
SELECT id, status FROM bookings
WHERE settle_at <= now() AND (
    (status = 'PENDING' AND created_at < now() - make_interval(secs => %(limit)s))
    OR (status = 'CANCELLED' AND NOT given_back)
)
ORDER BY settle_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
'''
"""

WRONG = (
    WrongAnswer(
        "waits for the others", code=_RIGHT.replace(" SKIP LOCKED", ""), says="a second replica waits for the rows"
    ),
    WrongAnswer("no lock at all", code=_RIGHT.replace(" FOR UPDATE SKIP LOCKED", ""), says="a second replica waits"),
    WrongAnswer(
        "no lease",
        code=_RIGHT.replace("now() + make_interval(secs => %(lease)s)", "now() + 0 * make_interval(secs => %(lease)s)"),
        says="all six were taken and committed, and the next take: 2 twice",
    ),
    WrongAnswer("only locks", code=_ONLY_LOCKS, says="and the next take: 2 twice"),
    WrongAnswer(
        "does not look at the lease",
        code=_RIGHT.replace("settle_at <= now() AND", "true AND"),
        says="and the next take: 2 twice",
    ),
    WrongAnswer(
        "no brackets around the OR",
        code=_RIGHT.replace("AND (\n", "AND\n").replace("given_back)\n    )", "given_back)"),
        says="AND binds closer than OR",
    ),
    WrongAnswer("no limit", code=_RIGHT.replace("LIMIT %(batch)s", ""), says="six are unfinished and 6 were taken"),
    WrongAnswer(
        "takes what is just being made",
        code=_RIGHT.replace("AND created_at < now() - make_interval(secs => %(limit)s)", ""),
        says="is PENDING for a second",
    ),
    WrongAnswer("takes what is finished", code=_RIGHT.replace("status = 'PENDING'", "true"), says="is CONFIRMED"),
    WrongAnswer(
        "takes what was given back",
        code=_RIGHT.replace("AND NOT given_back", ""),
        says="has given its tickets back",
    ),
    WrongAnswer(
        "forgets the cancelled",
        code=_RIGHT.replace("status = 'CANCELLED'", "false"),
        says="a CANCELLED booking that has not",
    ),
    WrongAnswer(
        "a lease in minutes",
        code=_RIGHT.replace("make_interval(secs => %(lease", "make_interval(mins => %(lease"),
        says="its lease of 30 s is over: 0 were found",
    ),
    WrongAnswer(
        "counts the limit from settle_at",
        code=_RIGHT.replace("created_at <", "settle_at <"),
        says="3 were found, all six are right",
    ),
    WrongAnswer("no RETURNING", code=_RIGHT.replace("RETURNING id, status", ""), says="end the UPDATE with RETURNING"),
)
