"""Task 5.4: the end of a pod, in front of callers who hear of it late, over real connections."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from workbook.lesson.task import Task, Wrong
from workbook.props.addresses import Addresses
from workbook.props.busy import HANGS, SERVICE
from workbook.props.callers import CUT_OFF, NOBODY, REFUSED, Balanced, Callers, Listed, book
from workbook.props.fleet import HEARD, SLOWEST, TIMES
from workbook.props.rollout import Pod, Refused, Strategy, roll
from workbook.props.told_pod import REGULAR, Stop, Times, ToldPod
from workbook.tasks.phase5.wrong_stop import WRONG

LAST_WORDS = 2  # seconds, as all below: a cluster's, ten times those that pass here
UNTIL_READY = 6  # that a new pod takes
GONE = 30  # whatever happens, a node that is emptied is empty after so long
PER_SECOND = 30  # bookings of each kind of caller: seen at every moment, and answered in time on a busy machine, too
PARTS = ("preStop", "STOP_GRACE", "terminationGracePeriodSeconds")
LIMITS = ("maxUnavailable", "maxSurge")


@dataclass(frozen=True, slots=True)
class Played:
    """A rolling update, from outside. `strangers` call from the list.

    Others keep a connection to each pod, as gRPC's own balancer does, and call until it ends. In that very moment gRPC
    turns calls away, so they try again; what had begun must not be cut off for all that.
    """

    old: list[ToldPod]
    strangers: Callers
    regulars: Callers


async def check(stop: Stop, pod: Any, strategy: Any) -> str:
    """One pod, in the middle of a booking that never ends; then two. Bookings all the time, and none may be lost."""
    times, limits = _times(pod), _limits(strategy)
    for replicas in (1, 2):
        played = await _played(stop, times, limits, replicas)
        _nobody_missing(played, limits)
        _ended_by_itself(played, pod)
        _none_refused(played, pod)
        _told(played)
        _none_cut_off(played, pod)
    return f"people booked while every pod was replaced, and none was lost; a pod is gone within {pod[PARTS[2]]} s"


def _times(pod: Any) -> Times:
    _is_dict("POD", pod, PARTS)
    for name, value in pod.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise Wrong(f"POD: {name} is {value!r}: seconds are wanted")
    pre_stop, stop_grace, killed_after = (pod[name] for name in PARTS)
    if killed_after > GONE:
        raise Wrong(
            f"POD: a pod that hangs may stay for {killed_after} s. Whoever empties a node waits for it, and was "
            f"promised {GONE} s"
        )
    return Times(
        UNTIL_READY / TIMES, pre_stop / TIMES, stop_grace / TIMES, killed_after / TIMES, SLOWEST, LAST_WORDS / TIMES
    )


def _limits(strategy: Any) -> Strategy:
    _is_dict("STRATEGY", strategy, LIMITS)
    for name, value in strategy.items():
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise Wrong(f"STRATEGY: {name} is {value!r}: a number of pods is wanted, or a share such as 25%")
    limits = Strategy(*(strategy[name] for name in LIMITS))
    try:
        limits.least(1), limits.most(1)
    except Refused as refused:
        raise Wrong(f"Kubernetes does not take this STRATEGY: {refused}") from refused
    return limits


def _is_dict(name: str, given: Any, keys: tuple[str, ...]) -> None:
    if not isinstance(given, Mapping) or set(given) != set(keys):
        raise Wrong(f"{name} is {given!r}: a dict with {', '.join(keys)} is wanted, no more and no less")


async def _played(stop: Stop, times: Times, limits: Strategy, replicas: int) -> Played:
    old, new = ([ToldPod(stop, times) for _ in range(replicas)] for _ in range(2))
    addresses, coming = Addresses(HEARD), iter(new)
    regulars = Callers(Balanced([pod.address for pod in (*old, *new)]), REGULAR, tries=3, per_second=PER_SECOND)
    strangers = Callers(Listed(addresses), "stranger", per_second=PER_SECOND)
    async with AsyncExitStack() as stack:
        for each in (*old, *new):
            stack.push_async_callback(each.ends)
        for each in old:
            await each.opens()
            addresses.joins(each.address)
        async with _hanging(old[0] if replicas == 1 else None), strangers, regulars:
            await roll(list[Pod](old), lambda: next(coming), addresses, limits)
    return Played(old, strangers, regulars)


@asynccontextmanager
async def _hanging(pod: ToldPod | None) -> AsyncIterator[None]:
    """A booking at this pod that never ends."""
    if pod is None:
        yield
        return
    async with grpc.aio.insecure_channel(pod.address) as channel:
        hangs = asyncio.create_task(book(channel, HANGS))
        try:
            await pod.tickets.asked_by[HANGS].wait()
            yield
        finally:
            hangs.cancel()
            await asyncio.gather(hangs, return_exceptions=True)


def _nobody_missing(played: Played, limits: Strategy) -> None:
    if lost := played.strangers.lost[NOBODY]:
        raise Wrong(
            f"{lost} bookings found no pod at all. With one replica and maxUnavailable {limits.max_unavailable} the "
            "only pod goes before the new one is ready: let one more come first"
        )


def _ended_by_itself(played: Played, pod: Mapping[str, float]) -> None:
    if not any(each.ended.killed for each in played.old):
        return
    pre_stop, stop_grace, killed_after = (pod[name] for name in PARTS)
    needed = pre_stop + stop_grace + LAST_WORDS
    if needed > killed_after:
        raise Wrong(
            f"SIGKILL came {killed_after} s after the pod was deleted, before its last words: its messages are lost. "
            f"A booking hung, so it took preStop {pre_stop} + STOP_GRACE {stop_grace} + {LAST_WORDS} for last words = "
            f"{needed} s. The kubelet counts from the deletion, preStop included"
        )
    raise Wrong(
        f"SIGKILL came {killed_after} s after the pod was deleted, and `stop` had not ended. A booking hung: "
        "server.stop(grace) waits for it no longer than `grace` seconds"
    )


def _told(played: Played) -> None:
    for each in played.old:
        if not each.ended.told_not_serving:
            raise Wrong(
                "who watches the health of the pod never heard NOT_SERVING: its connection just ended. Say it first, "
                "while there is somebody to say it to"
            )
        if SERVICE not in each.ended.told_not_serving:
            raise Wrong(
                f'health says NOT_SERVING for "", and still SERVING for {SERVICE}, which the readiness probe asks for: '
                "health.enter_graceful_shutdown() tells all of them"
            )


def _none_refused(played: Played, pod: Mapping[str, float]) -> None:
    if refused := played.strangers.lost[REFUSED]:
        raise Wrong(
            f"{refused} bookings were refused: they went to a pod that took no more calls. Its address was still "
            f"known, for {HEARD * TIMES:g} s after it was deleted, and preStop is {pod['preStop']} s"
        )


def _none_cut_off(played: Played, pod: Mapping[str, float]) -> None:
    if not (cut := sum(each.tickets.cut_off for each in played.old) or played.strangers.lost[CUT_OFF]):
        return
    if left := max(each.ended.still_under_way for each in played.old):
        raise Wrong(
            f"{cut} bookings were cut off: `stop` was done while {left} were under way, and then the process ended. "
            "Await server.stop(grace): it returns when the last one has ended"
        )
    raise Wrong(
        f"{cut} bookings were cut off in the middle; the slowest takes {SLOWEST * TIMES:g} s, STOP_GRACE is "
        f"{pod['STOP_GRACE']} s. server.stop(grace) takes no new calls and lets those under way end, for so long"
    )


TASK = Task(
    id="5.4",
    title="A pod that goes without a lost call",
    names=("stop", "POD", "STRATEGY"),
    hints=(
        (
            "Draw a line from the deletion to the end. When has the last caller heard of it? When does the last "
            "booking that came until then end? Who must be told something before, and who after?"
        ),
        (
            "preStop is longer than the list is late; STOP_GRACE is longer than the slowest booking; and "
            "terminationGracePeriodSeconds is longer than both of them and the last words. In `stop`: first say that "
            "you go, then let the server end what it has."
        ),
        (
            "preStop 5, STOP_GRACE 10, and 30 for all of it; one pod more, none less. await "
            "health.enter_graceful_shutdown(), then await the server's stop with the grace."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,
)
