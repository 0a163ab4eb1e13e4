"""A process whose files may not grow for a while, as on a full disk; it prints what became of each commit.

Run with the path of the store.
"""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.system import InstallState, System
from provd.store.interface import Done, StoreError
from provd.store.sqlite import SqliteStore
from tests.fakes.owner_thread import OwnerThread


def refused(start: Callable[[Done], None]) -> Callable[[Done], None]:
    """The same, where a failure is what is waited for."""
    return lambda done: start(lambda _error: done(None))


def main(path: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    owner = OwnerThread()
    store = SqliteStore(path, deliver=owner.deliver, wall=lambda: 1.0)

    def commit(address: int) -> str:
        try:
            owner.wait(lambda done: store.leases.commit([Lease(address, "lan", b"\2\0\0\0\0\1")], [], done))
        except StoreError as error:
            return f"refused: {error}"
        return "durable"

    print(commit(1))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    grown = Path(f"{path}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (grown, hard))
    print(commit(2))
    store.installs.put("web1", InstallState("held"))
    owner.wait(refused(store.flush))
    store.installs.put("web1", InstallState("held", attempts=2))
    number = store.sessions.append(Event("boot.held", 1.0, "s1"))
    try:
        store.systems.put(System("web1"), expected="")
    except StoreError:
        print("an edit is refused")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print(commit(3))
    store.close()
    store = SqliteStore(path, deliver=owner.deliver, wall=lambda: 2.0)
    print(sorted(lease.address for lease in store.leases.load()), store.systems.all())
    print(store.installs.get("web1").state, [event.id == number for event in store.sessions.events("s1")])
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
