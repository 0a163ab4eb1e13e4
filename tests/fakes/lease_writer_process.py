"""A process that commits leases until it is killed and prints each address once its lease is durable.

Run with the path of the store and the first address.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Queue

from provd.model.lease import Lease
from provd.store.sqlite import SqliteStore

IN_FLIGHT = 20


def acknowledge(address: int, error: Exception | None) -> None:
    if error is None:
        print(address, flush=True)


def main(path: str, first: int) -> None:
    queue: Queue[Callable[[], None]] = Queue()
    store = SqliteStore(Path(path), deliver=queue.put, wall=lambda: 1.0)
    address = first
    while True:
        for _ in range(IN_FLIGHT):
            lease = Lease(address, "lan", address.to_bytes(6, "big"), expires_at=2e9)
            store.leases.commit([lease], [], partial(acknowledge, address))
            address += 1
        queue.get(timeout=20)()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
