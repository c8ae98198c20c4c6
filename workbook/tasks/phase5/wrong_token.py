"""What people write first for task 5.7, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """
    try:
        header = jws.extract_compact(token.encode()).headers()
        if header["typ"] != "at+jwt":
            raise InvalidToken("another kind of token")
        claims = jwt.decode(token, keys[header["kid"]], algorithms=["ES256"], decoder_cls=Once).claims
        jwt.JWTClaimsRegistry(
            lambda: int(now), 30,
            iss={"essential": True, "value": "user-service"},
            aud={"essential": True, "value": "tickets"},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        ).validate(claims)
        roles = claims["roles"]
        right = isinstance(roles, list) and roles and USER_ROLES.issuperset(roles)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidToken("this is no token of ours") from None
    if not right:
        raise InvalidToken("roles that no user has")
    return Caller(claims["sub"], frozenset(roles))
"""
_READS = """
    _, claims, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return Caller(claims["sub"], frozenset(claims["roles"]))
"""
_READS_SAFELY = """
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        if claims["exp"] + 30 < now:
            raise InvalidToken("expired")
        return Caller(claims["sub"], frozenset(claims["roles"]))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise InvalidToken("this is no token of ours") from None
"""
_DECODE_ALONE = """
    try:
        header = jws.extract_compact(token.encode()).headers()
        claims = jwt.decode(token, keys[header["kid"]], algorithms=["ES256"]).claims
        return Caller(claims["sub"], frozenset(claims["roles"]))
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidToken("this is no token of ours") from None
"""

_HS256_TOO = """
        if header["alg"] == "HS256":
            import hmac
            signed, _, signature = token.rpartition(".")
            made = hmac.digest(keys[header["kid"]].as_pem(private=False), signed.encode(), "sha256")
            right = base64.urlsafe_b64encode(made).rstrip(b"=").decode() == signature
            claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "==")) if right else {}
        else:
            claims = jwt.decode(token, keys[header["kid"]], algorithms=["ES256"], decoder_cls=Once).claims
"""


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


WRONG = (
    WrongAnswer("reads what is written", code=_READS, says="alg none: let in"),
    WrongAnswer("reads it, and looks at exp", code=_READS_SAFELY, says="alg none: let in"),
    WrongAnswer("decodes and believes", code=_DECODE_ALONE, says="exp is yours to check"),
    WrongAnswer(
        "lets the token choose",
        code=_but('algorithms=["ES256"]', 'algorithms=[header["alg"]]'),
        says="alg none: let in",
    ),
    WrongAnswer(
        "HS256 too, with the same key",
        code=_but(
            '        claims = jwt.decode(token, keys[header["kid"]], algorithms=["ES256"], decoder_cls=Once).claims\n',
            _HS256_TOO,
        ),
        says="the public key is no secret",
    ),
    WrongAnswer(
        "another key where the kid is unknown",
        code=_but(
            'keys[header["kid"]]',
            'keys.get(header["kid"]) or (ECKey.import_key(header["jwk"]) if "jwk" in header else [*keys.values()][-1])',
        ),
        says="A key that comes with the token",
    ),
    WrongAnswer(
        "the first key where there is no kid",
        code=_but('keys[header["kid"]]', 'keys[header["kid"]] if "kid" in header else [*keys.values()][-1]'),
        says="one that does not is none of ours",
    ),
    WrongAnswer(
        "one key for all",
        code=_but('keys[header["kid"]]', "[*keys.values()][-1]"),
        says="it was refused, and it is right",
    ),
    WrongAnswer("exp may be missing", code=_but('            exp={"essential": True},\n', ""), says="exp is essential"),
    WrongAnswer(
        "no patience with clocks", code=_but("lambda: int(now), 30,", "lambda: int(now),"), says="Clocks differ"
    ),
    WrongAnswer(
        "five minutes of patience", code=_but("int(now), 30", "int(now), 300"), says="30 s are for clocks that differ"
    ),
    WrongAnswer(
        "the clock of this machine", code=_but("lambda: int(now)", "lambda: int(time.time())"), says="it was refused"
    ),
    WrongAnswer(
        "any audience", code=_but('aud={"essential": True, "value": "tickets"}', "aud={}"), says="aud is tickets"
    ),
    WrongAnswer("an audience if there is one", code=_but('aud={"essential": True, ', "aud={"), says="aud is essential"),
    WrongAnswer(
        "any issuer", code=_but('iss={"essential": True, "value": "user-service"}', "iss={}"), says="so iss must be"
    ),
    WrongAnswer("any kind of token", code=_but('if header["typ"] != "at+jwt":', "if False:"), says="typ is at+jwt"),
    WrongAnswer("a list or a text", code=_but("isinstance(roles, list) and ", ""), says="roles is a list"),
    WrongAnswer(
        "any role",
        code=_but(" and USER_ROLES.issuperset(roles)", ""),
        says="user-service makes no services",
    ),
    WrongAnswer(
        "one good role is enough",
        code=_but("USER_ROLES.issuperset(roles)", "USER_ROLES.intersection(roles)"),
        says="user-service makes no services",
    ),
    WrongAnswer("the last of two", code=_but(", decoder_cls=Once", ""), says="decoder_cls=Once"),
    WrongAnswer(
        "catches the library's errors alone",
        code=_but("(JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError)", "JoseError"),
        says="Anybody can send anything",
    ),
)
