"""Floods of made-up clients: no exception, and memory that does not grow with them (security row C21)."""

from __future__ import annotations

import random
import tracemalloc

from tests.fakes.dhcp_world import DISCOVER, REQUEST, DhcpWorld, ip, request

ROUND = 4000
MOST_GROWTH = 200_000


def flood(world: DhcpWorld, pick: random.Random, count: int) -> None:
    """Clients that come once: each with its own address, identifier, name and wish."""
    for _ in range(count):
        options = {12: pick.randbytes(pick.randrange(1, 60)), 61: pick.randbytes(pick.randrange(1, 40))}
        kind = pick.choice((DISCOVER, REQUEST))
        wanted = ip("10.88.0.1") + pick.randrange(0, 120)
        data = request(kind, mac=pick.randbytes(6), xid=pick.getrandbits(32), options=options, wanted=wanted)
        cut = pick.randrange(200, len(data)) if pick.random() < 0.1 else len(data)
        world.ask(data[:cut])
        for record in (world.sent, world.director.heard, world.director.asked):
            record.clear()
        world.pass_time(0.02)


def test_c21_a_flood_of_strangers_leaves_nothing_behind_that_grows() -> None:
    world, pick = DhcpWorld(), random.Random(21)
    flood(world, pick, 2 * ROUND)
    tracemalloc.start()
    try:
        # What is kept of the clients heard last has been replaced once before it is weighed.
        flood(world, pick, 2 * ROUND)
        before, _ = tracemalloc.get_traced_memory()
        flood(world, pick, ROUND)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert world.service.counters.errors == 0
    assert after - before < MOST_GROWTH
    # A machine that comes after the flood is answered as soon as an offer has run out.
    world.pass_time(3600)
    assert [sent.kind for sent in world.ask(request(DISCOVER))] == [2]
