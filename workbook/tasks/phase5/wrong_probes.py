"""What people write first for task 5.1, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_STARTUP = "startupProbe: {grpc: {port: 50051}, periodSeconds: 3, failureThreshold: 100, timeoutSeconds: 3}\n"
_LIVENESS = "livenessProbe: {grpc: {port: 50051}, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 5}\n"
_READY = "grpc: {port: 50051, service: booking.BookingService}"
_READINESS = f"readinessProbe: {{{_READY}, periodSeconds: 3, failureThreshold: 2, timeoutSeconds: 3}}\n"
_RIGHT = _STARTUP + _LIVENESS + _READINESS


def _text(probes: str) -> str:
    return f'PROBES = """\n{probes}"""\n'


def _but(old: str, new: str) -> str:
    return _text(_RIGHT.replace(old, new))


WRONG = (
    WrongAnswer(
        "liveness asks whether it can work",
        code=_but(_LIVENESS, _LIVENESS.replace("{port: 50051}", "{port: 50051, service: booking.BookingService}")),
        says="A restart brings no database back",
    ),
    WrongAnswer(
        "readiness asks the process",
        code=_but(_READY, "grpc: {port: 50051}"),
        says='still gets calls: 15 s at most. Readiness asks about ""',
    ),
    WrongAnswer("no startupProbe", code=_text(_LIVENESS + _READINESS), says="Liveness is asked while it still starts"),
    WrongAnswer(
        "a short start", code=_but("failureThreshold: 100", "failureThreshold: 10"), says="A start may take 240 s"
    ),
    WrongAnswer(
        "a delay instead of a startupProbe",
        code=_text(_LIVENESS.replace("periodSeconds", "initialDelaySeconds: 260, periodSeconds") + _READINESS),
        says="a delay does not",
    ),
    WrongAnswer(
        "a start without end", code=_but("failureThreshold: 100", "failureThreshold: 9999"), says="has too many tries"
    ),
    WrongAnswer("no livenessProbe", code=_text(_STARTUP + _READINESS), says="there is no livenessProbe"),
    WrongAnswer("no readinessProbe", code=_text(_STARTUP + _LIVENESS), says="there is no readinessProbe"),
    WrongAnswer(
        "one failure is enough",
        code=_but("periodSeconds: 10, failureThreshold: 3", "periodSeconds: 10, failureThreshold: 1"),
        says="A pause is no death",
    ),
    WrongAnswer(
        "liveness as quick as readiness",
        code=_but("periodSeconds: 10", "periodSeconds: 2"),
        says="A pause is no death",
    ),
    WrongAnswer(
        "a patient liveness", code=_but("periodSeconds: 10", "periodSeconds: 60"), says="liveness is asked too seldom"
    ),
    WrongAnswer(
        "a patient readiness",
        code=_but("periodSeconds: 3, failureThreshold: 2", "periodSeconds: 15, failureThreshold: 3"),
        says="Readiness is asked too seldom",
    ),
    WrongAnswer("the timeout that comes by itself", code=_but(", timeoutSeconds: 5", ""), says="It is busy, not dead"),
    WrongAnswer(
        "a short timeout of readiness",
        code=_but("failureThreshold: 2, timeoutSeconds: 3", "failureThreshold: 2, timeoutSeconds: 1"),
        says="the pod gets no calls. It is busy",
    ),
    WrongAnswer(
        "a name that is nobody's",
        code=_but("booking.BookingService", "booking-service"),
        says="the pod never gets a call",
    ),
    WrongAnswer(
        "who has started listens",
        code=_text(_STARTUP.replace("grpc", "tcpSocket") + _LIVENESS + _READINESS),
        says="An open port is no start",
    ),
    WrongAnswer(
        "who listens is alive",
        code=_text(_STARTUP + _LIVENESS.replace("grpc", "tcpSocket") + _READINESS),
        says="still has its port open",
    ),
    WrongAnswer("HTTP", code=_but(_READY, "httpGet: {port: 50051, path: /healthz}"), says="asks by httpGet"),
    WrongAnswer(
        "an open port is enough", code=_but(_READY, "tcpSocket: {port: grpc}"), says="Readiness asks about an open port"
    ),
    WrongAnswer(
        "the port by its name", code=_but("grpc: {port: 50051}", "grpc: {port: grpc}"), says="is not of type 'integer'"
    ),
    WrongAnswer("the port of the metrics", code=_but("{port: 50051}", "{port: 9465}"), says="gRPC listens on 50051"),
    WrongAnswer("a slip in a field", code=_but("periodSeconds: 10", "period: 10"), says="('period' was unexpected)"),
    WrongAnswer(
        "several good answers for liveness",
        code=_but("timeoutSeconds: 5", "timeoutSeconds: 5, successThreshold: 2"),
        says="livenessProbe.successThreshold: for this probe it must be 1",
    ),
    WrongAnswer(
        "ready after many good answers",
        code=_but("failureThreshold: 2", "failureThreshold: 2, successThreshold: 9"),
        says="asked too seldom, or too late",
    ),
    WrongAnswer(
        "a name for the probes", code=_text(_RIGHT.replace("livenessProbe", "liveness")), says="no probe 'liveness'"
    ),
)
