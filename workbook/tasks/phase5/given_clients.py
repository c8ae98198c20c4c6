"""Requests as a gateway sees them, each with whom it has to be counted for."""

from typing import NamedTuple


class Asked(NamedTuple):
    """As the lesson's cell has it."""

    method: str
    path: str
    user: str
    address: str

    def __str__(self) -> str:
        return f"({self.method} {self.path} by {self.user or 'nobody known'} from {self.address})"


class Group(NamedTuple):
    """All requests of one group are counted as one; `why` is what it is about."""

    limit: str
    who: str
    why: str


_SIGN_IN = "signing in is counted by address, whoever asks: a token of one's own shall not buy guesses at others'"
_USER = "who is known is counted as that user, wherever they are"
_ADDRESS = "who is not known is counted by address, and of IPv6 by its /64: a customer has all of that"
_GET, _BOOK = ("GET", "/v1/bookings"), ("POST", "/v1/bookings")
_PLACES = {
    "203.0.113.7": ("203.0.113.7", "::ffff:203.0.113.7"),
    "203.0.113.8": ("203.0.113.8",),
    "2001:db8:0:1": ("2001:db8:0:1::7", "2001:db8:0:1:ffff::1", "2001:DB8:0000:0001::0007"),
    "2001:db8:0:2": ("2001:db8:0:2::7",),
    "nowhere": ("unknown",),
}

CLIENTS = (
    *(
        (Asked(*what, "", address), Group("address", place, _ADDRESS))
        for what in (_GET, ("GET", "/v1/events"), ("DELETE", "/v1/sessions"))
        for place, addresses in _PLACES.items()
        for address in addresses
    ),
    *(
        (Asked(*what, user, address), Group("user", user, _USER))
        for what in (_GET, _BOOK, ("GET", "/v1/users/me"))
        for user in ("ada", "eve", "203.0.113.7", "sign-in")
        for address in ("203.0.113.7", "2001:db8:0:1::7", "unknown")
    ),
    *(
        (Asked("POST", path, user, address), Group("sign-in", place, _SIGN_IN))
        for path in ("/v1/users", "/v1/sessions", "/v1/sessions/refresh")
        for user in ("", "ada", "eve")
        for place, addresses in _PLACES.items()
        for address in addresses
    ),
)
