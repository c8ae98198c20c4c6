"""What people write first for task 4.4, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_METHOD = """\
    method = asked.path.removeprefix("/")
    if method not in METHODS or not asked.path.startswith("/"):
        method = "other"
"""
_CODE = """\
    code = asked.code
    if not isinstance(code, grpc.StatusCode):
        code = {known.value[0]: known for known in grpc.StatusCode}.get(code, grpc.StatusCode.UNKNOWN)
"""
_RETURN = """\
    return {"method": method, "code": code.name}
"""


def _and(label: str) -> str:
    """The right answer with one label more."""
    return _METHOD + _CODE + _RETURN.replace("}", f", {label}}}")


WRONG = (
    WrongAnswer(
        "the user, too",
        code=_and('"user_id": asked.user_id'),
        says="500 requests that differ in user_id alone make 500 series",
    ),
    WrongAnswer(
        "the event, too",
        code=_and('"event_id": asked.event_id'),
        says="500 requests that differ in event_id alone make 500 series",
    ),
    WrongAnswer(
        "the caller's address, too",
        code=_and('"peer": asked.peer'),
        says="500 requests that differ in peer alone make 500 series",
    ),
    WrongAnswer(
        "users in a hundred heaps",
        code=_and('"users": str(sum(asked.user_id.encode()) % 100)'),
        says="500 requests that differ in user_id alone make 40 series",
    ),
    WrongAnswer(
        "the path as it comes",
        code="    method = asked.path\n" + _CODE + _RETURN,
        says="each for another one, make 500 series",
    ),
    WrongAnswer(
        "the path in small letters",
        code="    method = asked.path.lower()\n" + _CODE + _RETURN,
        says="'method': '/scan.service499/method499'",
    ),
    WrongAnswer(
        "the last part of the path",
        code='    method = asked.path.split("/")[-1]\n' + _CODE + _RETURN,
        says="'method': 'Method499'",
    ),
    WrongAnswer(
        "a number made of the path",
        code="    method = str(hash(asked.path) % 1000)\n" + _CODE + _RETURN,
        says="ask for a method that does not exist, each for another one, make",
    ),
    WrongAnswer(
        "one heap for all methods",
        code='    method = "other"\n' + _CODE + _RETURN,
        says="/booking.BookingService/GetBooking that ended OK have the same labels, {'method': 'other'",
    ),
    WrongAnswer(
        "the service alone",
        code=_METHOD + '    method = method.split("/")[0]\n' + _CODE + _RETURN,
        says="have the same labels, {'method': 'booking.BookingService', 'code': 'OK'}",
    ),
    WrongAnswer(
        "any letter case",
        code="""\
    known = {method.lower(): method for method in METHODS}
    method = known.get(asked.path.removeprefix("/").lower(), "other")
"""
        + _CODE
        + _RETURN,
        says="'/booking.bookingservice/getbooking' is counted as booking.BookingService/GetBooking",
    ),
    WrongAnswer(
        "whatever contains it",
        code="""\
    method = next((method for method in METHODS if method in asked.path), "other")
"""
        + _CODE
        + _RETURN,
        says="'/a/booking.BookingService/GetBooking' is counted as",
    ),
    WrongAnswer(
        "no code",
        code=_METHOD + '    return {"method": method}\n',
        says="CreateBooking that ended OK and /booking.BookingService/CreateBooking that ended CANCELLED have the same",
    ),
    WrongAnswer(
        "good or bad",
        code=_METHOD + _CODE + _RETURN.replace("code.name", '"OK" if code.value[0] == 0 else "ERROR"'),
        says="that ended CANCELLED and /booking.BookingService/CreateBooking that ended UNKNOWN have the same",
    ),
    WrongAnswer(
        "the code as it comes",
        code=_METHOD + _RETURN.replace("code.name", "str(asked.code)"),
        says="the code is OK, once as grpc.StatusCode and once as its number",
    ),
    WrongAnswer(
        "a code that is no text",
        code=_METHOD + _CODE + _RETURN.replace("code.name", "code.value[0]"),
        says="label 'code' is 5; names and values of labels are text",
    ),
    WrongAnswer(
        "unknown codes as they come",
        code=_METHOD
        + """\
    names = {known.value[0]: known.name for known in grpc.StatusCode}
    code = asked.code
    code = code.name if isinstance(code, grpc.StatusCode) else names.get(code, str(code))
    return {"method": method, "code": code}
""",
        says="which gRPC does not have, make 5 series",
    ),
    WrongAnswer(
        "unknown codes are OK", code=_METHOD + _CODE.replace("UNKNOWN", "OK") + _RETURN, says="code 17 is counted as OK"
    ),
    WrongAnswer(
        "all codes are known",
        code=_METHOD + _CODE.replace(".get(code, grpc.StatusCode.UNKNOWN)", "[code]") + _RETURN,
        says="that ended 42: labels_of raises KeyError",
    ),
    WrongAnswer(
        "codes have names",
        code=_METHOD + "    code = asked.code\n" + _RETURN,
        says="that ended 0: labels_of raises AttributeError",
    ),
    WrongAnswer(
        "no label for what is not known",
        code=_METHOD + _CODE + '    if method == "other":\n        return {"code": code.name}\n' + _RETURN,
        says="/.env that ended NOT_FOUND has code: a counter has the same label names always",
    ),
)
