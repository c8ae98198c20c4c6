# %% [markdown]
# # Lesson 5: Users, a gateway and Kubernetes, or how to let the public in
#
# **Where we are.** The system keeps its promise, and tells how it is. But it runs in one place, one process a service,
# and whoever reaches a port can book for anybody. This lesson lets the public in: many copies of a service that come
# and go, a **gateway** that speaks HTTP, **tokens** that say who is calling, and a way to put a new version there
# while people buy.
#
# ![The system, and the phase that adds each part](../docs/system.svg)
#
# It takes about two hours; section 5 begins the second half. After it you can
#
# - write the probes of a service, and say what each of them may know;
# - give memory and CPU to a service from what it was measured to use;
# - spread calls over replicas that come and go, and work out how many an autoscaler wants;
# - replace a version under load without losing a call;
# - put REST over gRPC, with errors that help and an order that is never made twice;
# - verify a token against the forgeries that people really try, and refuse another's booking without a word too many;
# - limit who asks too much, with little memory;
# - build once, deploy by digest, and go back.
#
# No cluster is needed. Kubernetes is a set of programs that start, ask, move and stop processes by rules, and the rules
# can be played with real processes here. What only a cluster can show says so.

# %%
import asyncio
import time
import uuid
from contextlib import suppress
from typing import Any

from workbook import pictures
from workbook.lesson import check, hint, local_stack, outcome, predict, solution

stack = local_stack(5)
EVENTS, BOOKINGS, USERS = (stack[name].address for name in ("event-service", "booking-service", "user-service"))
GATEWAY = stack["api-gateway"].address
print("running:", ", ".join(name for name in stack.parts if name != "prometheus"))

# %% tags=["measured"]
from workbook.cluster.kubectl import cluster_there

print("kubectl knows a cluster" if cluster_there() else "○ no cluster here: the last section says what one would show")

# %% [markdown]
# ## 1. From containers to pods (15 min)
# **The pain.** Containers run the same everywhere, but who runs the containers? On one machine, you do: you see that a
# process hangs and start it again, you choose a machine with room, you tell callers where it is. With thirty containers
# on six machines nobody does that by hand, least of all at night.
#
# **Kubernetes** does it. You write down what shall be, it compares that with what is, and acts until both agree. What
# shall be is text. Here is the booking service's, without three lines that you will write:

# %%
import yaml

from workbook.phases import ROOT

BASE = ROOT / "phase5-k8s/k8s/base"
written = (BASE / "booking-service.yaml").read_text().partition("---")[0]
print("\n".join(line for line in written.splitlines() if "Probe" not in line))

# %% [markdown]
# | it says | and so |
# |---|---|
# | `kind: Deployment` | keep some copies of a **pod** running; a pod that is gone is replaced by a new one |
# | `selector`, `labels` | which pods are its own: those with these labels, not those with some name |
# | `template` | what a pod is made of: here one container |
# | `image` | from which image. The tag, or the digest, is added when it is deployed |
# | `ports` | names for ports, so that others need not know the numbers |
# | `resources` | what one pod needs, and what it may take. That is section 2 |
# | `volumes` | files from outside: the keys of sections 6 and 7 |
#
# How many copies? It does not say so here: the autoscaler of section 3 decides. Settings that all services share stand
# once, in `kustomization.yaml` and `common/service.yaml`.
#
# On each machine a **kubelet** starts the containers of its pods and looks after them. It cannot know what a good
# booking service is. So it asks it, again and again. Such a question is a **probe**, and there are three:
#
# | probe | asks | after too many bad answers |
# |---|---|---|
# | `startupProbe` | has it started? Until then the other two are not asked | it is started again |
# | `livenessProbe` | is it alive? | it is started again |
# | `readinessProbe` | can it do its work? | it gets no calls, until it says yes |
#
# The booking service has answered such questions since lesson 1. It knows two names: `""` is the process, and
# `booking.BookingService` is whether it can work, which it cannot without its database:

# %%
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from chassis.probe import health
from workbook.props.for_a_while import copy_of, dead

SERVICE = "booking.BookingService"


def answers(address: str) -> dict[str, str]:
    """What it says of itself, under both names."""
    return {name: health(address, name) for name in ("", SERVICE)}


with copy_of(stack, "booking-service", "phase1") as pod:
    print("PostgreSQL runs:   ", answers(pod.address))
    with dead(stack["postgres"]):
        while health(pod.address, SERVICE) == "SERVING":  # it looks at its database every second
            await asyncio.sleep(0.1)
        print("PostgreSQL is away:", answers(pod.address))

# %% [markdown]
# Which one should liveness ask? "It must be able to sell, so ask whether it can" sounds right. Let us see. Below, a
# small kubelet looks after a real process, a copy of the booking service as lesson 1 left it: that one starts quickest
# and wants no token. The kubelet's clock runs twelve times as fast, so that a minute and a half takes 7.5 seconds. How
# long a process takes to start stays what it is.

# %%
import grpc

from workbook.props.kubelet import Kubelet

NOT_THERE = pb.GetBookingRequest(booking_id=str(uuid.uuid4()))


async def answered(kubelet: Kubelet) -> bool | None:
    """Whether the service could look up a booking. None: nobody is ready, so nobody was asked."""
    for address in kubelet.addresses:
        async with grpc.aio.insecure_channel(address) as channel:
            try:
                await booking_pb2_grpc.BookingServiceStub(channel).GetBooking(NOT_THERE, timeout=1)
            except grpc.aio.AioRpcError as error:
                return error.code() is grpc.StatusCode.NOT_FOUND
    return None


async def until_answered(kubelet: Kubelet) -> float:
    """Seconds until somebody is ready and answers."""
    began = time.monotonic()
    while not await answered(kubelet):
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def without_postgres(container: dict[str, Any]) -> tuple[int, int, float]:
    """Restarts, calls in vain of 150, and the seconds until all is well after PostgreSQL is back."""
    with copy_of(stack, "booking-service", "phase1") as pod, Kubelet(pod, container, quicker=12) as kubelet:
        await until_answered(kubelet)
        with dead(stack["postgres"]):
            calls = []
            for _ in range(150):
                calls.append(asyncio.create_task(answered(kubelet)))
                await asyncio.sleep(0.05)
            ended = await asyncio.gather(*calls)
        return kubelet.restarts, ended.count(False), await until_answered(kubelet)


question = {"grpc": {"port": 50051, "service": SERVICE}, "periodSeconds": 5, "timeoutSeconds": 5}
start = {"tcpSocket": {"port": 50051}, "periodSeconds": 3, "failureThreshold": 100}  # it listens, so it has started
lie = {"startupProbe": start, "livenessProbe": question, "readinessProbe": question}
predict(
    "P5.1",
    "Liveness asks `booking.BookingService`, three bad answers are too many, and PostgreSQL is away for a minute and "
    "a half. How often is the booking service started again, which has no fault?",
    a="never: it is PostgreSQL that is away",
    b="at least once, and that brings nothing back",
    c="once, and after that it works again",
    choice="b",
)

# %% tags=["measured"]
outages = {"liveness asks for the database": await without_postgres(lie)}
restarts, in_vain, back = outages["liveness asks for the database"]
print(f"{restarts} restarts, {in_vain} calls in vain; well again {back:.1f} s after PostgreSQL")
outcome("P5.1", "b" if restarts else "a", f"{restarts} restarts of a process without a fault")

# %% [markdown]
# A restart does not bring a database back. It throws away what was warm and what was under way, and after each one the
# kubelet waits longer before the next: nothing, 10 s, 20 s, 40 s, up to five minutes. In `kubectl get pods` that reads
# `CrashLoopBackOff`. Ten copies do the same at the same moment, and when PostgreSQL comes back, nobody is there.
# (The seconds until all is well are real ones; the kubelet's pauses are a twelfth of a cluster's.)
#
# And the other way round? Liveness asks the process alone, and so does readiness:

# %% tags=["measured"]
process = question | {"grpc": {"port": 50051}}
outages["readiness asks the process"] = await without_postgres(
    {"startupProbe": start, "livenessProbe": process, "readinessProbe": process}
)
for what, (restarts, in_vain, back) in outages.items():
    print(f"{what:32} {restarts} restarts {in_vain:4} calls in vain   well again after {back:.1f} s")

# %% [markdown]
# No restart, but callers were sent to somebody who could not help them. **Each probe asks its own question:**
#
# - liveness: would a restart help? It asks nothing that depends on others;
# - readiness: would a caller be helped? It may depend on others, for it costs nothing but calls;
# - startup: is it still on its way? It has time, so that liveness needs none.

# %% [markdown]
# **Your task 5.1, three probes.** Write the booking service's. `check` first lets Kubernetes' own schema read them,
# then lives through what follows, second by second:
#
# - PostgreSQL may come up 240 s after the pod: no restart, no call before it can work;
# - a process that hangs while it starts is started again within 10 minutes;
# - PostgreSQL is away for 10 minutes: no restart, no calls after 15 s at most, and calls again 15 s after it is back;
# - the process hangs: no calls after 15 s, and started again within a minute;
# - in a rush each answer takes 2 s, that to a probe too: no reason for anything;
# - it says nothing for 12 s and goes on: no reason to start it again.
#
# | field | is | by itself |
# |---|---|---|
# | `grpc` | `port`, a number; `service`, the name that is asked for | `""` |
# | `tcpSocket` | instead of `grpc`: `port` alone. It asks nobody, and is content with an open port | |
# | `periodSeconds` | from one question to the next | 10 |
# | `timeoutSeconds` | how long an answer may take | 1 |
# | `failureThreshold` | bad answers in a row that are too many | 3 |
# | `successThreshold` | good answers in a row that are enough; 1 for all but readiness | 1 |
# | `initialDelaySeconds` | from the start to the first question | 0 |
#
# `hint("5.1")` helps.

# %%
### BEGIN SOLUTION 5.1
PROBES = """
startupProbe: {grpc: {port: 50051}, periodSeconds: 3, failureThreshold: 100, timeoutSeconds: 3}
livenessProbe: {grpc: {port: 50051}, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 5}
readinessProbe:
  grpc: {port: 50051, service: booking.BookingService}
  periodSeconds: 3
  failureThreshold: 2
  timeoutSeconds: 3
"""
### END SOLUTION

# %%
check("5.1")

# %% [markdown]
# The same time without PostgreSQL, with your probes:

# %% tags=["measured", "uses-answer"]
if PROBES is ...:
    raise NotImplementedError('task 5.1 is not written yet: hint("5.1") helps')
outages["your probes"] = await without_postgres(yaml.safe_load(PROBES))
for what, (restarts, in_vain, back) in outages.items():
    print(f"{what:32} {restarts} restarts {in_vain:4} calls in vain   well again after {back:.1f} s")

# %% [markdown]
# Some calls are still in vain. The service looks at its database once a second and gives it three to answer, and that
# clock runs as ever. Then readiness needs two bad answers. A probe tells of what was: that is why calls have deadlines
# and retries all the same.
#
# **Why not ask every second?** Each question is a call to each pod, and a pod that is busy for a moment would lose its
# calls to others that are just as busy. Then those fail, too.
#
# ## 2. What a pod may take (10 min)
# A pod **requests** CPU and memory: the scheduler looks for a machine that has so much left. And it has **limits**:
# more it does not get. The two limits end differently. Look at memory first. This process keeps every answer that it
# ever gave, and knows two ways to tidy up:

