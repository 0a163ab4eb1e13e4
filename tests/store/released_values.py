"""What is in the stores of earlier versions that are kept in ``released/``: one file per version of the schema.

When the schema's version is raised, the program that still writes the old one makes the file of its version once:
``python -m tests.store.released_values``.
"""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.mac import Mac
from provd.model.session import BootSession
from provd.model.system import InstallState, Interface, System
from provd.model.token import InstallToken
from provd.model.trigger import TriggerRun
from provd.store.sqlite import SqliteStore
from provd.store.sqlite_schema import VERSION
from tests.fakes.owner_thread import OwnerThread

RELEASED: Final = Path(__file__).parent / "released"
NOW: Final = 1_800_000_000.0
CARD: Final = Mac.parse("52:54:00:88:00:11")
LEASES: Final = (
    Lease(0x0A580064, "lab", CARD.octets, b"\xffduid", "bound", NOW, NOW + 3600, "web1", "web1", "0a580101:0104abcd"),
    Lease(0x0A580065, "lab", b"\x02\0\0\0\0\1", state="released", starts_at=NOW - 60, expires_at=NOW),
    Lease(0x0A580066, "lab", b"", state="declined", expires_at=NOW + 600, context={"abandoned": "answered a probe"}),
    Lease(0x0A580067, "lab", b"\x02\0\0\0\0\2", expires_at=float("inf")),
)
SYSTEM: Final = System(
    "web1",
    "debian-12",
    (Interface("eth0", CARD, IPv4Address("10.88.0.20")),),
    answers={"root": {"file": "/run/secret"}},
    tags=("rack-4",),
)
STATE: Final = InstallState("held", attempts=3)
SESSION: Final = BootSession("s1", str(CARD), "web1", NOW, NOW + 5, "kernel")
EVENT: Final = Event("boot.started", NOW, "s1", "web1", str(CARD), {"arch": "bios"})
TOKEN: Final = InstallToken("live-token", "web1", "s1", "10.88.0.100", NOW, NOW + 60)
RUN: Final = TriggerRun("note", "install.finished", 1, NOW, 0.5, ok=True, output="done")


def write(path: Path) -> None:
    """Write the values with the program as it is now."""
    owner = OwnerThread()
    store = SqliteStore(path, deliver=owner.deliver, wall=lambda: NOW)
    owner.wait(partial(store.leases.commit, LEASES, []))
    store.systems.put(SYSTEM, expected="")
    store.installs.put("web1", STATE)
    store.sessions.save_session(SESSION)
    store.sessions.append(EVENT)
    store.tokens.save(TOKEN)
    store.trigger_runs.record(RUN)
    store.close()


if __name__ == "__main__":
    write(RELEASED / f"version-{VERSION}.db")
