"""What section 4 of lesson 5 stands on: the Deployment's arithmetic, a list that is late, pods that end as told."""

import asyncio
from dataclasses import dataclass, field

import pytest

from tests.waiting import until_async
from workbook.props import fleet as fleet_prop
from workbook.props.addresses import Addresses
from workbook.props.callers import CUT_OFF, REFUSED, Callers
from workbook.props.fleet import KILLED, Fleet, Leaving
from workbook.props.rollout import Pod, Refused, Strategy, roll
from workbook.props.told_pod import Times, ToldPod

ONE_MORE, ONE_LESS = Strategy(0, 1), Strategy(1, 0)
QUICK = Times(until_ready=0, pre_stop=0, stop_grace=0.1, killed_after=20, slowest=0.1, last_words=0)


@pytest.mark.parametrize(
    ("strategy", "replicas", "least", "most"),
    [
        (Strategy(), 1, 1, 2),  # 25 % of 1: none less, one more
        (Strategy(), 3, 3, 4),
        (Strategy(), 4, 3, 5),
        (Strategy(), 10, 8, 13),
        (ONE_MORE, 4, 4, 5),
        (ONE_LESS, 4, 3, 4),
        (ONE_LESS, 1, 0, 1),
        (Strategy("100%", 0), 2, 0, 2),
        (Strategy(5, 1), 2, 0, 3),  # more than there are is all of them
        (Strategy("10%", 0), 3, 2, 3),  # rounded down to none, and none more: then one has to go
    ],
)
def test_shares_are_rounded_so_that_it_goes_on(strategy: Strategy, replicas: int, least: int, most: int) -> None:
    assert (strategy.least(replicas), strategy.most(replicas)) == (least, most)


@pytest.mark.parametrize(
    "wrong", [Strategy(0, 0), Strategy("0%", 0), Strategy("a%", 1), Strategy(0, "1"), Strategy(-1)]
)
def test_what_kubernetes_refuses_is_refused(wrong: Strategy) -> None:
    with pytest.raises(Refused):
        wrong.least(3), wrong.most(3)


@dataclass
class World:
    """Pods on paper: how many there were of each kind at every change."""

    ready: int = 0
    running: int = 0
    seen: list[tuple[int, int]] = field(default_factory=list)

    def pod(self, number: int) -> "Paper":
        return Paper(self, f"pod-{number}")


@dataclass
class Paper:
    world: World
    address: str

    async def starts(self) -> None:
        self.world.running += 1
        self.world.seen.append((self.world.ready, self.world.running))
        await asyncio.sleep(0)
        self.world.ready += 1

    async def goes(self) -> None:
        self.world.running -= 1
        self.world.ready -= 1
        self.world.seen.append((self.world.ready, self.world.running))


@pytest.mark.parametrize("strategy", [Strategy(), ONE_MORE, ONE_LESS, Strategy("50%", "50%"), Strategy("100%", 0)])
@pytest.mark.parametrize("replicas", [1, 2, 5])
async def test_a_rollout_keeps_to_its_limits_and_ends_with_new_pods(strategy: Strategy, replicas: int) -> None:
    world, addresses = World(), Addresses(heard=0)
    old: list[Pod] = [world.pod(number) for number in range(replicas)]
    for pod in old:
        await pod.starts()
        addresses.joins(pod.address)
    world.seen.clear()
    numbers = iter(range(100, 200))
    new = await roll(old, lambda: world.pod(next(numbers)), addresses, strategy)
    assert sorted(pod.address for pod in new) == [f"pod-{number}" for number in range(100, 100 + replicas)]
    assert min(ready for ready, _ in world.seen) == strategy.least(replicas)  # and it is used
    assert max(running for _, running in world.seen) <= strategy.most(replicas)
    await until_async(lambda: _same(sorted(addresses.known), sorted(pod.address for pod in new)))


async def _same(one: list[str], other: list[str]) -> bool:
    return one == other


async def test_that_somebody_left_is_heard_later() -> None:
    addresses = Addresses(heard=0.05)
    addresses.joins("a")
    addresses.leaves("a")
    assert addresses.known == ["a"]
    await until_async(lambda: _same(addresses.known, []))


async def test_callers_without_anybody_to_call_are_lost_and_counted() -> None:
    async with Callers(lambda: None) as people:
        await until_async(lambda: _some(people))
    assert people.answered == 0
    assert set(people.lost) == {"nobody there"}


async def _some(people: Callers) -> bool:
    return people.lost.total() > 2


async def test_a_pod_that_waits_first_loses_nothing_and_one_that_is_killed_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet_prop, "HEARD", 1.0)  # a busy machine takes a while to bring SIGTERM to a process
    async with Fleet(1) as fleet:
        patient = await fleet.replaced(Leaving(pre_stop=20), ONE_MORE)
        killed = await fleet.replaced(KILLED, ONE_MORE)
        hasty = await fleet.replaced(Leaving(), ONE_MORE)
    assert (patient.answered > 0, patient.lost.total()) == (True, 0), patient.said
    assert killed.lost[CUT_OFF] + killed.lost[REFUSED] > 0, killed.said
    assert hasty.lost[REFUSED] > 0, hasty.said


async def test_a_pod_whose_stop_never_ends_is_killed() -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    pod = ToldPod(never, Times(0, 0, 0.1, killed_after=0.2, slowest=0.1, last_words=0))
    await pod.opens()
    await pod.goes()
    assert pod.ended.killed


async def test_a_pod_that_says_nothing_is_seen_to_say_nothing() -> None:
    async def says_nothing(health: object, server: object, grace: float) -> None:
        """Nothing, and it leaves its calls alone."""

    pod = ToldPod(says_nothing, QUICK)
    await pod.opens()
    await pod.goes()
    assert (pod.ended.killed, pod.ended.told_not_serving) == (False, set())