# %%
import subprocess
import sys

from workbook.props.memory_limit import MemoryLimit, own_memory

KEEPS_ALL = """
import signal, sys, time
print("starts", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit("SIGTERM: tidies up"))
kept = []
try:
    while True:
        kept.append(bytearray(1_000_000))
        time.sleep(0.005)
finally:
    print("finally: tidies up", flush=True)
"""
predict(
    "P5.2",
    "It may take 100 MB, and takes more. What more does it get to say before it ends?",
    a="MemoryError, and then what stands in `finally`",
    b="SIGTERM, and then 30 seconds to end well",
    c="nothing",
    choice="c",
)

# %% tags=["measured"]
LIMIT = 100_000_000
greedy = subprocess.Popen([sys.executable, "-c", KEEPS_ALL], stdout=subprocess.PIPE, text=True)
with greedy, MemoryLimit(greedy.pid, LIMIT) as limit:
    said = greedy.stdout.read().split("\n")
print(f"it had {limit.killed_at / 1e6:.0f} MB, ended with status {128 - greedy.returncode}, and said: {said[:-1]}")
more = ", ".join(said[1:-1])
outcome("P5.2", "a" if more else "c", f"after its start it said: {more or 'nothing'}")

# %% [markdown]
# Here a watcher killed it, with SIGKILL; in a container the kernel does, at the very moment. The process is not told
# before. `kubectl describe pod` shows `OOMKilled` and status 137, which is 128 + 9, and what was under way is lost.
# Python's `MemoryError` belongs to another limit (`ulimit -v`), which Kubernetes does not set.
#
# So a limit of memory is for the worst case, and a request is for every day. Neither is guessed: **request what was
# measured, and let the limit be twice that.** What the parts of this system hold right now, beside what their
# manifests say:

# %% tags=["measured"]
for name in ("booking-service", "event-service", "user-service", "api-gateway", "metrics-consumer"):
    manifest = next(yaml.safe_load_all((BASE / f"{name}.yaml").read_text()))
    asked = manifest["spec"]["template"]["spec"]["containers"][0]["resources"]
    now = own_memory(stack[name].pid) / 2**20
    requested, at_most = asked["requests"]["memory"], asked["limits"]["memory"]
    print(f"{name:18} holds {now:4.0f} Mi now   requests {requested:>6}   limit {at_most:>6}")

# %% [markdown]
# They are idle now. Where a request was measured, the file says in a comment beside it what was going on.
#
# **A limit of CPU** kills nobody. Linux counts what a container has used in each tenth of a second. When its share is
# used up, it stands still until the next one begins. Here is a service that is asked by 40 people at once, and then by
# nobody for a while, as it is with tickets. First without a limit, then with 0.05 CPU, `50m`:

# %%
from contextlib import suppress
from statistics import quantiles

from workbook.needs import missing
from workbook.props.cpu_limit import CpuLimit


async def waves(address: str, count: int = 3, people: int = 40, every: float = 1) -> list[float]:
    """Seconds that each of these people waits for a booking to be looked up."""
    async with grpc.aio.insecure_channel(address) as channel:
        look_up = booking_pb2_grpc.BookingServiceStub(channel).GetBooking

        async def waits() -> float:
            began = time.perf_counter()
            with suppress(grpc.aio.AioRpcError):  # there is no such booking, and that is an answer
                await look_up(NOT_THERE, timeout=10)
            return time.perf_counter() - began

        took = []
        for _ in range(count):
            *wave, _ = await asyncio.gather(*(waits() for _ in range(people)), asyncio.sleep(every))
            took += wave
        return took


predict(
    "P5.3",
    "On average the service uses less than its limit, 0.05 CPU. What becomes of its p99?",
    a="nothing: it stays below its limit",
    b="it gets longer",
    c="calls fail",
    choice="b",
)

# %% tags=["measured"]
held: dict[str, CpuLimit] = {}
if missing("linux"):
    print("○ not run", missing("linux"))
else:
    with copy_of(stack, "booking-service", "phase1") as pod:
        await waves(pod.address, count=1)  # the first ones warm it up
        took = {}
        for name, cpus in (("no limit", 64), ("0.05 CPU", 0.05)):
            with CpuLimit(pod.pid, cpus) as held[name]:
                took[name] = await waves(pod.address)
    pictures.latencies(took)
    p99 = {name: 1000 * quantiles(seconds, n=100)[98] for name, seconds in took.items()}
    for name, limit in held.items():
        print(
            f"{name:9} p99 {p99[name]:5.0f} ms   used {limit.used:.3f} CPU on average   "
            f"held back in {limit.held_back} of {limit.periods} tenths of a second"
        )
    longer = p99["0.05 CPU"] / p99["no limit"]
    outcome(
        "P5.3", "b" if longer > 1.2 else "a", f"{longer:.1f} times as long, at {held['0.05 CPU'].used:.0%} of a CPU"
    )

# %% [markdown]
# On average there was plenty left. But nobody waits on average: in the tenth of a second in which 40 people came, the
# share was used up, and the one event loop stood still for all of them. (Here SIGSTOP and SIGCONT stand in for the
# kernel, which counts in the same way but is never late.)
#
# So the services of this system have a limit of memory, and none of CPU. They request CPU: when everybody wants more
# than there is, each gets its part by what it requested. `phase5-k8s/README.md` has the table.
#
# **Why a request at all?** Without it the scheduler puts any number of pods on one machine. And the autoscaler of the
# next section counts in percent of it.
#
# ## 3. More of them (17 min)
# Buyers come in waves, so let there be more copies. But a new copy helps only if it gets calls. A **Service** is a
# name for all ready pods. The usual kind has one address, a **ClusterIP**, and each new *connection* to it goes to some
# pod. For REST that was good enough. gRPC keeps one connection for all its calls.
#
# Three copies of a small service, real servers, each at an address of its own. A client makes 300 calls. Then a fourth
# copy comes, and the client makes 300 more:

# %%
from workbook.props.cluster_ip import cluster_ip
from workbook.props.copies import Copies, ask, copies

TURNS = ("grpc.lb_policy_name", "round_robin")


async def calls_by_copy(office: Copies, target: str, channel_options: list[tuple[str, Any]]) -> list[dict[int, int]]:
    """Of 300 calls to three copies, and of 300 more with a fourth, how many each answered."""
    counted = []
    async with grpc.aio.insecure_channel(target, channel_options) as channel:
        for _ in range(2):
            office.calls.clear()
            for _ in range(300):
                await ask(channel)
                await asyncio.sleep(0.005)
            counted.append({number + 1: office.calls[number + 1] for number in range(len(office.addresses))})
            await office.add()
    return counted


predict(
    "P5.4",
    "Behind a ClusterIP, with `round_robin` from lesson 2 set: how many of the first 300 calls does the busiest of "
    "three copies get?",
    a="100",
    b="some 150: it is chance",
    c="300",
    choice="c",
)

# %% tags=["measured"]
shares = {}
if missing("linux"):
    print("○ not run", missing("linux"))
else:
    async with copies(3) as office, cluster_ip(lambda: office.addresses) as address:
        shares["ClusterIP"] = await calls_by_copy(office, address, [TURNS])
    print("before and after:", *shares["ClusterIP"])
    most = max(shares["ClusterIP"][0].values())
    outcome("P5.4", "c" if most > 290 else "a" if most < 110 else "b", f"{most} of 300")

# %% [markdown]
# One address, one connection, one pod. `round_robin` takes turns among the addresses that it knows, and here it knows
# one. So in this system the Services of gRPC are **headless**, `clusterIP: None`: their names have an address for each
# pod, and clients dial `dns:///booking-service:50051`. Here a small DNS server plays the cluster's:

# %% tags=["measured"]
if missing("linux"):
    print("○ not run", missing("linux"))
else:
    async with copies(3) as office:
        shares["headless"] = await calls_by_copy(office, office.target, [TURNS])
        print("before and after:", *shares["headless"], "  questions to DNS:", office.names.asked)

# %% [markdown]
# Three share the calls, and the fourth gets none. The client asked for the addresses once, when it connected. All its
# connections are well, so it sees no reason to ask again. The new pod costs money and does nothing.

# %% [markdown]
# **Your task 5.2, a new copy gets its calls.** Write the options of the channel and those of the server, as lists of
# pairs of a name and a value. With them two copies share the calls, and a third one gets its share within some seconds
# of its start, without anybody telling the client, and without a call that fails.
#
# | option | whose | by itself |
# |---|---|---|
# | `grpc.lb_policy_name` | the client's: how it chooses among the addresses that it knows | `pick_first` |
# | `grpc.dns_min_time_between_resolutions_ms` | the client's: how often it may ask DNS | 30000 |
# | `grpc.max_connection_age_ms` | the server's: when it ends a connection, in good order | never |
# | `grpc.max_connection_idle_ms` | the server's: when it ends one that nobody uses | never |
# | `grpc.keepalive_time_ms` | either's: how often it asks whether the other is there | never |
#
# In the cluster a connection lasts a minute. Here let it be 2 s at most, so that `check` need not wait; but not so
# short that clients do nothing but connect. `hint("5.2")` helps.

# %%
### BEGIN SOLUTION 5.2
CHANNEL_OPTIONS = [
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.dns_min_time_between_resolutions_ms", 500),
]
SERVER_OPTIONS = [("grpc.max_connection_age_ms", 1000)]
### END SOLUTION

# %%
check("5.2")

# %% [markdown]
# The same 600 calls, with your options:

# %% tags=["measured", "uses-answer"]
if CHANNEL_OPTIONS is ... or SERVER_OPTIONS is ...:
    raise NotImplementedError('task 5.2 is not written yet: hint("5.2") helps')
if missing("linux"):
    print("○ not run", missing("linux"))
else:
    async with copies(3, SERVER_OPTIONS) as office:
        shares["yours"] = await calls_by_copy(office, office.target, CHANNEL_OPTIONS)
    for what, (before, after) in shares.items():
        print(f"{what:10} {before}   then, with a fourth: {after}")

# %% [markdown]
# `chassis/channel.py` sets the two of the client, `chassis/server.py` that of the server, and
# `GRPC_MAX_CONNECTION_AGE=60` in `kustomization.yaml` says how old a connection becomes.
#
# **Why not a mesh?** A proxy beside each pod (Istio, Linkerd) takes turns call by call, for any client in any language.
# It is one more process for each pod, and one more thing to run. Where all clients speak gRPC, three options do.
#
# ### How many?
# The **HorizontalPodAutoscaler** asks every 15 seconds what the pods use, and decides by arithmetic. Its rules, for CPU
# in percent of the request:
#
# - `ratio` is the mean of what the ready pods use, by the target. Wanted are `ratio` times as many as were counted for
#   that mean, rounded up.
# - Within 10 % of 1 nothing changes.
# - Pods that are not ready yet are left out. But if it should grow, they count as pods that use 0: they are on their
#   way. If that leaves no reason to grow, nothing changes.
# - If nobody is ready, nothing is known, and nothing changes.
#
# That is what this moment asks for, a **recommendation**. What becomes of it:
#
# - More than there are: at once.
# - Fewer: the highest recommendation of the last five minutes counts, but never more pods than there are.
# - `minReplicas` and `maxReplicas` are kept in any case.

# %% [markdown]
# **Your task 5.3, how many pods.** Write both parts. `recommended` gets the number of pods, a list of what each *ready*
# one uses in percent of its request, and the target. `desired` gets the number of pods, the recommendations of the last
# five minutes with the newest last (there is always that one), and the bounds. `hint("5.3")` helps.

