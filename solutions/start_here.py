# %% [markdown]
# # Start here
#
# You are going to build an **online ticket booking system**, one phase at a time. It begins as one service with one database.
# By the end it has Kafka, metrics, traces and Kubernetes. Everything is real: the database is PostgreSQL, the services are
# processes on this machine, and when a lesson kills one, it is dead.
#
# ![The system, and the phase that adds each part](../docs/system.svg)
#
# | lesson | you learn | time |
# |---|---|---|
# | [1: gRPC and a first service](phase1_grpc.ipynb) | protobuf, the four kinds of RPC, layers, PostgreSQL, testing | 2 h |
# | [2: two services, one promise](phase2_services.ipynb) | calls between services, idempotency, deadlines, retries, sagas, recovery | 2 h |
# | [3: Kafka, a message for every booking](phase3_kafka.ipynb) | topics, groups, the outbox, counting once, poison messages | 2 h |
# | [4: metrics, traces and logs](phase4_observability.ipynb) | histograms, PromQL, dashboards, alerts, traces, an incident | 2 h |
# | [5: users, a gateway and Kubernetes](phase5_kubernetes.ipynb) | probes, scaling, rollouts, REST, tokens, who may what, rate limits, CI/CD | 2 h |
#
# A word you do not know? The [glossary](../docs/glossary.md) has it, in English and Turkish.
#
# ## How a lesson works (1 min)
# Run each cell with **Shift+Enter**, from top to bottom. Four things come again and again:
#
# - **Predict** before you measure. You pick a letter; the lesson keeps it and compares. Being wrong is where you learn most.
# - **Your task**: a cell with a hole, marked `raise NotImplementedError` or `...`. Write your code there and run the cell.
# - **Check**: `check("1.3")` says ✓, or ✗ and what is wrong.
# - **Hint**: `hint("1.3")` gives the first of three hints, then the next. `solution("1.3")` shows one way to do it.
#
# Nothing here can harm your machine. Every process a lesson starts ends with its notebook. To put a task back to how it
# came, run `./learn reset 1.3` in a terminal; `./learn list` shows how far you are.
#
# ## The tour (1 min)

# %%
from workbook.lesson import check, hint, outcome, predict, solution

# %% [markdown]
# **Predict.** Replace `...` by a letter, in quotes, and run the cell.

# %%
predict("P0.1", "How many digits has 2 to the power of 64?", a="8", b="20", c="64", choice="b")

# %%
digits = len(str(2**64))
outcome("P0.1", "b", f"{digits} digits")

# %% [markdown]
# **Your task 0.1.** People book different numbers of tickets. Add them up: `total([2, 1, 4])` is 7. Write the body, run the
# cell, then run the check below it. Try the check before you write anything, too: it tells you what is missing.


# %%
def total(counts: list[int]) -> int:
    """All tickets of some bookings together."""
    ### BEGIN SOLUTION 0.1
    return sum(counts)
    ### END SOLUTION


# %%
check("0.1")

# %% [markdown]
# ## What runs on this machine (1 min)
# A lesson starts what it needs by itself. This starts PostgreSQL and the booking service, and books two tickets.

# %% tags=["measured"]
from workbook.demo import demo
from workbook.lesson import local_stack

stack = local_stack(1)
for name, part in stack.parts.items():
    print(f"{name:16} {part.address:17} pid {part.pid}")
demo(stack["booking-service"].address)

# %% [markdown]
# All of it ends when this notebook's kernel ends. Now open [lesson 1](phase1_grpc.ipynb).
