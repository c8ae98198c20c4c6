"""Task 5.1: the three probes of the booking service, held against Kubernetes' schema, then lived with."""

from itertools import takewhile

from workbook.lesson.task import Task, Wrong
from workbook.props.probes import LIVENESS, READINESS, STARTUP, Probes
from workbook.tasks.phase5.lives import NEVER, PORT, SERVICE, Life, Told, lived
from workbook.tasks.phase5.written_probes import written_probes
from workbook.tasks.phase5.wrong_probes import WRONG

SOON, MINUTE, TEN_MINUTES = 15, 60, 600  # seconds
PAUSE = 12  # seconds in which a good process may say nothing
WAITS = 240  # seconds that a start may wait for its database
AT = 300.0  # when something happens to a pod that runs
NAMED = f'Its chassis answers for two names: "" is the process, "{SERVICE}" is whether it can do its work'

TOO_SELDOM = "Readiness is asked too seldom, or may fail too often"


def check(text: str) -> str:
    """First what Kubernetes itself would refuse, then one life after another."""
    probes = written_probes(text)
    lives = (_starts, _waits_for_its_database, _loses_its_database, _hangs, _hangs_at_its_start, _is_busy, _pauses)
    for live in lives:
        live(probes)
    return f"Kubernetes takes it, and {len(lives)} lives of a pod: the sick ones were started again, and no other"


def _starts(probes: Probes) -> None:
    told = _unharmed(probes, Life("nothing happens", 600))
    if len(told.idle) == 600 - 2:
        raise Wrong(
            f"nothing happens, and the pod never gets a call. Readiness asks about {_asked(probes, READINESS)}. {NAMED}"
        )
    if READINESS not in probes:
        raise Wrong("there is no readinessProbe: a pod gets calls as soon as it runs, and for as long")
    if (late := len(told.idle)) > SOON:
        raise Wrong(
            f"nothing happens, and the pod gets its first call {late} s after it can work: {SOON} s at most. It is "
            "asked too seldom, or too late"
        )


def _waits_for_its_database(probes: Probes) -> None:
    why = f"A start may take {WAITS} s: give it more tries"
    if STARTUP not in probes:
        why = "Liveness is asked while it still starts: a startupProbe holds it off, for as many tries as it has"
    elif probes[STARTUP].service is None:
        why = "An open port is no start: liveness is asked while it still waits"
    life = Life(f"PostgreSQL comes up {WAITS} s after the pod", 600, database_away=(0, WAITS))
    told = _unharmed(probes, life, why)
    if told.in_vain:
        raise Wrong(f"{life.what}: it gets {len(told.in_vain)} calls before it can work. {_ready_by(probes)}")
    _soon_back(life, told, WAITS)


def _loses_its_database(probes: Probes) -> None:
    life = Life("PostgreSQL is away for 10 minutes", 1200, database_away=(AT, AT + TEN_MINUTES))
    why = "A restart brings no database back. What liveness asks must not depend on it"
    told = _unharmed(probes, life, f"{why}: it asks about {_asked(probes, LIVENESS)}. {NAMED}")
    _no_calls(life, told, _ready_by(probes))
    _soon_back(life, told, AT + TEN_MINUTES)


def _hangs(probes: Probes) -> None:
    life = Life("the process hangs, and would for ever", 1200, hangs=(AT, NEVER[0]))
    told = lived(probes, life)
    why = "there is no livenessProbe"
    if LIVENESS in probes:
        asks_nobody = probes[LIVENESS].service is None
        why = "a process that hangs still has its port open" if asks_nobody else "liveness is asked too seldom"
    _cured(life, told, AT + MINUTE, f"a minute: {why}")
    _no_calls(life, told, TOO_SELDOM)