# %%
import math


def recommended(pods: int, used: list[float], target: float) -> int:
    """How many pods this moment asks for; `used` has an entry for each that is ready."""
    ### BEGIN SOLUTION 5.3
    if not used:
        return pods
    ratio = sum(used) / len(used) / target
    counted = pods if ratio > 1 else len(used)
    lower = sum(used) / counted / target
    if abs(lower - 1) <= 0.1 or lower < 1 < ratio:
        return pods
    return math.ceil(lower * counted)
    ### END SOLUTION


def desired(pods: int, recommendations: list[int], least: int, most: int) -> int:
    """How many there shall be, by the recommendations of the last five minutes; the newest stands last."""
    ### BEGIN SOLUTION 5.3
    newest = recommendations[-1]
    wanted = newest if newest >= pods else min(pods, max(recommendations))
    return min(max(wanted, least), most)
    ### END SOLUTION


# %%
check("5.3")

# %% [markdown]
# Now put both halves of this section together. Three pods behind a ClusterIP, one client, and all its calls go to one
# of them. The target is 70 %:

# %% tags=["uses-answer"]
print("one pod uses 100 %, two nothing: wanted are", recommended(3, [100, 0, 0], 70))

# %% [markdown]
# One pod is drowning, the mean looks quiet, and the autoscaler takes a pod away. It sees means, and a mean hides those
# who suffer: lesson 4, again. Balance comes first, then scale.
#
# A flash sale: two waves of buyers with a pause between them. Pods need 30 seconds from the decision to their first
# call. The numbers of the autoscaler are those of the manifests, also that it may at most double, or add two, in half a
# minute.

# %%
from dataclasses import replace

from workbook.props.autoscaler import bookings_scaler, scaled

scaler = bookings_scaler()
WAVES = ((125, 60), (235, 830), (240, 120), (180, 830), (540, 60))  # seconds, and percent of one pod's request
demand = [float(percent) for seconds, percent in WAVES for _ in range(seconds)]
predict(
    "P5.5",
    "The sale begins with two pods. A pod can use four times its request, a whole CPU; the sale needs more than that "
    "of two. For how long is there more to do than the pods can do?",
    a="not at all: the autoscaler sees it coming",
    b="half a minute or more: deciding and starting take their time",
    c="as long as the wave lasts",
    choice="b",
)

# %% tags=["uses-answer"]
history = scaled(demand, scaler, recommended, desired)
lines = {
    "by the target": [math.ceil(percent / scaler.target) for percent in history.demand],
    "pods": history.pods,
    "ready": history.ready,
}
pictures.ledger(lines, range(len(demand)), ylabel="pods")
late = history.overloaded
outcome("P5.5", "a" if late < 15 else "b" if late < 240 else "c", f"{late} seconds")

# %% [markdown]
# `by the target` is how many pods it would take for each to use 70 %. There never were so many, for `maxReplicas` is
# six; and six were enough, for a pod may use far more than it requested.
#
# An autoscaler answers what was, never what comes. Who knows when the sale begins has the pods there before. And who
# takes them away at once in the pause is short of them when the second wave comes. Both as numbers:

# %% tags=["uses-answer"]
CHOICES = {
    "as in the manifests": scaler,
    "six pods before it begins": replace(scaler, least=6),
    "no five minutes of patience": replace(scaler, window=0),
}
for what, chosen in CHOICES.items():
    seen_by = scaled(demand, chosen, recommended, desired)
    print(
        f"{what:28} too much to do for {seen_by.overloaded:3} s   pods taken away {seen_by.taken_away}   "
        f"pod-minutes {sum(seen_by.pods) / 60:.0f}"
    )

# %% [markdown]
# **Why not more pods than six?** Each opens connections to PostgreSQL, and each waits for the same row of a popular
# event. `maxReplicas` stands where the next thing would break. Section 8 keeps the rest of the crowd at the door.

# %% [markdown]
# ## 4. A rolling update without a lost call (15 min)
# **The pain.** There is a new version, and people are booking. Pods cannot be changed, they are replaced: a new one
# starts, and when it is ready, an old one goes. That is a **rolling update**. Nobody should notice.
#
# Below, two pods of a booking service run as processes; every other booking takes half a second there. People book
# all the time, each at the next address of a list. Then both pods are replaced, and each old one is killed as soon as a
# new one is ready. Time passes ten times as fast as in a cluster.

# %%
from workbook.props.callers import CUT_OFF, REFUSED, Callers
from workbook.props.fleet import KILLED, Fleet, Leaving
from workbook.props.rollout import Strategy

ONE_MORE = Strategy(max_unavailable=0, max_surge=1)


async def replaced(how: Leaving, strategy: Strategy = ONE_MORE) -> Callers:
    """What people got who booked while every pod was replaced once."""
    async with Fleet(replicas=2) as fleet:
        return await fleet.replaced(how, strategy)


# %% tags=["measured"]
killed = await replaced(KILLED)
print("SIGKILL:", killed.said)

# %% [markdown]
# Most of them were cut off: they were under way. That was to be expected, and since lesson 1 the booking service knows
# better. On SIGTERM it takes no new calls, lets those under way end, and only then goes.

# %%
predict(
    "P5.6",
    "The same with SIGTERM instead of SIGKILL: each old pod ends properly. How many bookings are lost?",
    a="none: each pod ends what it has begun",
    b="some: those that were under way",
    c="some: those that came to it afterwards",
    choice="c",
)

# %% tags=["measured"]
orderly = await replaced(Leaving(pre_stop=0))
print("SIGKILL:", killed.said)
print("SIGTERM:", orderly.said)
late, cut = orderly.lost[REFUSED], orderly.lost[CUT_OFF]
outcome("P5.6", "c" if late > cut else "b" if cut else "a", f"{late} came to a pod that was gone, {cut} were cut off")

# %% [markdown]
# The pod was polite, and its address was still known. When a pod is deleted, two things begin **at the same moment**,
# and neither waits for the other:
#
# | seconds | the lists of addresses | the pod |
# |---|---|---|
# | 0 | Kubernetes takes the pod from its list | `preStop` begins; the process knows of nothing and serves |
# | a few | each node and each caller hears of it, one after the other | |
# | `preStop` is over | | SIGTERM: health says NOT_SERVING, no new calls; each connection is told so (GOAWAY) |
# | … | | calls under way end, for `STOP_GRACE` at most; then its last words: messages, spans |
# | `terminationGracePeriodSeconds` | | SIGKILL, if it is still there. Counted from 0, not from SIGTERM |
#
# So it is a race, and the pod must lose it on purpose: it waits until everybody has heard.

# %% [markdown]
# **Your task 5.4, a pod that goes.** Three things, for this system:
#
# | | seconds |
# |---|---|
# | until the last caller has heard that an address is gone | 3 |
# | the slowest booking | 5 |
# | last words of the process, after its last call | 2 |
# | after which a pod has to be gone, whatever hangs | 30 |
#
# - `POD`: a dict of seconds, with the keys `preStop` (a sleep), `STOP_GRACE` and `terminationGracePeriodSeconds`.
# - `STRATEGY`: a dict with the keys `maxUnavailable` and `maxSurge`, so that even a service of one pod is never without
#   one. Each is a number of pods, or a share such as `"25%"`.
# - `stop`: what the process does on SIGTERM. `health` is grpc's own `HealthServicer`; it has
#   `await health.set(name, status)` and `await health.enter_graceful_shutdown()`. `server` has `await server.stop(…)`.
#   When it returns, no call is under way; the process says its last words and ends.
#
# The check rolls out real servers that end by your `stop`, ten times as fast as a cluster. Some people call from a
# list that is late, some keep a connection to each pod, one watches the health, and one booking hangs for ever.
# `hint("5.4")` helps.

# %%
import grpc
from grpc_health.v1._async import HealthServicer

### BEGIN SOLUTION 5.4
POD = {"preStop": 5, "STOP_GRACE": 10, "terminationGracePeriodSeconds": 30}
STRATEGY = {"maxUnavailable": 0, "maxSurge": 1}
### END SOLUTION


async def stop(health: HealthServicer, server: grpc.aio.Server, grace: float) -> None:
    """What the process does on SIGTERM; when it returns, no call is under way."""
    ### BEGIN SOLUTION 5.4
    await health.enter_graceful_shutdown()
    await server.stop(grace)
    ### END SOLUTION


# %%
check("5.4")

# %% [markdown]
# **The same number again**, with the same processes and your seconds:

# %% tags=["measured", "uses-answer"]
if POD is ... or STRATEGY is ...:
    raise NotImplementedError('task 5.4 is not written yet: hint("5.4") helps')
mine = Leaving(POD["preStop"], POD["STOP_GRACE"], POD["terminationGracePeriodSeconds"])
yours = await replaced(mine, Strategy(STRATEGY["maxUnavailable"], STRATEGY["maxSurge"]))
for name, people in (("SIGKILL", killed), ("SIGTERM", orderly), ("yours", yours)):
    print(f"{name:8}", people.said)

# %% [markdown]
# A rollout that waits takes longer, and people go on booking: hence the larger sums. And this is what the system itself
# has, in `phase5-k8s/k8s/base` and in the chassis:

# %%
from workbook.lesson.source import included

SHOWN = ("rollingUpdate", "terminationGracePeriodSeconds:", "sleep:", "STOP_GRACE=", "DRAIN_DELAY=")
for name in ("common/service.yaml", "kustomization.yaml"):
    for line in (BASE / name).read_text().splitlines():
        if any(word in line for word in SHOWN):
            print(f"{name:20} {line.strip()}")
print("\nchassis/server.py, on SIGTERM:")
print(included("phase1-grpc/chassis/server.py", "GrpcServer._stop", "    "))

# %% [markdown]
# There is one line more in the middle. **Why not leave it to gRPC?** A channel that balances over all pods keeps a
# connection to each, and hears from it that a pod goes. But browsers come over HTTP, and a new connection goes by the
# list. And a call that comes in the very moment of the stop is turned away by gRPC, with `CANCELLED`. So the gateway's
# channels watch the health of each pod; they hear NOT_SERVING and leave, and a second later (`DRAIN_DELAY`) the server
# stops. Whoever does not watch tries again, with the same key: lesson 2 has seen to it that this books once.
#
# **Why not sleep for a minute?** Every pod of every rollout waits for it, and every node that is emptied.
#
# ### How many at a time
# A Deployment that says nothing has `maxUnavailable: 25%` and `maxSurge: 25%`.

# %%
predict(
    "P5.7",
    "Four pods, all of them busy, and a Deployment that says nothing. How many serve at the worst moment of a rollout?",
    a="4",
    b="3",
    c="2",
    choice="b",
)

# %%
silent = Strategy()
print("replicas   ready at least   pods at most")
for replicas in (1, 2, 3, 4, 10):
    print(f"{replicas:8} {silent.least(replicas):16} {silent.most(replicas):14}")
outcome("P5.7", {4: "a", 3: "b", 2: "c"}[silent.least(4)], f"{silent.least(4)} of 4")

# %% [markdown]
# Shares are rounded: what may be missing down, what may be added up. So the default is kind to small services, and
# takes one busy pod in four away from larger ones. `0` and `1` cost one more pod for the length of a rollout. Both `0`
# is refused: then nothing could move.
#
# ### Two versions, one database
# While pods are replaced, both versions run, on the same tables. Version 2 wants to call a column `tickets` that was
# called `ticket_count`. A migration renames it, which takes milliseconds; then come the new pods.

