"""What people write first for task 4.1, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """\
        try:
            answer = await call(request, context)
        except asyncio.CancelledError:
            left = context.time_remaining()
            late = left is not None and left < 0.05
            count(StatusCode.DEADLINE_EXCEEDED if late else StatusCode.CANCELLED)
            raise
        except grpc.aio.AbortError:
            count(context.code())
            raise
        except BaseException:
            count(StatusCode.UNKNOWN)
            raise
        count(context.code() or StatusCode.OK)
        return answer
"""
_CODE_ALONE = """\
        try:
            return await call(request, context)
        finally:
            count(context.code() or StatusCode.OK)
"""
_AFTER_THE_ANSWER = """\
        answer = await call(request, context)
        count(context.code() or StatusCode.OK)
        return answer
"""
_ANY_EXCEPTION = """\
        try:
            answer = await call(request, context)
        except Exception:
            count(context.code() or StatusCode.UNKNOWN)
            raise
        count(context.code() or StatusCode.OK)
        return answer
"""
_TWICE = """\
        try:
            answer = await call(request, context)
        except grpc.aio.AbortError:
            count(context.code())
            raise
        finally:
            count(context.code() or StatusCode.OK)
        return answer
"""
_CODE_OF_THE_ERROR = """\
        except grpc.aio.AioRpcError as error:
            count(error.code())
            raise
        except BaseException:
"""
_TIMEOUT = """\
        except TimeoutError:
            count(StatusCode.DEADLINE_EXCEEDED)
            raise
        except BaseException:
"""
_FLAG = """\
        counted_call.code = StatusCode.CANCELLED
        try:
            answer = await call(request, context)
            counted_call.code = context.code() or StatusCode.OK
            return answer
        except asyncio.CancelledError:
            if (context.time_remaining() or 1) < 0.05:
                counted_call.code = StatusCode.DEADLINE_EXCEEDED
            raise
        except BaseException:
            counted_call.code = context.code() or StatusCode.UNKNOWN
            raise
        finally:
            count(counted_call.code)
"""


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


WRONG = (
    WrongAnswer(
        "asks context.code() alone", code=_CODE_ALONE, says="a bug: its caller was told UNKNOWN, and OK was counted"
    ),
    WrongAnswer(
        "OK in any case",
        code=_CODE_ALONE.replace("context.code() or ", ""),
        says="context.abort(NOT_FOUND): its caller was told NOT_FOUND, and OK was counted",
    ),
    WrongAnswer(
        "counts answers alone", code=_AFTER_THE_ANSWER, says="its caller was told NOT_FOUND, and nothing was counted"
    ),
    WrongAnswer(
        "does not read the code of an answer",
        code=_but("count(context.code() or StatusCode.OK)", "count(StatusCode.OK)"),
        says="was told RESOURCE_EXHAUSTED, and OK was counted. The handler chose it",
    ),
    WrongAnswer(
        "every exception is a bug",
        code=_but("            count(context.code())\n", "            count(StatusCode.UNKNOWN)\n"),
        says="its caller was told NOT_FOUND, and UNKNOWN was counted",
    ),
    WrongAnswer(
        "an Exception is all there is",
        code=_ANY_EXCEPTION,
        says="passes while the handler works: its caller was told DEADLINE_EXCEEDED, and nothing was counted",
    ),
    WrongAnswer(
        "whoever is cancelled has hung up",
        code=_but(
            "count(StatusCode.DEADLINE_EXCEEDED if late else StatusCode.CANCELLED)", "count(StatusCode.CANCELLED)"
        ),
        says="its caller was told DEADLINE_EXCEEDED, and CANCELLED was counted",
    ),
    WrongAnswer(
        "whoever had a deadline has missed it",
        code=_but(" and left < 0.05", ""),
        says="a deadline of 20 s hangs up: its caller was told CANCELLED, and DEADLINE_EXCEEDED was counted",
    ),
    WrongAnswer(
        "a deadline is missed at 0 exactly", code=_but("left < 0.05", "left <= 0"), says="so do not ask for exactly 0"
    ),
    WrongAnswer(
        "everybody has a deadline",
        code=_but("left is not None and ", ""),
        says="without a deadline hangs up: the handler raised CancelledError, and counted TypeError",
    ),
    WrongAnswer(
        "swallows the bug",
        code=_but("count(StatusCode.UNKNOWN)\n            raise", "count(StatusCode.UNKNOWN)\n            return None"),
        says="ValueError was swallowed",
    ),
    WrongAnswer(
        "swallows the cancellation",
        code=_but("StatusCode.CANCELLED)\n            raise", "StatusCode.CANCELLED)\n            return None"),
        says="so CancelledError was swallowed",
    ),
    WrongAnswer(
        "another exception for a bug",
        code=_but(
            "count(StatusCode.UNKNOWN)\n            raise", "count(StatusCode.UNKNOWN)\n            raise RuntimeError"
        ),
        says="the handler raised ValueError, and counted RuntimeError",
    ),
    WrongAnswer(
        "aborts instead",
        code=_but(
            "count(StatusCode.UNKNOWN)\n            raise",
            'count(StatusCode.UNKNOWN)\n            await context.abort(StatusCode.UNKNOWN, "a bug")',
        ),
        says="the handler raised ValueError, and counted AbortError",
    ),
    WrongAnswer("once here, once in finally", code=_TWICE, says="it was counted 2 times, as NOT_FOUND, NOT_FOUND"),
    WrongAnswer(
        "one place for all requests",
        code=_FLAG,
        says="hangs up: its caller was told CANCELLED, and OK was counted",
    ),
    WrongAnswer(
        "counts before, too",
        code="        count(StatusCode.OK)\n" + _RIGHT,
        says="the handler answers: it was counted 2 times, as OK, OK",
    ),
    WrongAnswer(
        "the code of another service's error",
        code=_but("        except BaseException:\n", _CODE_OF_THE_ERROR),
        says="a service that it asked: its caller was told UNKNOWN, and UNAVAILABLE was counted",
    ),
    WrongAnswer(
        "any timeout is the deadline",
        code=_but("        except BaseException:\n", _TIMEOUT),
        says="something it waited for: its caller was told UNKNOWN, and DEADLINE_EXCEEDED was counted",
    ),
    WrongAnswer(
        "names for codes",
        code=_but("count(context.code() or StatusCode.OK)", 'count("OK")'),
        says="count was called with 'OK'; it takes a grpc.StatusCode",
    ),
    WrongAnswer(
        "forgets to return", code=_but("        return answer\n", ""), says="its caller wants the handler's answer"
    ),
)
