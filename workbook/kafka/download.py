"""Downloads one large file over HTTP and goes on where an earlier try stopped."""

import errno
import re
import shutil
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

Told = Callable[[int, int], None]  # bytes that are here, bytes in all (0: the server does not say)

_CHUNK = 1 << 18
_PATIENCE = 30  # seconds without a single byte
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL = 206


class CannotDownload(Exception):
    """The file is not whole; the text says why and what to do. What has come is kept."""


def download(url: str, to: Path, told: Told = lambda *_: None) -> None:
    """Makes `to` the whole of `url`; a beginning of it that is there already is not asked for again.

    A connection that breaks is made anew as long as each try brings something. The content is not checked: that is for
    whoever knows its sum.
    """
    if not url.startswith(("http://", "https://")):
        raise CannotDownload(f"{url} is no http or https address")
    while True:
        had, problem = _size(to), "the connection broke"
        try:
            total = _take_the_rest(url, to, told)
            if _size(to) >= total:
                return
        except HTTPError as refusal:
            raise CannotDownload(f"{url} answers {refusal.code} {refusal.reason}; try another place: --url") from None
        except (URLError, HTTPException, TimeoutError, ConnectionError) as broken:
            problem = str(getattr(broken, "reason", broken)) or type(broken).__name__
        if _size(to) <= had:
            raise CannotDownload(
                f"{url} cannot be reached: {problem}. No network? A proxy is taken from HTTPS_PROXY, another place "
                "from --url. Run it again: it goes on where it stopped"
            )


def _take_the_rest(url: str, to: Path, told: Told) -> int:
    """One request for what is missing; returns how many bytes the whole has, 0 where the server does not say."""
    here = _size(to)
    try:
        answer = _ask(url, here)
    except HTTPError as refusal:
        with refusal:
            whole = _after_slash(refusal.headers["Content-Range"])
            if refusal.code != _RANGE_NOT_SATISFIABLE or not here:
                raise
        if whole == here:
            return whole
        to.unlink()  # longer than what is there: it is something else
        return _take_the_rest(url, to, told)
    with answer:
        going_on = answer.status == _PARTIAL
        length = int(answer.headers["Content-Length"] or 0)
        here, total = (here, here + length) if going_on else (0, length)
        _check_room(to, length)
        _write(answer, to, "ab" if going_on else "wb", lambda written: told(here + written, total))
    return total


def _ask(url: str, here: int) -> Any:
    headers = {"Range": f"bytes={here}-"} if here else {}
    return urlopen(Request(url, headers=headers), timeout=_PATIENCE)  # noqa: S310 - `download` lets in HTTP only


def _write(answer: Any, to: Path, mode: str, told: Callable[[int], None]) -> None:
    written = 0
    try:
        with to.open(mode) as file:
            while chunk := answer.read1(_CHUNK):
                file.write(chunk)
                told(written := written + len(chunk))
    except OSError as problem:
        if problem.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise _no_room(to, 0) from None


def _check_room(to: Path, needed: int) -> None:
    if shutil.disk_usage(to.parent).free < needed:
        raise _no_room(to, needed)


def _no_room(to: Path, needed: int) -> CannotDownload:
    more = f": {needed >> 20} MB more are needed" if needed else ""
    return CannotDownload(f"the disk of {to.parent} is full{more}. Free some, then run it again: it goes on")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _after_slash(content_range: str | None) -> int:
    """The length of the whole, of a header such as `bytes */1234`; -1 when it does not say."""
    found = re.search(r"/(\d+)$", content_range or "")
    return int(found[1]) if found else -1