# %%
predict(
    "P5.8",
    "The column is renamed, then the pods are replaced, one after the other. Whose bookings fail?",
    a="nobody's: databases do that in one step",
    b="those of the milliseconds in which it is renamed",
    c="all of version 1's, until the last of its pods is gone",
    choice="c",
)

# %%
import psycopg
from workbook.props.scratch import scratch_bookings

WRITE = "INSERT INTO bookings (id, user_id, event_id, {}) VALUES (gen_random_uuid(), 'ada', 'jazz-night', {})"
VERSION_1, VERSION_2 = WRITE.format("ticket_count", 1), WRITE.format("tickets", 1)
VERSION_2_EXPANDED = WRITE.format("ticket_count, tickets", "1, 1")


async def booked(connection: psycopg.AsyncConnection[Any], statement: str) -> int:
    """How many of twenty bookings this version can write."""
    written = 0
    for _ in range(20):
        try:
            await connection.execute(statement)
            written += 1
        except psycopg.errors.UndefinedColumn:
            pass
    return written


async with scratch_bookings(5) as where, await psycopg.AsyncConnection.connect(**where, autocommit=True) as database:
    print("before:  version 1 writes", await booked(database, VERSION_1), "of 20")
    await database.execute("ALTER TABLE bookings RENAME COLUMN ticket_count TO tickets")
    old, new = await booked(database, VERSION_1), await booked(database, VERSION_2)
    print(f"renamed: version 1 writes {old} of 20, version 2 writes {new} of 20")
outcome("P5.8", "a" if old == 20 else "b" if old else "c", f"version 1 wrote {old} of 20")

# %% [markdown]
# And going back is no way out: pods of version 1 would come back to a table that they do not know. So a change that
# takes something away is made in three steps, a release apart: **expand, move, contract**. First only add. Version 2
# writes both columns, and reads whichever is filled:

# %%
async with scratch_bookings(5) as where, await psycopg.AsyncConnection.connect(**where, autocommit=True) as database:
    await database.execute("ALTER TABLE bookings ADD COLUMN tickets integer")
    old, new = await booked(database, VERSION_1), await booked(database, VERSION_2_EXPANDED)
    print(f"expanded: version 1 writes {old} of 20, version 2 writes {new} of 20")
    for version, read in (("version 1", "ticket_count"), ("version 2", "coalesce(tickets, ticket_count)")):
        (sold,) = await (await database.execute(f"SELECT sum({read}) FROM bookings")).fetchone()
        print(f"          {version} reads {sold} tickets")

# %% [markdown]
# Only when no version 1 runs any more, and none will come back, a migration fills what is empty and lets
# `ticket_count` be empty; then comes version 3, which knows `tickets` alone. And only when no version 2 runs any more
# either, the last migration drops `ticket_count`. Every migration of this system keeps to that. You have seen it in
# section 1: a booking service of lesson 1 ran on lesson 5's database, and did not notice.

# %% [markdown]
# ## 5. The gateway (13 min)
# **The pain.** A browser cannot speak gRPC: it lets no script send HTTP/2 frames or read the trailers in which gRPC
# puts its status. And what your services say to each other is nobody else's business. So one more service stands
# between: HTTP and JSON to the outside, gRPC to the inside. On its first day a **gateway** looks like this:

# %%
import json

import grpc
import httpx
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from google.protobuf.json_format import MessageToDict
from starlette.requests import Request
from starlette.responses import JSONResponse

from workbook.props.http_served import served
from workbook.props.line import Line
from workbook.props.people import client_of, put_on_sale, signed_up, sold

# Found again soon after it was away: by default a channel waits longer and longer.
SOON = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
to_bookings = grpc.aio.insecure_channel(stack["booking-service"].address, SOON)
ask_bookings = booking_pb2_grpc.BookingServiceStub(to_bookings)


async def naive(request: Request) -> JSONResponse:
    """POST /v1/bookings, as short as it gets."""
    try:
        wish = pb.CreateBookingRequest(**await request.json())
        token = [("authorization", request.headers["authorization"])]
        made = await ask_bookings.CreateBooking(wish, timeout=20, metadata=token)
    except Exception as error:
        return JSONResponse({"error": repr(error)}, 500)
    return JSONResponse(MessageToDict(made.booking, preserving_proto_field_name=True), 201)


ada, eve = signed_up(GATEWAY, "ada"), signed_up(GATEWAY, "eve")
print("ada and eve have registered, and sign in:", bool(ada.token and eve.token))

# %% [markdown]
# On a good day it works. Then Ada books two tickets in a train. Her request arrives, the booking is made, and before
# the answer is back the train is in a tunnel. Her app does what apps do: it tries again.

# %%
predict(
    "P5.9",
    "Ada wants two tickets. The answer to her first try is lost, her app tries again. How many tickets are sold?",
    a="none",
    b="two",
    c="four",
    choice="c",
)


# %%
async def insists(gateway: str, body: dict[str, Any], headers: dict[str, str]) -> list[str]:
    """What a buyer sees who tries until there is an answer; that to the first try is lost on the way."""
    seen: list[str] = []
    with Line(gateway) as line:
        line.lose_next_answer()
        async with client_of(line.address, **headers) as client:
            while len(seen) < 5 and "201" not in seen:
                try:
                    seen.append(str((await client.post("/v1/bookings", json=body)).status_code))
                except httpx.TransportError:
                    seen.append("no answer")
    return seen


# %%
jazz = await put_on_sale(stack, 1000)
two_tickets = {"event_id": jazz, "ticket_count": 2}
async with served(naive) as address:
    seen = await insists(address, {**two_tickets, "user_id": ada.id}, ada.headers)
by_naive = await sold(stack, jazz)
print(f"{' → '.join(seen)}: {by_naive} tickets are sold")
outcome("P5.9", {0: "a", 2: "b"}.get(by_naive, "c"), f"{by_naive} tickets, for one wish of two")

# %% [markdown]
# Nobody did anything wrong. Ada cannot know whether her request arrived, so she has to try again; and the gateway
# cannot know that it is the same wish. Only she can say so: with a key that she makes up once and sends on every try.
# The booking service has taken such a key since lesson 1. HTTP has a header for it, **Idempotency-Key**.
#
# That is one hole. Now the wishes that cannot be fulfilled:

# %%
last_one = await put_on_sale(stack, 1)


def wishes(user: dict[str, str]) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Bodies and headers by what is wrong with them; `user` is what a gateway wants to be told of the user."""
    good = {"event_id": jazz, "ticket_count": 2, **user}
    return {
        "nothing": (good, ada.headers),
        "no such event": ({**good, "event_id": str(uuid.uuid4())}, ada.headers),
        "1 ticket left": ({**good, "event_id": last_one}, ada.headers),
        "11 tickets": ({**good, "ticket_count": 11}, ada.headers),
        '"2" tickets': ({**good, "ticket_count": "2"}, ada.headers),
        "eve's name on it": ({**good, "user_id": eve.id}, ada.headers),
        "already confirmed": ({**good, "status": "CONFIRMED"}, ada.headers),
        "no token": (good, {}),
    }


async def answers(gateway: str, user: dict[str, str]) -> dict[str, httpx.Response]:
    """What a gateway answers to each wish."""
    async with client_of(gateway) as client:
        return {
            what: await client.post("/v1/bookings", json=body, headers={**headers, "Idempotency-Key": uuid.uuid4().hex})
            for what, (body, headers) in wishes(user).items()
        }


async with served(naive) as address:
    of_naive = await answers(address, {"user_id": ada.id})
for what, answer in of_naive.items():
    print(f"{what:20} {answer.status_code}")


# %%
def made_of(answer: httpx.Response) -> bool:
    """Whether an answer tells what we are made of: a class of Python, a library, an address."""
    return any(each in answer.text for each in ("Error(", "AioRpcError", "grpc_status", "127.0.0.1"))


fault = sum(answer.status_code == 500 for answer in of_naive.values())
print(f"{fault} of {len(of_naive)} answers say that it is our fault")
print(f"{sum(map(made_of, of_naive.values()))} of {len(of_naive)} tell what we are made of")

# %% tags=["measured"]
print(of_naive["1 ticket left"].text[:400])

# %% [markdown]
# A 500 says "we have a bug". Here nobody had one. So somebody is woken up at night because a concert is nearly sold out, and
# an app tries again and again what can never succeed. And the answer is a gift to an attacker: names of libraries,
# addresses, sometimes a line of SQL.
#
# "eve's name on it" was refused only because the booking service asks by itself who is calling. The gateway had no
# objection: it copies every field that the body has into the message. If a message gets a field `price` tomorrow, its
# senders can set it. That is called **mass assignment**.

# %% [markdown]
# **Your task 5.5, from JSON to a request.** Write `request_of`. It makes the request for the booking service, or raises
# `Refused(status, field)`:
#
# - the body is JSON, or `Refused(400, "body")`; it is an object, or `Refused(422, "body")`;
# - it has two fields and no other. `event_id` is text of the form of a UUID, 8-4-4-4-12 hexadecimal digits;
#   `ticket_count` is a whole number from 1 to 10. `"3"`, `true` and `3.0` are none. What is missing is not made up.
#   Whatever is wrong is `Refused(422, …)` with the name of that field;
# - the header `idempotency-key` is there and has 1 to 128 characters from `!` to `~`, or
#   `Refused(422, "Idempotency-Key")`;
# - the user is the caller. If several things are wrong, name any of them. `hint("5.5")` helps.


# %%
import json
import re
import uuid
from collections.abc import Mapping
from typing import Annotated

from booking_service.proto import booking_pb2 as pb
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Refused(Exception):
    """Why nothing is booked: the HTTP status, and the field that is wrong."""

    def __init__(self, status: int, field: str) -> None:
        super().__init__(f"{status}: {field}")
        self.status = status
        self.field = field


def request_of(caller: str, body: bytes, headers: Mapping[str, str]) -> pb.CreateBookingRequest:
    """What the booking service is asked, for this caller; raises Refused. Names of `headers` are in lower case."""
    ### BEGIN SOLUTION 5.5

    class NewBooking(BaseModel):
        model_config = ConfigDict(strict=True, extra="forbid")
        event_id: Annotated[str, Field(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
        ticket_count: Annotated[int, Field(ge=1, le=10)]

    key = headers.get("idempotency-key", "")
    if not re.fullmatch("[!-~]{1,128}", key):
        raise Refused(422, "Idempotency-Key")
    try:
        new = NewBooking.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise Refused(400, "body") from None
        raise Refused(422, str(first["loc"][0]) if first["loc"] else "body") from None
    return pb.CreateBookingRequest(
        user_id=caller, event_id=new.event_id, ticket_count=new.ticket_count, idempotency_key=key
    )
    ### END SOLUTION


# %%
check("5.5")

# %% [markdown]
# **Why not make up a key where there is none?** Then the request would be accepted, and a retry would bring another
# key: two bookings again, and nobody would have been told. A client that forgets its key should hear it in its first
# test, not on its first day with customers.
#
# Now the other direction. A service refuses with a gRPC status, a text, and, where it means it for callers, a
# **reason**: `SOLD_OUT`, `INVALID_FIELD`. Over HTTP such an answer is a **problem**, `application/problem+json`
# (RFC 9457): an object that says in the same fields each time what is wrong, for programs and for people.

# %% [markdown]
# **Your task 5.6, a problem.** Write `problem_of`: the status, the headers and the body for what a service said.
#
# - What does not exist is 404. What can never be right is 422 (INVALID_ARGUMENT, OUT_OF_RANGE). What the state of
#   things does not allow is 409 (FAILED_PRECONDITION, ALREADY_EXISTS, ABORTED). Nobody known is 401, not allowed is
#   403, too much is 429 (RESOURCE_EXHAUSTED). A service that is away is 503, one that took too long 504. Everything
#   else is 500.
# - The body has `type`, always `"about:blank"`; `title`, the phrase of the status, such as `"Not Found"`; `status`;
#   `detail`, for people; and `reason`, for programs: the service's, or without one the name of the code. If fields are
#   wrong, `errors` is a list of `{"field": …, "message": …}`.
# - `detail` is the service's text if it came with a reason. Otherwise the text was written for a log: say something of
#   your own, one text for each status. A 500 is always the same: `reason` is `"INTERNAL"`, and nothing of what the
#   service said is in it.
# - `Content-Type` is `application/problem+json`. A 401 has `WWW-Authenticate: Bearer`. A 429 and a 503 have
#   `Retry-After`, in whole seconds, rounded up, at least 1; no other has it. `hint("5.6")` helps.


# %%
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from grpc import StatusCode


@dataclass(frozen=True)
class Refusal:
    """What a service said instead of an answer."""

    code: StatusCode
    text: str = ""
    reason: str = ""  # such as "SOLD_OUT", if the service means the text for callers; else ""
    fields: tuple[tuple[str, str], ...] = ()  # what is wrong with which field: (name, message)
    retry_after: float | None = None  # seconds


def problem_of(refusal: Refusal) -> tuple[int, dict[str, str], dict[str, Any]]:
    """The status, the headers and the body of the answer."""
    ### BEGIN SOLUTION 5.6
    status = {
        StatusCode.NOT_FOUND: 404,
        StatusCode.INVALID_ARGUMENT: 422,
        StatusCode.OUT_OF_RANGE: 422,
        StatusCode.FAILED_PRECONDITION: 409,
        StatusCode.ALREADY_EXISTS: 409,
        StatusCode.ABORTED: 409,
        StatusCode.UNAUTHENTICATED: 401,
        StatusCode.PERMISSION_DENIED: 403,
        StatusCode.RESOURCE_EXHAUSTED: 429,
        StatusCode.UNAVAILABLE: 503,
        StatusCode.DEADLINE_EXCEEDED: 504,
    }.get(refusal.code, 500)
    title = HTTPStatus(status).phrase
    headers = {"Content-Type": "application/problem+json"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after or 0)))
    body = {"type": "about:blank", "title": title, "status": status}
    if status == 500:
        return status, headers, {**body, "reason": "INTERNAL", "detail": "something went wrong on our side"}
    body["reason"] = refusal.reason or refusal.code.name
    body["detail"] = refusal.text if refusal.reason else f"{title}: this could not be done"
    if refusal.fields:
        body["errors"] = [{"field": field, "message": message} for field, message in refusal.fields]
    return status, headers, body
    ### END SOLUTION


# %%
check("5.6")

# %% [markdown]
# Put both into the gateway of the first day, and send the same wishes. Beside yours stands the system's own gateway,
# which has run all the time:

# %%
from access.callers import InvalidToken
from access.keys import KnownKeys, user_keys
from access.verifying import Verifier
from user_service.client import keys_of

from workbook.props.refusals import details_of

async with grpc.aio.insecure_channel(stack["user-service"].address) as channel:
    jwks = json.loads(await keys_of(channel)())
verifier = Verifier(KnownKeys(user_keys(jwks)))  # says who is calling: the next section is about it
print("ada's token is ada's:", (await verifier.caller(ada.token)).id == ada.id)


# %% tags=["uses-answer"]
async def own(request: Request) -> JSONResponse:
    """The same gateway with `request_of` and `problem_of`."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        caller = await verifier.caller(token)
        wish = request_of(caller.id, await request.body(), request.headers)
        made = await ask_bookings.CreateBooking(wish, timeout=20, metadata=[("authorization", f"Bearer {token}")])
    except Refused as refused:
        told = {
            "title": HTTPStatus(refused.status).phrase,
            "status": refused.status,
            "errors": [{"field": refused.field}],
        }
        return JSONResponse(told, refused.status, media_type="application/problem+json")
    except InvalidToken as error:
        status, headers, body = problem_of(Refusal(StatusCode.UNAUTHENTICATED, str(error), error.reason))
        return JSONResponse(body, status, headers)
    except grpc.aio.AioRpcError as error:
        status, headers, body = problem_of(Refusal(**details_of(error)))
        return JSONResponse(body, status, headers)
    return JSONResponse(MessageToDict(made.booking, preserving_proto_field_name=True), 201)


