"""Task 5.8: who may do what. Every caller, every method and every request are compared with the table of the system."""

from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

from access.callers import Caller, NotAllowed, NotAuthenticated, Role
from booking_service.domain import BookingNotFound

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase5.given_calls import (
    ADAS,
    CALLERS,
    CHANGES,
    NOBODYS,
    OPEN,
    TICKETS,
    UNKNOWN,
    calls,
    right_refusal,
)
from workbook.tasks.phase5.wrong_may import WRONG

OwnerOf = Callable[[str], Awaitable[str | None]]
May = Callable[[Caller, str, Any, OwnerOf], Awaitable[Any]]
REFUSALS = (NotAuthenticated, NotAllowed, BookingNotFound)


class Ledger:
    """Whose bookings are whose; `asked` counts how often somebody wanted to know."""

    def __init__(self) -> None:
        self.asked = 0

    async def owner_of(self, booking_id: str) -> str | None:
        self.asked += 1
        return {ADAS: "ada"}.get(booking_id)


async def check(may: May) -> str:
    """Every caller with every call: the table allows some of each kind, so that refusing everything fails, too."""
    allowed = refused = 0
    texts: dict[str, str] = {}
    for (who, caller), (method, request) in product(CALLERS.items(), calls()):
        right = right_refusal(caller, method, request)
        what = f"{who} calls {_shown(method, request)}"
        refusal = await _judged(may, what, (caller, method, request), right)
        if isinstance(refusal, BookingNotFound):
            _same_text(what, request.booking_id, str(refusal), texts)
        allowed, refused = allowed + (right is None), refused + (right is not None)
    return f"{allowed} calls allowed, {refused} refused, each for its own reason"


def _shown(method: str, request: Any) -> str:
    if method in UNKNOWN:
        return method
    booking_id, user_id = getattr(request, "booking_id", ""), getattr(request, "user_id", "")
    whose = {ADAS: "ada's booking", NOBODYS: "a booking that nobody has"}.get(booking_id, f"booking_id {booking_id!r}")
    named = f"user_id {user_id!r}" if user_id else whose if booking_id else ""
    return f"{method} for {named}" if named else method


async def _judged(
    may: May, what: str, call: tuple[Caller, str, Any], right: type[Exception] | None
) -> Exception | None:
    """The refusal, if it is the right one, or None if that is right."""
    ledger = Ledger()
    try:
        said = await may(*call, ledger.owner_of)
    except REFUSALS as refusal:
        _refused(what, refusal, right, call)
        _asked_in_order(what, call[0], ledger)
        return refusal
    if right is not None:
        raise Wrong(f"{what}: it is allowed, and {right.__name__} is right. {_why(call, right)}")
    if said is not None:
        raise Wrong(f"{what}: may gives {said!r}. It returns nothing; a refusal is raised, so that nobody forgets it")
    _asked_in_order(what, call[0], ledger)
    return None


def _asked_in_order(what: str, caller: Caller, ledger: Ledger) -> None:
    if ledger.asked and not caller.has(Role.CUSTOMER, Role.ADMIN):
        raise Wrong(f"{what}: may asked whose booking it is. First who calls: strangers shall not cost us a query")


def _refused(what: str, refusal: Exception, right: type[Exception] | None, call: tuple[Caller, str, Any]) -> None:
    if right is None:
        raise Wrong(f"{what}: {type(refusal).__name__} was raised, and it is allowed. {_allowed(call)}".rstrip())
    if type(refusal) is not right:
        raise Wrong(f"{what}: {type(refusal).__name__} was raised, {right.__name__} is right. {_why(call, right)}")


def _same_text(what: str, booking_id: str, said: str, texts: dict[str, str]) -> None:
    """Apart from the id itself."""
    text = said.replace(booking_id, "ID") if booking_id else said
    if booking_id and texts.setdefault("", text) != text:
        raise Wrong(
            f"{what}: the refusal says {said!r}, and for another id it said {texts['']!r}. Two texts tell which ids "
            "there are: for another's booking and for nobody's word for word the same"
        )


def _allowed(call: tuple[Caller, str, Any]) -> str:
    caller, method, _ = call
    if method.rpartition("/")[2] in OPEN:
        return "Everybody may see what is on"
    return "An admin may do whatever is in the table" if caller.has(Role.ADMIN) else ""


def _why(call: tuple[Caller, str, Any], right: type[Exception]) -> str:
    caller, method, _ = call
    if right in _WHY:
        return _WHY[right]
    if method in UNKNOWN:
        return "What is not in the table is refused, for all: a method added tomorrow shall not be open by accident"
    of_name = {
        **dict.fromkeys(TICKETS, _TICKETS),
        **dict.fromkeys(CHANGES, "Events are changed by organisers and admins"),
    }
    return of_name.get(method.rpartition("/")[2], _USER if caller.has(Role.CUSTOMER) else _CUSTOMERS)


_WHY: dict[type[Exception], str] = {
    BookingNotFound: "Another's booking is, to the caller, not there. NotAllowed would say that this id exists",
    NotAuthenticated: "Nobody knows who this is; NotAllowed is for those who are known",
}
_TICKETS = "Tickets are taken for a booking, by booking-service itself; who calls directly takes them without one"
_USER = "The user of a request must be the caller: a good token says who one is, not whom one may book for"
_CUSTOMERS = "Bookings are for customers and admins"

TASK = Task(
    id="5.8",
    title="May they? Deny what is not listed",
    names=("may",),
    hints=(
        (
            "Write the table of methods first. What happens to a method that is not in it, and to a method that a "
            "colleague adds next week? Then: a good token of eve's, and the id of ada's booking. What does she get?"
        ),
        (
            "Three questions, in this order: is the method in the table, is it open to all; is it known who calls; has "
            "the caller a role that may. Only then look at the request: request.user_id must be caller.id, or "
            "await owner_of(request.booking_id). An admin is through before that."
        ),
        (
            "if not caller.known: raise NotAuthenticated(…). Admins return. For bookings: no Role.CUSTOMER is "
            "NotAllowed; then `if await owner_of(request.booking_id) != caller.id: raise "
            "BookingNotFound(request.booking_id)`, for another's and for nobody's alike. For tickets: "
            'caller.is_service("booking-service").'
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=30,
)
