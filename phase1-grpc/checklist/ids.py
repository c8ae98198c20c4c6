"""Ids that nobody has, in whatever form the server makes its own."""

import secrets
import string
import uuid

_LARGEST = 2**31 - 1  # fits a serial column
_CHANGED = 8  # characters at the end of an id: a prefix may carry a meaning


def unknown_like(booking_id: str) -> str:
    """An id of the same form as `booking_id` that was never given out."""
    if _is_uuid(booking_id):
        return str(uuid.uuid4())
    if booking_id.isdecimal():
        return str(_LARGEST - secrets.randbelow(10**6))
    letters = "abcdef" if set(booking_id) <= set(string.hexdigits) else string.ascii_lowercase
    kept, changed = booking_id[:-_CHANGED], booking_id[-_CHANGED:]
    return kept + "".join(_another(character, (string.digits, letters, letters.upper())) for character in changed)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _another(character: str, alphabets: tuple[str, ...]) -> str:
    return secrets.choice(next((alphabet for alphabet in alphabets if character in alphabet), character))