async with served(own) as address:
    of_own = await answers(address, {})
of_system = await answers(GATEWAY, {})
print(f"{'what is wrong':20} {'naive':>6} {'yours':>6} {'system':>7}")
for what in of_naive:
    print(f"{what:20}", *(f"{each[what].status_code:>6}" for each in (of_naive, of_own, of_system)))

# %% tags=["uses-answer"]
for name, each in (("naive", of_naive), ("yours", of_own), ("system", of_system)):
    fault = sum(answer.status_code == 500 for answer in each.values())
    print(f"{name:7} {fault} times our fault, {sum(map(made_of, each.values()))} times told what we are made of")

# %% [markdown]
# An event that is not there is a 409, not a 404. What the request was sent to, `/v1/bookings`, is there; so the booking
# service answers FAILED_PRECONDITION: the wish is well formed, and the state of things does not allow it.
#
# And Ada in her tunnel, with a key:

# %% tags=["uses-answer"]
with_key = {**ada.headers, "Idempotency-Key": uuid.uuid4().hex}
async with served(own) as address:
    for name, gateway in (("yours", address), ("system", GATEWAY)):
        before = await sold(stack, jazz)
        seen = await insists(gateway, two_tickets, {**ada.headers, "Idempotency-Key": uuid.uuid4().hex})
        print(f"{name:7} {' → '.join(seen)}: {await sold(stack, jazz) - before} tickets are sold")

# %% [markdown]
# The second try got the booking of the first. And without a key? Then the answer is no booking, but a reason:

# %% tags=["measured"]
async with client_of(GATEWAY, **ada.headers) as client:
    refused = await client.post("/v1/bookings", json=two_tickets)
print(refused.status_code, refused.headers["content-type"])
print(json.dumps(refused.json(), indent=1))

# %% [markdown]
# **Break it.** Kill the booking service, and ask all three again:

# %% tags=["uses-answer"]
from workbook.props.for_a_while import dead

async with served(naive) as at_naive, served(own) as at_own:
    with dead(stack["booking-service"]):
        for name, gateway in (("naive", at_naive), ("yours", at_own), ("system", GATEWAY)):
            async with client_of(gateway, **with_key) as client:
                body = {**two_tickets, "user_id": ada.id} if name == "naive" else two_tickets
                answer = await client.post("/v1/bookings", json=body)
            later = f", try again in {answer.headers['Retry-After']} s" if "Retry-After" in answer.headers else ""
            told = "tells an address of ours" if "127.0.0.1" in answer.text else "tells nothing of us"
            print(f"{name:7} {answer.status_code}{later}; {told}")
    await asyncio.wait_for(to_bookings.channel_ready(), 60)

# %% [markdown]
# A 503 with `Retry-After` is a promise that the client can act on: the same key again, soon.
#
# **Why not send the gRPC status along and let the client decide?** Then every client knows what your services are made
# of, and you can change nothing any more. 404, 409 and 503 will mean the same in thirty years.
#
# ## 6. Who is calling? Attack it (12 min)
# The user service signs a **token** at sign-in, a JWT. Whoever has it shows it with each request, and whoever gets it
# checks the signature with the user service's public key. No session is looked up, no other service is asked. This is
# what stands in Ada's:

# %% tags=["measured"]
import base64


def read(part: str) -> dict[str, Any]:
    """A part of a token: JSON in base64, not encrypted."""
    return json.loads(base64.urlsafe_b64decode(part + "=="))


header, payload, signature = ada.token.split(".")
print(json.dumps(read(header)))
print(json.dumps(read(payload), indent=1))
print(len(signature), "characters of signature")

# %% [markdown]
# Anybody can read that, and anybody can write something else. Only the signature stands in the way, if it is checked;
# and how it is checked is where most of the famous holes were. Here is a check as it has been written many times. It
# looks careful: it reads which algorithm the token was signed with, finds the key, and checks the signature.

# %%
import hashlib
import hmac

from joserfc import jwt
from joserfc.jwk import ECKey


def naive_caller(token: str, keys: dict[str, ECKey]) -> str:
    """Who is calling; raises whatever it likes."""
    header, payload, signature = token.split(".")
    says = read(header)
    key = ECKey.import_key(says["jwk"]) if "jwk" in says else keys.get(says.get("kid"), next(iter(keys.values())))
    if says["alg"] == "HS256":  # signed with a shared secret
        made = hmac.digest(key.as_pem(private=False), f"{header}.{payload}".encode(), hashlib.sha256)
        if not hmac.compare_digest(base64.urlsafe_b64encode(made).rstrip(b"="), signature.encode()):
            raise ValueError("wrong signature")
    elif says["alg"] != "none":  # not signed at all
        jwt.decode(token, key, algorithms=[says["alg"]])
    return read(payload)["sub"]


# %% [markdown]
# And here are the attacks. Some are forged from nothing, since the public key is known to everybody. In others the
# signature is ours: tokens that have expired, that were made for another system, or that a program of ours signed for
# something else.

# %%
from workbook.props.forgeries import Forger

key = ECKey.generate_key("P-256", auto_kid=True)  # a key of our own, so that nothing here works elsewhere
keys = {key.kid: ECKey.import_key(key.as_dict(private=False))}
forger = Forger(key, time.time())
forged = dict(forger.forgeries())
predict(
    "P5.10",
    f"{len(forged)} tokens that should let nobody in are shown to `naive_caller`. How many does it believe?",
    a="none",
    b="less than half of them",
    c="more than half of them",
    choice="c",
)


# %%
def let_in(who: Any, token: str) -> bool:
    """Whether a check believes a token; what it raises is a refusal, whatever it is."""
    try:
        who(token)
    except Exception as error:
        if isinstance(error, NotImplementedError):
            raise
        return False
    return True


believed = [what for what, token in forged.items() if let_in(lambda token: naive_caller(token, keys), token)]
for what in forged:
    print("LET IN " if what in believed else "refused", what)
print(f"\n{len(believed)} of {len(forged)} believed; a right one: {naive_caller(forger.right(), keys)}")
outcome(
    "P5.10",
    "a" if not believed else "b" if 2 * len(believed) < len(forged) else "c",
    f"{len(believed)} of {len(forged)}",
)

# %% [markdown]
# Three mistakes make all of it.
#
# - **The token chooses.** It names the algorithm, it names the key, it even brings one. `alg: none` needs no key at
#   all. HS256 is signed with a shared secret; if the check takes the *public* key for that secret, everybody knows it.
# - **A signature is taken for an answer.** It says who wrote the token, not that it is meant for you, or for now, or
#   for this purpose.
# - **What is there is believed.** A role that nobody can have, roles twice: one reader takes the first, another the
#   last.
#
# `joserfc` takes no `none` unless one asks for it by name, and no public key for a shared secret. Still, name ES256
# yourself: HS256 is among those it takes by itself. That settles the first mistake. The second and the third no
# library can know.

