"""Systems of a shop, its publisher and its consumer, in this process, over a broker of their own: one mistake each."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from tests.checklist import wrong_counters as c
from tests.checklist import wrong_publishers as p
from tests.checklist.booking_shop import Serving, Shop
from tests.checklist.right_counters import Counters
from tests.checklist.right_publisher import Publisher
from tests.checklist.shown_page import shown_page, text_of

from workbook.kafka.embedded import embedded_part
from workbook.ports import free_port

NOWHERE = "127.0.0.1:1"


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a system is made of; the defaults are right. One without a consumer is proved by its messages alone."""

    publisher: type[Publisher] = Publisher
    counters: type[Counters] | None = None
    tells_first: float = 0
    kafka: str = ""


def _counting(counters: type[Counters]) -> Wiring:
    return Wiring(counters=counters)


SYSTEMS: Mapping[str, Wiring] = {
    "right": Wiring(counters=Counters),
    # 3.1
    "has_no_kafka": Wiring(kafka=NOWHERE),
    "uses_one_partition": Wiring(p.UsesOnePartition),
    # 3.2: messages
    "tells_nothing": Wiring(p.TellsNothing),
    "tells_some": Wiring(p.TellsSome),
    "writes_no_json": Wiring(p.WritesNoJson),
    "names_fields_its_own_way": Wiring(p.NamesFieldsItsOwnWay),
    "forgets_the_user": Wiring(p.ForgetsTheUser),
    "writes_types_of_its_own": Wiring(p.WritesTypesOfItsOwn),
    "tells_carelessly": Wiring(p.TellsCarelessly),
    "tells_twice": Wiring(p.TellsTwice),
    "tells_too_much": Wiring(p.TellsTooMuch),
    "tells_first": Wiring(tells_first=1.5),
    # 3.2: key, headers, cancellations
    "keys_by_user": Wiring(p.KeysByUser),
    "keys_nothing": Wiring(p.KeysNothing),
    "lacks_message_ids": Wiring(p.LacksMessageIds),
    "has_one_message_id": Wiring(p.HasOneMessageId),
    "heads_carelessly": Wiring(p.HeadsCarelessly),
    "types_its_own_way": Wiring(p.TypesItsOwnWay),
    "tells_no_cancellation": Wiring(p.TellsNoCancellation),
    "tells_cancelled_first": Wiring(p.TellsCancelledFirst),
    # 3.2, with Kafka paused
    "waits_for_kafka": Wiring(p.WaitsForKafka),
    "gives_up_on_kafka": Wiring(p.GivesUpOnKafka),
    "keeps_messages_in_memory": Wiring(p.KeepsMessagesInMemory),
    "shows_no_backlog": Wiring(p.ShowsNoBacklog),
    # 3.3
    "shows_no_figures": _counting(c.ShowsNoFigures),
    "counts_batches": _counting(c.CountsBatches),
    "counts_carelessly": _counting(c.CountsCarelessly),
    "counts_tickets_as_bookings": _counting(c.CountsTicketsAsBookings),
    "takes_nothing_back": _counting(c.TakesNothingBack),
    "knows_by_offset": _counting(c.KnowsByOffset),
    "knows_by_partition": _counting(c.KnowsByPartition),
    "stops_at_poison": _counting(c.StopsAtPoison),
    "counts_poison": _counting(c.CountsPoison),
    "drops_poison": _counting(c.DropsPoison),
    "rewrites_poison": _counting(c.RewritesPoison),
    "notes_nothing": _counting(c.NotesNothing),
    # 3.3, with the consumer killed
    "forgets_counts": _counting(c.ForgetsCounts),
    "begins_at_the_end": _counting(c.BeginsAtTheEnd),
    "stores_before_it_counts": _counting(c.StoresBeforeItCounts),
    "forgets_ids": _counting(c.ForgetsIds),
}


@dataclass(frozen=True, slots=True)
class Running:
    """A system that runs: its target, and the commands that pause its broker and restart its services."""

    target: str
    pause: str | None
    restart: str | None


@contextmanager
def running(name: str, folder: Path, *, paused: bool, killed: bool) -> Iterator[Running]:
    """A system of SYSTEMS; its broker is a process where it is paused, and its services are killed by a file."""
    wiring = SYSTEMS[name]
    with ExitStack() as stack:
        broker, pause = stack.enter_context(_broker(folder, name, process=paused))
        publisher = wiring.publisher(broker)
        outbox = shown_page(lambda: text_of(publisher.figures()))
        serving = Serving(Shop(publisher, tells_first=wiring.tells_first))
        counters = wiring.counters(broker) if wiring.counters else None
        parts = {"booking-service": [serving, publisher], **({"metrics-consumer": [counters]} if counters else {})}
        outbox.start()
        stack.callback(outbox.kill)
        stack.callback(serving.kill)
        if counters:
            counters.start()
            stack.callback(counters.kill)
        addresses = {"booking-service": serving.address, "event-service": serving.address}
        addresses |= {"kafka": wiring.kafka or broker, "booking-metrics": outbox.address}
        addresses |= {"metrics-consumer": counters.page.address} if counters else {}
        restart = stack.enter_context(_killed_by_file(folder / name, parts)) if killed else None
        yield Running(",".join(f"{part}={address}" for part, address in addresses.items()), pause, restart)


@contextmanager
def _broker(folder: Path, name: str, *, process: bool) -> Iterator[tuple[str, str | None]]:
    """A broker's address, and the command that pauses it."""
    if process:
        (folder / f"{name}.broker").mkdir()
        part = embedded_part(folder / f"{name}.broker", free_port())
        part.start()
        yield part.address, f"kill -$SIGNAL {part.pid}"
        part.stop()
        return
    owner = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    (here,) = owner.list_topics(timeout=5).brokers.values()
    yield f"{here.host}:{here.port}", None
    owner.close()


@contextmanager
def _killed_by_file(prefix: Path, parts: Mapping[str, list[object]]) -> Iterator[str]:
    """The command that kills $SERVICE and returns once it is back."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for service, pieces in parts.items():
                file = Path(f"{prefix}.{service}.kill")
                if file.exists():
                    for piece in pieces:
                        piece.kill()  # type: ignore[attr-defined]
                    over.wait(1)  # it is away for a moment, in which others go on
                    for piece in pieces:
                        piece.start()  # type: ignore[attr-defined]
                    file.unlink()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    kill = f"{prefix}.$SERVICE.kill"
    yield f"touch {kill} && while test -e {kill}; do sleep 0.05; done"
    over.set()
    watching.join()
