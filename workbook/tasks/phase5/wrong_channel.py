"""What people write first for task 5.2, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_TURNS = '("grpc.lb_policy_name", "round_robin")'
_ASKED = '("grpc.dns_min_time_between_resolutions_ms", 500)'
_AGE = '("grpc.max_connection_age_ms", 1000)'


def _options(channel: tuple[str, ...], server: tuple[str, ...]) -> str:
    return f"CHANNEL_OPTIONS = [{', '.join(channel)}]\nSERVER_OPTIONS = [{', '.join(server)}]\n"


WRONG = (
    WrongAnswer("nothing", code=_options((), ()), says="A channel chooses one address and stays there"),
    WrongAnswer("no turns", code=_options((_ASKED,), (_AGE,)), says="A channel chooses one address and stays there"),
    WrongAnswer(
        "the server's turns", code=_options((_ASKED,), (_TURNS, _AGE)), says="the option stands with the client"
    ),
    WrongAnswer(
        "a balancer that is nobody's",
        code=_options((_TURNS.replace("round_robin", "random"), _ASKED), (_AGE,)),
        says="A channel chooses one address and stays there",
    ),
    WrongAnswer("connections of any age", code=_options((_TURNS, _ASKED), ()), says="no connection ended"),
    WrongAnswer("the client's age", code=_options((_TURNS, _ASKED, _AGE), ()), says="It is the server that must end"),
    WrongAnswer(
        "idle, not old",
        code=_options((_TURNS, _ASKED), (_AGE.replace("age", "idle"),)),
        says="no connection ended",
    ),
    WrongAnswer(
        "kept alive",
        code=_options((_TURNS, _ASKED, '("grpc.keepalive_time_ms", 1000)'), ()),
        says="no connection ended",
    ),
    WrongAnswer(
        "a minute, as in the cluster",
        code=_options((_TURNS, _ASKED), (_AGE.replace("1000", "60000"),)),
        says="2 s old at most",
    ),
    WrongAnswer("DNS is asked every 30 s", code=_options((_TURNS,), (_AGE,)), says="every 30 s at most"),
    WrongAnswer("seconds", code=_options((_TURNS, _ASKED), (_AGE.replace("1000", "1"),)), says="is in milliseconds"),
    WrongAnswer(
        "text", code=_options((_TURNS, _ASKED), (_AGE.replace("1000", '"1s"'),)), says="a whole number of milli"
    ),
    WrongAnswer("no prefix", code=_options((_TURNS.replace("grpc.", ""), _ASKED), (_AGE,)), says='begin with "grpc."'),
    WrongAnswer(
        "a dict",
        code='CHANNEL_OPTIONS = {"grpc.lb_policy_name": "round_robin"}\nSERVER_OPTIONS = []\n',
        says="a list of pairs is wanted",
    ),
)