# %% [markdown]
# **Your task 5.7, who is calling.** Write `caller_of` with `joserfc`. It returns a `Caller` with the user's id and
# roles, or raises `InvalidToken`, whatever came in:
#
# - the algorithm is ES256; the key is the one that `kid` names in `keys`, and no other; `typ` is `at+jwt`;
# - `iss` is `user-service`, `aud` is `tickets` (or a list with it), `sub` is there and not empty;
# - `exp` and `iat` are there. `exp` lies in the future; `iat`, and `nbf` if it is there, do not. Clocks differ: each
#   may be off by 30 seconds;
# - `roles` is a list, not empty, and each of them is in `USER_ROLES`;
# - no name is there twice: `decoder_cls=Once` sees to that. `hint("5.7")` helps.


# %%
import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from access.callers import USER_ROLES, Caller, InvalidToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey


class Once(json.JSONDecoder):
    """Reads JSON, and raises ValueError where a name is there twice."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=self._pairs)

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name is there twice")
        return dict(pairs)


def caller_of(token: str, keys: Mapping[str, ECKey], now: float) -> Caller:
    """Who is calling; raises InvalidToken. `keys` are user-service's public ones by kid, `now` in seconds since 1970."""
    ### BEGIN SOLUTION 5.7
    registry = jwt.JWTClaimsRegistry(
        lambda: int(now),
        30,
        iss={"essential": True, "value": "user-service"},
        aud={"essential": True, "value": "tickets"},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    )
    try:
        header = jws.extract_compact(token.encode()).headers()
        claims = jwt.decode(token, keys[header["kid"]], algorithms=["ES256"], decoder_cls=Once).claims
        registry.validate(claims)
        roles = claims["roles"]
        right = header["typ"] == "at+jwt" and isinstance(roles, list) and roles and USER_ROLES.issuperset(roles)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        right = False
    if not right:
        raise InvalidToken("this is no token of ours")
    return Caller(claims["sub"], frozenset(roles))
    ### END SOLUTION


# %%
check("5.7")

# %% tags=["uses-answer"]
now = forger.now  # as if no time had passed since they were made
after = [what for what, token in forged.items() if let_in(lambda token: caller_of(token, keys, now), token)]
print(f"naive: {len(believed)} of {len(forged)} let in")
print(f"yours: {len(after)} of {len(forged)} let in; a right one: {caller_of(forger.right(), keys, now).id}")

# %% [markdown]
# Now the same attacks where it matters: against the booking service that is running, over gRPC, past the gateway. For
# the tokens with "our" signature we take the user service's own key from the stack's folder. No attacker has that; but
# if even its signature does not help, nothing does.

# %%
from collections import Counter

from access.keys import own_keys

signing = own_keys(stack.folder / "keys", "user-service")[0]


async def bookings_with(token: str) -> str:
    """How a call ends that asks for Ada's bookings with this token."""
    try:
        mine = pb.ListUserBookingsRequest(user_id=ada.id)
        await ask_bookings.ListUserBookings(mine, timeout=10, metadata=[("authorization", f"Bearer {token}")])
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


real = Forger(signing, time.time(), user=ada.id)
ended = Counter([await bookings_with(token) for _, token in real.forgeries()])
print("forged:", dict(ended))
print("right: ", await bookings_with(real.right()), "and hers:", await bookings_with(ada.token))

# %% [markdown]
# **Why does every service check again, when the gateway has?** Because one day somebody reaches a service past the
# gateway: from another pod, through a forgotten port, with a stolen laptop. To check costs little, and the same
# token is not checked twice in half a minute.
#
# **Why not one shared secret, HS256, which is quicker?** Whoever can check could then also sign. A hole in the smallest
# service would make everybody an admin. With ES256 only the user service can sign.
#
# **And how does one take a token back?** Not at all: it is good until `exp`. So it lives for ten minutes, and what lives
# longer, the refresh token, is looked up in a table, works once, and can be ended.
#
# ## 7. Another's booking (10 min)
# **The pain.** Eve is a customer like any other. She has an account, she has signed in, her token is right. What she
# lacks is a ticket. Ids of bookings stand in links, in mails, in logs, on printed tickets; she has collected fifty of
# Ada's.

# %%
hers = []
for _ in range(50):
    one = pb.CreateBookingRequest(user_id=ada.id, event_id=jazz, ticket_count=1, idempotency_key=uuid.uuid4().hex)
    hers.append((await ask_bookings.CreateBooking(one, timeout=20, metadata=ada.metadata)).booking.id)
print(len(hers), "bookings of ada's")

# %% [markdown]
# The booking service of phase 4 knows no tokens: then somebody in front of it checked them, or nobody did. Start a copy
# of it on the same database. In front of it stands a check that is right, the one of section 6, and behind it nothing.

# %%
predict(
    "P5.11",
    "Eve's token is checked, and it is right. Then she asks for fifty bookings of Ada's by their ids. How many does "
    "she get?",
    a="none, they are not hers",
    b="all fifty",
    c="some: it depends on what she has booked herself",
    choice="b",
)

# %%
from workbook.props.for_a_while import copy_of


async def readable(stub: Any, person: Any) -> int:
    """How many of Ada's bookings a person can read; what is not there for them is no error."""
    found = 0
    for booking_id in hers:
        await verifier.caller(person.token)  # the check in front: it raises if the token is not right
        try:
            await stub.GetBooking(pb.GetBookingRequest(booking_id=booking_id), timeout=20, metadata=person.metadata)
            found += 1
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
    return found


with copy_of(stack, "booking-service", program="phase4") as copy:
    async with grpc.aio.insecure_channel(copy.address) as channel:
        by_eve = await readable(booking_pb2_grpc.BookingServiceStub(channel), eve)
print(f"eve reads {by_eve} of {len(hers)} bookings of ada's")
outcome("P5.11", {0: "a", len(hers): "b"}.get(by_eve, "c"), f"{by_eve} of {len(hers)}")

# %% [markdown]
# Who somebody is and what they may do are two questions. The first one, **authentication**, was answered, and well. The
# second, **authorization**, was never asked. On OWASP's list of holes in APIs this one is the first. It is
# called *broken object level authorization* (you will also read *insecure direct object reference*), and no scanner
# finds it, since every single answer looks right.
#
# The rule that keeps it out has two parts. **What is not listed is refused**: a method that a colleague adds tomorrow
# is closed until somebody has thought about it. And **what is another's is not there**: a 403 would say "this id
# exists", so the answer is the same as for an id that nobody has, word for word.

# %% [markdown]
# **Your task 5.8, may they?** Write `may`. It returns nothing if the call is allowed, else it raises:
#
# | methods | who may |
# |---|---|
# | `GetEvent` `ListEvents` `WatchAvailability` | everybody, also without a token |
# | `CreateEvent` `UpdateEvent` `DeleteEvent` `UpdateAvailableTickets` | organisers, admins |
# | `ReserveTickets` `ReleaseTickets` | the booking service itself, admins |
# | `CreateBooking` `ListUserBookings` | customers for themselves (`request.user_id`), admins |
# | `GetBooking` `CancelBooking` | customers with their own (`request.booking_id`), admins |
#
# - The first three rows are of `/event.EventService/`, the last two of `/booking.BookingService/`; `method` is such a
#   name in full. Any other method: `NotAllowed`, whoever calls.
# - Nobody known calls: `NotAuthenticated`. Known, but not one of those who may: `NotAllowed`.
# - A booking that is another's, or nobody's: `BookingNotFound(id)`. `owner_of` is a query; no stranger shall cause one.
# - `caller.has(Role.CUSTOMER)` and `caller.is_service("booking-service")` ask a caller. `hint("5.8")` helps.


# %%
from collections.abc import Awaitable, Callable
from typing import Any

from access.callers import Caller, NotAllowed, NotAuthenticated, Role
from booking_service.domain import BookingNotFound


async def may(caller: Caller, method: str, request: Any, owner_of: Callable[[str], Awaitable[str | None]]) -> None:
    """Raises a refusal, if there is a reason for one. `owner_of` says whose booking an id is, None for nobody's."""
    ### BEGIN SOLUTION 5.8
    everybody = {f"/event.EventService/{name}" for name in ("GetEvent", "ListEvents", "WatchAvailability")}
    changes = {
        f"/event.EventService/{name}"
        for name in ("CreateEvent", "UpdateEvent", "DeleteEvent", "UpdateAvailableTickets")
    }
    tickets = {f"/event.EventService/{name}" for name in ("ReserveTickets", "ReleaseTickets")}
    by_user = {f"/booking.BookingService/{name}" for name in ("CreateBooking", "ListUserBookings")}
    by_id = {f"/booking.BookingService/{name}" for name in ("GetBooking", "CancelBooking")}

    if method in everybody:
        return
    if method not in changes | tickets | by_user | by_id:
        raise NotAllowed("nobody may call this method")
    if not caller.known:
        raise NotAuthenticated("this call needs a token")
    if caller.has(Role.ADMIN):
        return
    if method in changes:
        allowed = caller.has(Role.ORGANISER)
    elif method in tickets:
        allowed = caller.is_service("booking-service")
    else:
        allowed = caller.has(Role.CUSTOMER) and (method in by_id or request.user_id == caller.id)
    if not allowed:
        raise NotAllowed("this is not for you")
    if method in by_id and await owner_of(request.booking_id) != caller.id:
        raise BookingNotFound(request.booking_id)
    ### END SOLUTION


# %%
check("5.8")

# %% [markdown]
# Eve again, with your rule, on the real table:

# %% tags=["uses-answer"]
import psycopg

GET = "/booking.BookingService/GetBooking"


async def reads(person: Any) -> int:
    """How many of Ada's bookings `may` lets a person read; who owns them stands in booking_db."""
    where = stack.settings_of("booking-service").conninfo()
    async with await psycopg.AsyncConnection.connect(**where) as connection:

        async def owner_of(booking_id: str) -> str | None:
            row = await (
                await connection.execute("SELECT user_id FROM bookings WHERE id = %s", [booking_id])
            ).fetchone()
            return row[0] if row else None

        found = 0
        for booking_id in hers:
            try:
                await may(
                    await verifier.caller(person.token), GET, pb.GetBookingRequest(booking_id=booking_id), owner_of
                )
            except BookingNotFound:
                continue
            found += 1
    return found


print(f"phase 4: eve reads {by_eve} of {len(hers)}")
print(f"yours:   eve reads {await reads(eve)} of {len(hers)}, ada reads {await reads(ada)}")

# %% [markdown]
# And the system, through the gateway and past it:

# %%
async with client_of(GATEWAY) as client:
    for name, person in (("eve", eve), ("ada", ada)):
        got = Counter([(await client.get(f"/v1/bookings/{each}", headers=person.headers)).status_code for each in hers])
        print(f"{name}: {dict(got)} through the gateway, {await readable(ask_bookings, person)} of {len(hers)} past it")
    nobodys = str(uuid.uuid4())
    told = [(await client.get(f"/v1/bookings/{each}", headers=eve.headers)).json() for each in (hers[0], nobodys)]
for problem, booking_id in zip(told, (hers[0], nobodys), strict=True):
    del problem["trace_id"]  # each request has its own
    problem["detail"] = problem["detail"].replace(booking_id, "ID")
