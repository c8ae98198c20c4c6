"""How a broker is asked for: by `./learn up --kafka`, by WORKBOOK_KAFKA, or by `LocalStack(kafka=…)`."""

import re
from argparse import ArgumentTypeError

OWN = ("apache", "embedded")  # the local stack runs it itself
_ADDRESS = re.compile(r"[^\s:,/]+:[0-9]{1,5}")


class UnknownBroker(ArgumentTypeError):
    """Nothing of that name; the command line shows the text as it stands."""


def broker_name(text: str) -> str:
    """The name as it was given: `auto`, `apache`, `embedded` or HOST:PORT; UnknownBroker for anything else."""
    if text in {"auto", *OWN} or _ADDRESS.fullmatch(text):
        return text
    raise UnknownBroker(f"no broker {text!r}; there is auto, {', '.join(OWN)}, or HOST:PORT of one that runs")