def _hangs_at_its_start(probes: Probes) -> None:
    why = "the startupProbe has too many tries" if STARTUP in probes else "liveness begins too late"
    life = Life("the process hangs while it starts", 2400, hangs=(0, NEVER[0]))
    _cured(life, lived(probes, life), TEN_MINUTES, f"ten minutes: {why}")
    life = Life("the process hangs 20 s after its start", 2400, hangs=(20, NEVER[0]))
    late = "a minute: liveness begins too late. A startupProbe ends when the start does, a delay does not"
    _cured(life, lived(probes, life), 20 + MINUTE, late)


def _is_busy(probes: Probes) -> None:
    """As long as a rush lasts each answer takes a while, that to a health check too."""
    life = Life("for five minutes each answer takes 2 s", 900, slow=(AT, 2 * AT))
    why = "It is busy, not dead: timeoutSeconds is 1 where nobody sets it"
    told = _unharmed(probes, life, why)
    if idle := [second for second in told.idle if second >= AT]:
        raise Wrong(f"{life.what}, and for {len(idle)} s the pod gets no calls. {why}")


def _pauses(probes: Probes) -> None:
    """At any moment between two probes."""
    for begins in range(int(AT), int(AT) + 30):
        life = Life(f"it says nothing for {PAUSE} s, then goes on", 600, hangs=(begins, begins + PAUSE))
        _unharmed(probes, life, "A pause is no death: ask less often, or let it fail more often")


def _unharmed(probes: Probes, life: Life, why: str = "") -> Told:
    told = lived(probes, life)
    if told.restarts:
        times = f"{len(told.restarts)} times, first" if len(told.restarts) > 1 else "once,"
        raise Wrong(f"{life.what}, and the pod is started again {times} at {told.restarts[0]:.0f} s. {why}".rstrip())
    return told


def _cured(life: Life, told: Told, by: float, limit: str) -> None:
    if not told.restarts:
        raise Wrong(f"{life.what}, and nobody starts it again within {life.lasts:.0f} s. The limit is {limit}")
    if told.restarts[0] > by:
        raise Wrong(f"{life.what}, and it is started again at {told.restarts[0]:.0f} s. The limit is {limit}")
    if len(told.restarts) > 1:
        raise Wrong(f"{life.what}: one restart is enough, {len(told.restarts)} come")


def _no_calls(life: Life, told: Told, why: str) -> None:
    begins = told.in_vain[0] if told.in_vain else 0
    in_a_row = len([*takewhile(lambda pair: pair[1] == begins + pair[0], enumerate(told.in_vain))])
    if in_a_row > SOON:
        raise Wrong(f"{life.what}, and for {in_a_row} s it still gets calls: {SOON} s at most. {why}")


def _soon_back(life: Life, told: Told, at: float) -> None:
    if (late := len([second for second in told.idle if second >= at])) > SOON:
        raise Wrong(f"{life.what}, and after that it waits {late} s for its first call: {SOON} s at most")


def _ready_by(probes: Probes) -> str:
    if READINESS in probes and probes[READINESS].service == SERVICE:
        return TOO_SELDOM
    return f"Readiness asks about {_asked(probes, READINESS)}. {NAMED}"


def _asked(probes: Probes, kind: str) -> str:
    probe = probes.get(kind)
    if probe is None:
        return "nothing"
    return "an open port" if probe.service is None else f'"{probe.service}"'


TASK = Task(
    id="5.1",
    title="Three probes that tell the truth",
    names=("PROBES",),
    hints=(
        (
            "Which of the three may ask whether the database answers? What does each cost when it says no: a restart, "
            "or no calls for a while?"
        ),
        (
            f"All three ask `grpc` at port {PORT}; only readiness names the service. Startup has many tries, one every "
            "few seconds, so that liveness may be quick. Tries times period is how long something may take."
        ),
        (
            "startupProbe: periodSeconds 3 and failureThreshold 100 are five minutes. livenessProbe: every 10 s, three "
            "failures, timeoutSeconds 5. readinessProbe: every 3 s, two failures, timeoutSeconds 3, and "
            f"`service: {SERVICE}` beside the port."
        ),
    ),
    check=check,
    wrong=WRONG,
)