print("\nanother's and nobody's look alike:", told[0] == told[1])
print(json.dumps(told[0], indent=1))

# %% [markdown]
# One more door. A booking is not the only way to tickets: the event service counts them, and it has a method for that.
# What if Eve asks it directly?

# %%
from event_service.proto import event_pb2, event_pb2_grpc

before = await sold(stack, jazz)
async with grpc.aio.insecure_channel(stack["event-service"].address) as channel:
    ten = event_pb2.ReserveTicketsRequest(booking_id=str(uuid.uuid4()), event_id=jazz, ticket_count=10)
    try:
        await event_pb2_grpc.EventServiceStub(channel).ReserveTickets(ten, timeout=10, metadata=eve.metadata)
    except grpc.aio.AioRpcError as error:
        print(error.code().name, "–", error.details())
print(await sold(stack, jazz) - before, "tickets taken without a booking")

# %% [markdown]
# The booking service may: it calls with a token of its own, signed with its own key, which says nothing but "I am the
# booking service" and is good for five minutes.
#
# **Why not check in the gateway, once, for all?** The gateway does not know whose a booking is; it would have to ask,
# and between the question and the call everything may change. The rule stands where the rows are.
#
# ## 8. Too many (11 min)
# **The pain.** Eve gives up on tokens. She takes a list of e-mail addresses and the hundred most common passwords, and
# signs in. Again and again: a computer tries thousands a minute, and somebody always has one of the hundred.
#
# So the gateway counts. "At most ten sign-ins a minute for one address" is easily written: a number for each address,
# back to zero when the minute is over.


# %%
class FixedWindow:
    """At most `amount` requests of one key in each minute of the clock."""

    def __init__(self, amount: int, seconds: float = 60) -> None:
        self.amount, self.seconds = amount, seconds
        self.window, self.counts = 0, Counter()

    def take(self, key: str, now: float) -> bool:
        if now // self.seconds != self.window:
            self.window, self.counts = now // self.seconds, Counter()
        self.counts[key] += 1
        return self.counts[key] <= self.amount


predict(
    "P5.12",
    "At most ten a minute, counted like that. Eve tries once every tenth of a second, for three minutes, and chooses "
    "the second at which she begins. What is the most that can come through within two seconds?",
    a="ten",
    b="one",
    c="twenty",
    choice="c",
)


# %%
def most_within(take: Any, seconds: float, times: list[float]) -> int:
    """The most requests that are let in within so many seconds."""
    let_in = [now for now in times if take("203.0.113.7", now)]
    return max(sum(start <= now < start + seconds for now in let_in) for start in let_in)


# She has watched the clock: she waits, and begins a second before the minute is over.
EVERY_TENTH = [6_000_000 + 59 + number / 10 for number in range(1800)]
through = most_within(FixedWindow(10).take, 2, EVERY_TENTH)
print(f"{through} tries within two seconds, where ten a minute were meant")
outcome("P5.12", {10: "a", 1: "b"}.get(through, "c"), f"{through}, ten before the border and ten behind it")

# %% [markdown]
# The border is the hole: everything is forgiven at once. To remember each single request closes it, but then a limit of
# 1,200 a minute costs 1,200 numbers for each user. A **sliding window** needs two: how many came in this window, and
# how many in the one before. It takes those of the one before as spread evenly, and counts the share of them that lies
# within the last minute. A quarter into this window, three quarters of the window before still count.

# %% [markdown]
# **Your task 5.9, a limit.** Write `Limiter`, whose windows begin at whole multiples of `seconds`:
#
# - a request of a key is let in if `this + before × share + 1` is at most `amount`. `this` and `before` count what was
#   *let in*: a refused try costs nothing. `share` falls from 1 to 0 while the window runs;
# - `remaining` is how many more would be let in at this moment, a whole number. `retry_after` is in how many seconds
#   the next one is let in, if nothing else comes: exactly, even if that is only in the next window;
# - keys cost an attacker nothing. Those of more than two windows ago must not take memory any more, and no call may
#   look through all keys.
#
# And write `key_of`, whom a request is counted for. It is a pair: which limit, and which key of it; the names are
# yours.
#
# - `POST` to `/v1/users`, `/v1/sessions` and `/v1/sessions/refresh` is signing in: counted by address, always;
# - any other request is counted by its user if one is known, and else by address;
# - an address of IPv6 counts by its /64, since a household has that many to choose from. `::ffff:203.0.113.7` is
#   203.0.113.7 in another dress. `"unknown"` is itself. `hint("5.9")` helps.


# %%
import ipaddress
import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """How it went."""

    allowed: bool
    remaining: int  # how many more would be let in at this moment
    retry_after: float  # seconds until the next one is let in; 0 if this one was


class Limiter:
    """At most `amount` requests of one key in `seconds`, by a sliding window."""

    def __init__(self, amount: int, seconds: float) -> None:
        ### BEGIN SOLUTION 5.9
        self.amount, self.seconds = amount, seconds
        self.number = 0
        self.this: dict[str, int] = {}
        self.before: dict[str, int] = {}
        ### END SOLUTION

    def take(self, key: str, now: float) -> Taken:
        """Counts one request, if it is within the limit; `now` is the time in seconds."""
        ### BEGIN SOLUTION 5.9
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
        ### END SOLUTION


@dataclass(frozen=True)
class Asked:
    """A request, before anything is done for it."""

    method: str  # such as "POST"
    path: str  # such as "/v1/sessions"
    user: str  # the user's id, if a good token came along; else ""
    address: str  # where it comes from, such as "203.0.113.7" or "2001:db8::7", or "unknown"


def key_of(asked: Asked) -> tuple[str, str]:
    """Whom this request is counted for: which limit, and which key of it."""
    ### BEGIN SOLUTION 5.9
    place = asked.address
    if place != "unknown":
        address = ipaddress.ip_address(place)
        if address.version == 6:
            home = ipaddress.ip_network((int(address), 64), strict=False)
            place = str(address.ipv4_mapped or home)
    if asked.method == "POST" and asked.path in ("/v1/users", "/v1/sessions", "/v1/sessions/refresh"):
        return "sign-in", place
    return ("user", asked.user) if asked.user else ("address", place)
    ### END SOLUTION


# %%
check("5.9")

# %% [markdown]
# Eve and her clock once more, with yours beside it, and over longer times, too:


# %% tags=["uses-answer"]
def yours() -> Any:
    """A new limiter's `take`, which says whether a request is let in."""
    limiter = Limiter(10, 60)
    return lambda key, now: limiter.take(key, now).allowed


print(f"{'at most within':16} {'2 s':>6} {'60 s':>6} {'3 min':>6}")
for name, new in (("fixed window", lambda: FixedWindow(10).take), ("yours", yours)):
    print(f"{name:16}", *(f"{most_within(new(), seconds, EVERY_TENTH):>6}" for seconds in (2, 60, 180)))

# %% [markdown]
# No burst of twenty any more. Within a whole minute there can still be more than ten: all ten of the window before came
# at its very end, and they were taken as spread evenly. That is the price of two numbers. It is a trickle and not a
# burst, and in the long run there are never more than ten a minute. (Her three minutes touch four minutes of the
# clock.)

# %% [markdown]
# Now a real gateway. So that nothing else in this lesson waits for it, it is a copy with a limit of its own: five
# sign-ins an hour. It also trusts what a proxy on this machine says of a client's address, so that Eve can come from
# several. She tries thirty accounts, one password each.

# %% tags=["measured"]
from workbook.props.guesser import guesses

with copy_of(stack, "api-gateway", SIGN_IN_RATE="5/hour", TRUSTED_PROXIES="127.0.0.1/32") as strict:
    spraying = await guesses(strict.address, ["203.0.113.7"] * 30)
    elsewhere = await guesses(strict.address, ["198.51.100.1"])
    a_household = await guesses(strict.address, [f"2001:db8:0:1::{number:x}" for number in range(1, 31)])
    one_account = await guesses(strict.address, [f"203.0.113.{number}" for number in range(100, 110)], account="ada")
for what, answered in {
    "30 accounts, one address": spraying,
    "the next one, elsewhere": elsewhere,
    "30 addresses of one /64": a_household,
    "10 addresses, one account": one_account,
}.items():
    seen = Counter(f"{each.status_code} {each.json()['reason']}" for each in answered)
    print(f"{what:27}", ", ".join(f"{count} × {how}" for how, count in seen.items()))

# %% tags=["measured"]
last = spraying[-1]
print(last.status_code, last.json()["detail"])
for name in ("Retry-After", "RateLimit-Policy", "RateLimit"):
    print(f"{name}: {last.headers[name]}")

# %% [markdown]
# `WRONG_CREDENTIALS` is a guess that cost us the time of a password; all others were cheap to refuse. `RateLimit` says
# it before it is too late: `r` requests remain, in `t` seconds there are more. A good client slows down by itself.
#
# The last line is another lock, in the user service: it counts wrong passwords by **account**, too. An attacker with a
# thousand addresses gets past a limit by address; a limit by account alone would let anybody lock Ada out. Both
# together, with pauses that grow instead of a lock that stays, leave neither.
#
# **Why does the copy have to be told whom to trust?** `X-Forwarded-For` is a text that anybody can write. The gateway
# that runs here trusts nobody, so a new address in each request changes nothing:

# %% tags=["measured"]
async with client_of(GATEWAY) as client:
    for number in range(3):
        answer = await client.get("/v1/events", headers={"X-Forwarded-For": f"203.0.113.{number}"})
        print(f"says it is 203.0.113.{number}:", answer.headers["RateLimit"])

# %% [markdown]
# ## 9. Build once, deploy by digest, go back (12 min)
# **The pain.** Version 2 was tried on Monday, and it was good. On Wednesday a pod of "version 2" does something else.
# Nobody has released anything. What is a version, once it is an image?
#
# A **registry** keeps images, and is simple at heart: content under its own hash, the **digest**, and **tags** that
# point at digests. Here is one, as a folder laid out as the standard (OCI) wants it. Monday's image goes in:

# %%
from datetime import UTC, datetime, timedelta

from workbook.props.registry import NotTheSame, Registry

registry = Registry(stack.folder / "registry")  # it goes with the stack
source = {"app/booking.py": b"FEE = 0.05\n", "app/requirements.txt": b"money>=3\n"}
monday = datetime(2026, 11, 30, 9, tzinfo=UTC)
tried = registry.push("shop:v2", source | {"lib/money.py": b"# money 3.0: rounds half up\n"}, monday)
print("shop:v2 →", tried)

# %%
predict(
    "P5.13",
    "The same commit is built again an hour later, on a fresh machine, by a builder that writes the time into the "
    "image, as most do. Not one byte of the source has changed, and no library. Does it get the same digest?",
    a="yes: same content, same hash",
    b="no",
    choice="b",
)

# %%
again = registry.push("shop:v2", registry.pull(tried), monday + timedelta(hours=1))
print("at  9:00", tried)
print("at 10:00", again)
outcome("P5.13", "a" if again == tried else "b", "the times of the files are content, too")

# %% [markdown]
# Nothing has changed but the time, and it is another image; what was tried and what runs are no longer the same thing.
# A builder can be told to write a fixed time (`SOURCE_DATE_EPOCH`); such a build is *reproducible*. It does not help
# against new releases of libraries. And the tag follows whoever pushed last:

