"""What people write first for task 5.9, and how the check answers."""

from workbook.lesson.source import NEXT
from workbook.lesson.task import WrongAnswer

_INIT = """\
        self.amount, self.seconds, self.number = amount, seconds, 0
        self.this, self.before = {}, {}
"""
_TAKE = """\
        number, into = divmod(now / self.seconds, 1)
        if number != self.number:
            self.before = self.this if number == self.number + 1 else {}
            self.this, self.number = {}, number
        this, before = self.this.get(key, 0), self.before.get(key, 0)
        left = self.amount - this - before * (1 - into)
        if left >= 1:
            self.this[key] = this + 1
            return Taken(True, math.floor(left) - 1, 0)
        if this < self.amount:
            wait = 1 - (self.amount - this - 1) / before - into
        else:
            wait = 1 - into + 1 - (self.amount - 1) / this
        return Taken(False, 0, wait * self.seconds)
"""
_KEY = """\
    place = asked.address
    if place != "unknown":
        address = ipaddress.ip_address(place)
        if address.version == 6:
            place = str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))
    if asked.method == "POST" and asked.path in ("/v1/users", "/v1/sessions", "/v1/sessions/refresh"):
        return "sign-in", place
    return ("user", asked.user) if asked.user else ("address", place)
"""
_FIXED = """\
        number, into = divmod(now / self.seconds, 1)
        if number != self.number:
            self.this, self.number = {}, number
        this = self.this.get(key, 0)
        if this >= self.amount:
            return Taken(False, 0, (1 - into) * self.seconds)
        self.this[key] = this + 1
        return Taken(True, self.amount - this - 1, 0)
"""
_LOG = """\
        times = self.this.setdefault(key, deque())
        while times and times[0] <= now - self.seconds:
            times.popleft()
        if len(times) >= self.amount:
            return Taken(False, 0, times[0] + self.seconds - now)
        times.append(now)
        return Taken(True, self.amount - len(times), 0)
"""
_BUCKET = """\
        tokens, at = self.this.get(key, (self.amount, now))
        tokens = min(self.amount, tokens + (now - at) * self.amount / self.seconds)
        if tokens < 1:
            return Taken(False, 0, (1 - tokens) * self.seconds / self.amount)
        self.this[key] = tokens - 1, now
        return Taken(True, int(tokens - 1), 0)
"""
_BY_KEY = """\
        number, into = divmod(now / self.seconds, 1)
        at, this, before = self.this.get(key, (number, 0, 0))
        if number != at:
            this, before = 0, this if number == at + 1 else 0
        left = self.amount - this - before * (1 - into)
        if left >= 1:
            self.this[key] = number, this + 1, before
            return Taken(True, math.floor(left) - 1, 0)
        if this < self.amount:
            wait = 1 - (self.amount - this - 1) / before - into
        else:
            wait = 1 - into + 1 - (self.amount - 1) / this
        return Taken(False, 0, wait * self.seconds)
"""
_TIDY = """\
        for other in [each for each, (at, *_) in self.this.items() if at < now // self.seconds - 1]:
            del self.this[other]
"""
_IN_THE_CLASS = """\
        cls = type(self)
        cls.amount, cls.seconds, cls.number = amount, seconds, getattr(cls, "number", 0)
        cls.this, cls.before = getattr(cls, "this", {}), getattr(cls, "before", {})
"""


