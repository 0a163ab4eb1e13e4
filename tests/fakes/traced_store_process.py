"""A process that opens a store, commits leases in groups, prints each address once its lease is durable, and closes.

Run with the path of the store, the first address and the number of leases; with 0 leases it opens and closes.
Every tenth lease is written a second time, and every twentieth removed again, so that pages are rewritten.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Queue

from provd.model.lease import Lease
from provd.store.sqlite import SqliteStore


def lease_of(address: int, *, again: bool = False) -> Lease:
    """The lease of an address as this process writes it."""
    return Lease(address, "lan", address.to_bytes(6), expires_at=2e9 + again, hostname=f"host{address}")


def main(path: str, first: int, count: int) -> None:
    queue: Queue[Callable[[], None]] = Queue()
    store = SqliteStore(Path(path), deliver=queue.put, wall=lambda: 1.0)
    pick, done = random.Random(first), 0

    def told(line: str, error: Exception | None) -> None:
        nonlocal done
        done += 1
        if error is None:
            # One write call, so that its place among the others in the trace is where it was told.
            os.write(1, line.encode())

    begun = 0
    for address in range(first, first + count):
        store.leases.commit([lease_of(address)], [], partial(told, f"lease {address}\n"))
        begun += 1
        if address % 10 == 0:
            store.leases.commit([lease_of(address, again=True)], [], partial(told, f"again {address}\n"))
            begun += 1
        if address % 20 == 0:
            store.leases.commit([], [address - 1], partial(told, f"removed {address - 1}\n"))
            begun += 1
        while begun - done > pick.randrange(8):
            queue.get(timeout=20)()
    while done < begun:
        queue.get(timeout=20)()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
