"""What people write first for task 5.8, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """
    service, _, name = method.rpartition("/")
    if service == "/event.EventService" and name in ("GetEvent", "ListEvents", "WatchAvailability"):
        return
    bookings = service == "/booking.BookingService" and name in (
        "CreateBooking", "ListUserBookings", "GetBooking", "CancelBooking"
    )
    changes = service == "/event.EventService" and name in (
        "CreateEvent", "UpdateEvent", "DeleteEvent", "UpdateAvailableTickets"
    )
    tickets = service == "/event.EventService" and name in ("ReserveTickets", "ReleaseTickets")
    if not (bookings or changes or tickets):
        raise NotAllowed("nobody may call this method")
    if not caller.known:
        raise NotAuthenticated("this call needs a token")
    if caller.has(Role.ADMIN):
        return
    if tickets and not caller.is_service("booking-service"):
        raise NotAllowed("only for booking-service")
    if changes and not caller.has(Role.ORGANISER):
        raise NotAllowed("only for organisers")
    if not bookings:
        return
    if not caller.has(Role.CUSTOMER):
        raise NotAllowed("only for customers")
    if name in ("GetBooking", "CancelBooking"):
        if await owner_of(request.booking_id) != caller.id:
            raise BookingNotFound(request.booking_id)
    elif request.user_id != caller.id:
        raise NotAllowed("user_id must be your own")
"""
_WHO_IS_ENOUGH = """
    if method in [f"/event.EventService/{name}" for name in ("GetEvent", "ListEvents", "WatchAvailability")]:
        return
    if not caller.known:
        raise NotAuthenticated("this call needs a token")
"""
_LIST_OF_FORBIDDEN = """
    if method.endswith(("Tickets", "CreateEvent", "UpdateEvent", "DeleteEvent")) and not caller.has(Role.ADMIN):
        raise NotAllowed("not for you")
"""
_FORBIDDEN = '        raise NotAllowed("nobody may call this method")\n'
_OWNER = "        if await owner_of(request.booking_id) != caller.id:\n"


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


WRONG = (
    WrongAnswer("a good token is enough", code=_WHO_IS_ENOUGH, says="What is not in the table is refused, for all"),
    WrongAnswer("a list of what is forbidden", code=_LIST_OF_FORBIDDEN, says="it is allowed, and"),
    WrongAnswer(
        "no token, no matter",
        code=_but("    if not caller.known:\n", "    if False:\n"),
        says="NotAuthenticated is right. Nobody knows who this is",
    ),
    WrongAnswer(
        "open unless listed",
        code=_but(_FORBIDDEN, "        return\n"),
        says="a method added tomorrow shall not be open by accident",
    ),
    WrongAnswer(
        "admins may do anything, listed or not",
        code="    if caller.has(Role.ADMIN):\n        return\n" + _RIGHT.lstrip("\n"),
        says="What is not in the table is refused, for all",
    ),
    WrongAnswer(
        "a method by its last part",
        code=_but('service == "/event.EventService" and name in ("Get', 'name in ("Get'),
        says="somebody without a token calls /shadow.EventService/GetEvent: it is allowed",
    ),
    WrongAnswer(
        "everybody's bookings by id",
        code=_but(_OWNER, "        if await owner_of(request.booking_id) is None:\n"),
        says="for ada's booking: it is allowed, and BookingNotFound is right",
    ),
    WrongAnswer(
        "403 for another's",
        code=_but(
            _OWNER,
            "        owner = await owner_of(request.booking_id)\n"
            "        if owner not in (None, caller.id):\n"
            '            raise NotAllowed("this is not yours")\n'
            "        if owner is None:\n",
        ),
        says="NotAllowed would say that this id exists",
    ),
    WrongAnswer(
        "another text for another's",
        code=_but(
            _OWNER,
            "        owner = await owner_of(request.booking_id)\n"
            "        if owner not in (None, caller.id):\n"
            '            raise BookingNotFound(f"{request.booking_id} of yours")\n'
            "        if owner is None:\n",
        ),
        says="Two texts tell which ids",
    ),
    WrongAnswer(
        "reading is for all, cancelling is not",
        code=_but(
            'name in ("GetBooking", "CancelBooking"):',
            'name == "GetBooking":\n        return\n    if name == "CancelBooking":',
        ),
        says="it is allowed, and BookingNotFound is right",
    ),
    WrongAnswer(
        "books for whoever the request says",
        code=_but("    elif request.user_id != caller.id:\n", "    elif not request.user_id:\n"),
        says="not whom one may book for",
    ),
    WrongAnswer(
        "an empty user is oneself",
        code=_but("request.user_id != caller.id", "request.user_id not in (caller.id, '')"),
        says="not whom one may book for",
    ),
    WrongAnswer(
        "asks the database first",
        code="    owner = await owner_of(getattr(request, 'booking_id', ''))\n" + _RIGHT.lstrip("\n"),
        says="strangers shall not cost us a query",
    ),
    WrongAnswer(
        "any service",
        code=_but('caller.is_service("booking-service")', "caller.has(Role.SERVICE)"),
        says="api-gateway itself calls",
    ),
    WrongAnswer(
        "a service by its name",
        code=_but('caller.is_service("booking-service")', 'caller.id == "booking-service"'),
        says="a customer who is called booking-service calls",
    ),
    WrongAnswer(
        "customers reserve for themselves",
        code=_but("    if tickets and not caller", "    if tickets and not caller.has(Role.CUSTOMER) and not caller"),
        says="who calls directly takes them without one",
    ),
    WrongAnswer(
        "admins are customers, too",
        code=_but("    if caller.has(Role.ADMIN):\n        return\n", ""),
        says="An admin may do whatever is in the table",
    ),
    WrongAnswer(
        "roles are for events", code=_but("not caller.has(Role.CUSTOMER)", "False"), says="Bookings are for customers"
    ),
    WrongAnswer(
        "says no instead of raising it",
        code=_but("raise NotAllowed(", "return str("),
        says="it is allowed, and NotAllowed",
    ),
    WrongAnswer(
        "events only for those who are known",
        code=_but(
            '    if service == "/event.EventService" and',
            '    if caller.known and service == "/event.EventService" and',
        ),
        says="Everybody may see what is on",
    ),
)