def _take(code: str, init: str = _INIT) -> str:
    return init + NEXT + code + NEXT + _KEY


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part of `take`."""
    return _take(_TAKE.replace(right, wrong))


def _key(right: str, wrong: str) -> str:
    """The right answer, except for one part of `key_of`."""
    return _INIT + NEXT + _TAKE + NEXT + _KEY.replace(right, wrong)


WRONG = (
    WrongAnswer("a fixed window", code=_take(_FIXED), says="around the end of a window 20 came through"),
    WrongAnswer("all times, exactly", code=_take(_LOG), says="in the one before"),
    WrongAnswer("a bucket of tokens", code=_take(_BUCKET), says="in the one before"),
    WrongAnswer(
        "the wrong share of the window before",
        code=_but("before * (1 - into)\n", "before * into\n"),
        says="around the end of a window",
    ),
    WrongAnswer(
        "all of the window before", code=_but("before * (1 - into)\n", "before\n"), says="retry_after is too short"
    ),
    WrongAnswer(
        "any earlier window is the one before",
        code=_but(" if number == self.number + 1 else {}", ""),
        says="0 in this window, 0 in the one before",
    ),
    WrongAnswer("one too many", code=_but("left >= 1", "left > 0"), says="around the end of a window"),
    WrongAnswer(
        "refused tries cost",
        code=_but("        left =", "        self.this[key] = this + 1\n        left ="),
        says="or refused tries are counted",
    ),
    WrongAnswer(
        "come back when the window ends",
        code=_but("return Taken(False, 0, wait * self.seconds)", "return Taken(False, 0, (1 - into) * self.seconds)"),
        says="retry_after is",
    ),
    WrongAnswer("waits in windows", code=_but("wait * self.seconds", "wait"), says="retry_after is too short"),
    WrongAnswer(
        "whole seconds", code=_but("wait * self.seconds", "math.ceil(wait * self.seconds)"), says="retry_after is"
    ),
    WrongAnswer(
        "remaining before this one", code=_but("math.floor(left) - 1", "math.floor(left)"), says="remaining is"
    ),
    WrongAnswer("half a request remains", code=_but("math.floor(left) - 1", "left - 1"), says="remaining is"),
    WrongAnswer(
        "one limit for all",
        code=_but("        this, before", '        key = "all"\n        this, before'),
        says="each key is counted for itself",
    ),
    WrongAnswer(
        "counts in the class",
        code=_take(_TAKE.replace("self.", "type(self)."), _IN_THE_CLASS),
        says="its counts belong to the object",
    ),
    WrongAnswer("keeps every key", code=_take(_BY_KEY), says="of them are still kept"),
    WrongAnswer("looks through all keys", code=_take(_TIDY + _BY_KEY), says="No take may look through all keys"),
    WrongAnswer(
        "looks through all keys once a window",
        code=_take(
            "        if now // self.seconds != self.number:\n"
            "            self.number = now // self.seconds\n"
            "            self.this = {k: v for k, v in self.this.items() if v[0] >= self.number - 1}\n" + _BY_KEY
        ),
        says="not even now and then",
    ),
    WrongAnswer("its own clock", code=_but("divmod(now", "divmod(time.time()"), says="was refused"),
    WrongAnswer("by address alone", code=_key("if asked.user else", "if False else"), says="counted as that user"),
    WrongAnswer(
        "every address of IPv6", code=_key("if address.version == 6", "if False"), says="a customer has all of that"
    ),
    WrongAnswer("all of IPv4 is one /64", code=_key("address.ipv4_mapped or ", ""), says="counted apart, and are one"),
    WrongAnswer("IPv6 by its /128", code=_key("address), 64)", "address), 128)"), says="a customer has all of that"),
    WrongAnswer("IPv6 by its /32", code=_key("address), 64)", "address), 32)"), says="and are two"),
    WrongAnswer(
        "who is known guesses freely",
        code=_key('asked.method == "POST" and', 'not asked.user and asked.method == "POST" and'),
        says="shall not buy guesses",
    ),
    WrongAnswer(
        "signing in as anything else",
        code=_key('return "sign-in", place', 'return "address", place'),
        says="and are two",
    ),
    WrongAnswer(
        "users and addresses in one drawer",
        code=_key('("user", asked.user) if asked.user else ("address", place)', '("all", asked.user or place)'),
        says="are counted as one",
    ),
    WrongAnswer(
        "another limit for each path",
        code=_key('return "sign-in", place', "return asked.path, place"),
        says="counted apart, and are one",
    ),
    WrongAnswer(
        "every POST to sessions", code=_key('asked.method == "POST" and ', ""), says="counted apart, and are one"
    ),
)