# %%
first_node = registry.digest("shop:v2")
tuesday = source | {"lib/money.py": b"# money 3.1: rounds half to even\n"}
registry.push("shop:v2", tuesday, monday + timedelta(days=1))
second_node = registry.digest("shop:v2")  # a pod is moved to a node that has not seen shop:v2 yet
for node, digest in (("first node", first_node), ("second node", second_node)):
    print(f"{node:12} shop:v2  {digest[:19]}…  {registry.pull(digest)['lib/money.py'].decode().strip()}")

# %% [markdown]
# Two pods of one Deployment, the same version by name, and they round money differently. With the digest as its name
# that cannot happen. Whoever pulls computes the hash himself, of the image and of the layers that it names, so not even
# the registry can give him something else:

# %%
print("by digest:", registry.pull(tried)["lib/money.py"].decode().strip())
registry.spoil(tried, b"FEE = 0.05", b"FEE = 0.50")
try:
    registry.pull(tried)
except NotTheSame as error:
    print("somebody changed a layer of it in the registry's storage:", error)

# %% [markdown]
# So an image is **built once**, tried, and deployed **by its digest**. Going back is then easy, too: the digest of
# before is still there, and means what it meant. `./learn cluster release` writes exactly that: `image@sha256:…`.
#
# ### Who does it at three in the morning
# A workflow: a file in the repository that says which **jobs** run when a tag is pushed, each on a fresh machine. In a
# small shop it uses these commands:
#
# | command | does |
# |---|---|
# | `ci/build TAG` | builds the image and pushes it; the step then has an output `digest` |
# | `ci/migrate IMAGE` | runs the migrations of this image, a tag or a digest |
# | `ci/deploy IMAGE` | replaces the pods, one by one. If they do not become ready, it goes back by itself |
# | `ci/smoke` | tries what runs, from outside |
# | `ci/undo` | back to what ran before the newest deployment |
#
# This is what somebody wrote:

# %%
BEFORE = """
name: Release
on: {push: {tags: ["v*"]}}
permissions: write-all
jobs:
  images:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - run: ci/build "${{ github.ref_name }}"
  deploy:
    needs: images
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - run: ci/migrate "${{ github.ref_name }}"
      - run: ci/deploy "${{ github.ref_name }}"
      - run: ci/smoke
      - if: failure()
        run: ci/undo
"""
predict(
    "P5.14",
    "Version 1 runs, version 0 ran before it. v2 is pushed, and its migration fails. Which version runs afterwards?",
    a="version 2",
    b="version 1",
    c="version 0",
    choice="c",
)

# %%
from workbook.props.release import HAPPENS, own_release, released
from workbook.props.workflow_run import Tree
from workbook.props.workflow_run import read as read_workflow


def play(workflow: Tree) -> None:
    """What runs after a release of version 2, whatever happens to it."""
    for happens in HAPPENS:
        ended = released(workflow, happens)
        print(f"{happens:34} {ended.runs:27} the run is {'red' if ended.red else 'green'}")


play(read_workflow(BEFORE))
runs = released(read_workflow(BEFORE), "the migration fails").runs
outcome("P5.14", {"version 2": "a", "version 1": "b", "version 0": "c"}[runs], f"{runs} runs")

# %% [markdown]
# `ci/undo` takes back the newest deployment. This run had none, so it took back the one before, which was good. A way
# back that nobody has ever gone is not one.
#
# The lines above come from a model: it knows jobs, steps, `needs`, `if`, outputs and `concurrency` as GitHub describes
# them, and plays what the commands do. It runs no machine.

# %% [markdown]
# **Your task 5.10, a release that can go back.** Copy `BEFORE` to `WORKFLOW`, and mend it:
#
# - what is deployed is what was built, whatever becomes of the tag meanwhile;
# - migrate first, then deploy, then try it; whatever fails, version 1 runs in the end, and the run is red;
# - two releases a minute apart come one after the other, and none is cut off in the middle;
# - each job may do what it needs and nothing else: only the one that builds may write, and only `packages`;
# - an action is code of somebody else that runs with your token. It is named by its commit, 40 digits, as an image by
#   its digest. That of `actions/checkout` v7.0.1 is `3d3c42e5aac5ba805825da76410c181273ba90b1`.
#
# `hint("5.10")` helps.

# %%
### BEGIN SOLUTION 5.10
WORKFLOW = """
name: Release
on: {push: {tags: ["v*"]}}
permissions: {}
concurrency: {group: production, cancel-in-progress: false}
jobs:
  images:
    runs-on: ubuntu-latest
    permissions: {contents: read, packages: write}
    outputs:
      digest: ${{ steps.build.outputs.digest }}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - id: build
        run: ci/build "${{ github.ref_name }}"
  deploy:
    needs: images
    runs-on: ubuntu-latest
    permissions: {contents: read}
    env:
      IMAGE: ${{ needs.images.outputs.digest }}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - run: ci/migrate "$IMAGE"
      - run: ci/deploy "$IMAGE"
      - id: smoke
        run: ci/smoke
      - if: failure() && steps.smoke.conclusion == 'failure'
        run: ci/undo
"""
### END SOLUTION

# %%
check("5.10")

# %% [markdown]
# **The same table again**, with your workflow:

# %% tags=["uses-answer"]
if WORKFLOW is ...:
    raise NotImplementedError('task 5.10 is not written yet: hint("5.10") helps')
play(read_workflow(WORKFLOW))

# %% [markdown]
# This system has such a workflow, `.github/workflows/release.yml`. It builds five images, and keeps with each of them a
# record of how it was built and a list of its parts. Its commands are others; told what each stands for, the same
# model plays it:

# %%
play(own_release())

# %% [markdown]
# **Why does the database not go back?** It may hold bookings by now that only fit the new tables. Version 1 runs on
# them, because the migration only added. That is the other half of section 4.
#
# **Why not test everything before, and spare the smoke test?** It asks the one thing that no test before could: whether
# *this* image works in *this* place, with its secrets, its network and its data.

# %% [markdown]
# ## 10. The whole system, and your own (5 min)
# Ask from outside whether it works. The checklist of phase 5 walks through the gateway as a customer, a thief and a
# crowd, reads the manifests, and reads the workflows. Here it runs against a fresh stack:

# %% tags=["measured"]
from rich.console import Console
from workbook.board import print_board
from workbook.checklist import run

seen_from_outside = await asyncio.to_thread(run, 5, "local")
status = print_board(seen_from_outside, Console(force_jupyter=False, highlight=False, width=110))

# %% [markdown]
# A line with ○ was not run, and says what it needs. The same board judges your own gateway, in any language:
#
# ```console
# $ ./learn check 5 --target gateway=127.0.0.1:8080,manifests=k8s/overlays/prod,workflows=.github/workflows
# ```
#
# **With a cluster** there is more to see. kind, minikube or one in a cloud: these are the commands, and the workflow
# `kubernetes` of this repository runs them in kind.
#
# ```console
# $ kind create cluster --name tickets --config phase5-k8s/kind.yaml
# $ docker buildx bake --file docker-bake.hcl --load
# $ kind load docker-image --name tickets \
#     ticket-workbook/{api-gateway,booking-service,event-service,metrics-consumer,user-service}:phase5
# $ ./learn cluster secrets dev
# $ ./learn cluster deploy dev
# $ kubectl --namespace tickets get pods --watch
# ```
#
# A second terminal lets calls in: `kubectl --namespace tickets port-forward service/api-gateway 8080:80`. In a third,
# `./learn cluster rush http://127.0.0.1:8080` sells tickets through the gateway while pods are killed, then counts.
# Watch pods disappear, others take their place, and the count come out right. This cell looks, where there is one:

# %% tags=["measured"]
from workbook.cluster.kubectl import asked

if cluster_there():
    print(asked("get", "deployments,horizontalpodautoscalers"))
else:
    print("○ not run (needs a cluster that kubectl knows)")

# %% [markdown]
# ### In seven lines
#
# 1. Alive asks for the process, ready asks for what it needs. Who mixes them up restarts what is healthy.
# 2. A limit of memory kills, a limit of CPU delays. Request what was measured.
# 3. gRPC keeps its connection. More pods help only callers who know of them.
# 4. First leave the list, then finish, then stop; and have the time for it.
# 5. What a client sends is a wish. Who it is comes from its token and from nowhere else.
# 6. Deny unless listed. Another's booking and no booking are one answer.
# 7. What was tested is what runs: one build, one digest, and a way back.
#
# ### Recall
# Answer each before you open it.
#
# <details><summary>1. The database is away. What do the three probes say?</summary>
#
# Startup and liveness: fine, once it has started. Readiness: no. Calls go elsewhere, and nothing is restarted.
# </details>
#
# <details><summary>2. Why does a pod without a limit of CPU do no harm, when one without a limit of memory does?</summary>
#
# CPU is shared by what was requested, and given back the next moment. Memory is not given back: the node runs out of
# it, and kills whom it likes.
# </details>
#
# <details><summary>3. Three new pods are ready, and the old one is still the only one that works. Why?</summary>
#
# Its callers keep their connection to it. They must know all addresses, and the server must end connections now and
# then.
# </details>
#
# <details><summary>4. Two pods use 140 % of what they requested; the target is 70 %. How many are wanted?</summary>
#
# Four: 2 × 140 ÷ 70, rounded up.
# </details>
#
# <details><summary>5. SIGTERM arrives. Why must a service go on taking calls?</summary>
#
# Its address leaves the lists at the same time, not before. Whoever has not heard of it yet still calls.
# </details>
#
# <details><summary>6. A client sends the same order twice, because the first answer was lost. What makes it one booking?</summary>
#
# Its `Idempotency-Key`, the same on both tries, kept with the user in the table of bookings.
# </details>
#
# <details><summary>7. A token says `alg: none`. Who decides which algorithm counts?</summary>
#
# The service that verifies. What the token says about its own check is a wish of whoever made it.
# </details>
#
# <details><summary>8. Why 404 for another's booking, and not 403?</summary>
#
# 403 says that it is there. The same words as for an id that nobody has say nothing.
# </details>
#
# <details><summary>9. At most 100 a minute, counted in fixed minutes. How many can come within two seconds?</summary>
#
# 200: the last second of one minute and the first of the next.
# </details>
#
# <details><summary>10. The smoke test fails after a deploy. What goes back, and what does not?</summary>
#
# The services go back to the version before. Databases do not: so a migration must fit both.
# </details>
#
# ### What this phase added

# %% tags=["measured"]
from workbook.phases import phase_folders

added = phase_folders()[5]
for part in ("access", "user_service", "api_gateway", "phase5", "k8s", "checklist", "tests"):
    files = [path for path in (added / part).rglob("*") if path.suffix in {".py", ".yaml", ".js", ".css", ".html"}]
    lines = sum(len(path.read_text().splitlines()) for path in files)
    print(f"{added.name + '/' + part:36}{len(files):4} files {lines:6,} lines")

# %% [markdown]
# No file of phases 1 to 4 was changed for it. What began as one service with one table is a system now that sells to
# the public, keeps its promise whatever dies, says how it is, and is replaced while it runs. It was added to, floor by
# floor; that is the idea to take home.
#
# ### How well did you know?

# %% tags=["measured"]
from workbook.lesson import calibration

calibration()

# %% [markdown]
# ### Prove it all again
#
# "Done" is what passes now. This runs every check of the phase once more:

# %%
from workbook.lesson import prove

prove(5)
