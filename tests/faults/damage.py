"""Damages the files of a lease store in every way that comes to mind, and judges what a start makes of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from provd.model.lease import Lease
from provd.store.sqlite import SqliteStore
from tests.fakes.owner_thread import OwnerThread
from tests.faults.power_audit import contents, leases_of, quick_folder

ROWS: Final = 200
Files = Mapping[str, bytes]


def lease_of(address: int) -> Lease:
    """The lease of an address."""
    return Lease(address, "lan", address.to_bytes(6), expires_at=2e9, hostname=f"host{address}")


def killed_store() -> Files:
    """The files of a store of 200 leases as a kill leaves them: some in the database, the newest in the log."""
    with quick_folder() as folder:
        owner = OwnerThread()
        for first, last in ((1, 120), (121, ROWS)):
            store = SqliteStore(folder / "provd.db", deliver=owner.deliver, wall=lambda: 1.0)
            for address in range(first, last + 1):
                owner.wait(partial(store.leases.commit, [lease_of(address)], []))
            files = {name: octets for name, octets in contents(folder).items() if octets}
            # What a log has ahead of its end holds nothing, so that no fault there is one.
            files = {name: _without_room(octets) if "-leases" in name else octets for name, octets in files.items()}
            store.close()
    # The index of the log is made anew at every start.
    return {name: octets for name, octets in files.items() if not name.endswith("-shm")}


def _without_room(log: bytes) -> bytes:
    return log[:64] + log[64:].rstrip(b"\0")


@dataclass
class Damage:
    """What many damaged stores came to.

    Attributes:
        starts: stores that were opened.
        told: of these, those that told of the damage.
        rows: leases that were found, over all stores.
        faults: what must not happen, one sentence each.
    """

    starts: int = 0
    told: int = 0
    rows: int = 0
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """One line for people."""
        return f"{self.starts} damaged stores opened, {self.told} told of it, {self.rows} leases found, {len(self.faults)} faults"

    def judge(self, files: Files, what: str, least: int = 0, *, shorter: bool = False) -> None:
        """Open damaged files: never refused, no wrong lease, none missing without a word.

        Args:
            files: name and content of each.
            what: was done to them.
            least: leases that must be found.
            shorter: the log lost its end, which nobody can tell from a log to which less was written.
        """
        self.starts += 1
        with quick_folder() as folder:
            for name, octets in files.items():
                (folder / name).write_bytes(octets)
            try:
                found, told = leases_of(folder)
                again, silent = leases_of(folder)
            except Exception as error:  # noqa: BLE001  whatever it is, the store does not open
                self.faults.append(f"{what}: {type(error).__name__}: {error}")
                return
            names = set(contents(folder))
        self.told += bool(told)
        self.rows += len(found)
        if any(lease != lease_of(address) or address > ROWS for address, lease in found.items()):
            self.faults.append(f"{what}: a wrong lease")
        if not told and not shorter and len(found) < ROWS:
            self.faults.append(f"{what}: {ROWS - len(found)} leases are missing without a word")
        if len(found) < least:
            self.faults.append(f"{what}: {len(found)} leases, {least} could be had")
        if (again, list(silent)) != (found, []):
            self.faults.append(f"{what}: the next start finds something else: {silent}")
        if any("a copy is kept" in one for one in told) and not any(".damaged-" in name for name in names):
            self.faults.append(f"{what}: no copy was kept")


def mutated(files: Files, pick: random.Random) -> tuple[dict[str, bytes], str, bool]:
    """The files with one to three faults, what was done, and whether a log lost its end."""
    changed, words, shorter = dict(files), list[str](), False
    for _ in range(pick.choice((1, 1, 2, 3))):
        name = pick.choice(sorted(changed))
        octets = bytearray(changed[name])
        if not octets:
            continue
        fault = pick.choice(_FAULTS)
        fault(octets, pick)
        changed[name] = bytes(octets)
        words.append(f"{name}: {fault.__name__}")
        shorter = shorter or (fault is cut_off and name != "provd.db")
    return changed, ", ".join(words), shorter


def _place(octets: bytearray, pick: random.Random, longest: int = 6000) -> tuple[int, int]:
    at = pick.randrange(len(octets))
    return at, min(len(octets), at + pick.randint(1, longest))


def flipped_bit(octets: bytearray, pick: random.Random) -> None:
    octets[pick.randrange(len(octets))] ^= 1 << pick.randrange(8)


def random_octets(octets: bytearray, pick: random.Random) -> None:
    at, end = _place(octets, pick, 64)
    octets[at:end] = pick.randbytes(end - at)


def zeros(octets: bytearray, pick: random.Random) -> None:
    at, end = _place(octets, pick)
    octets[at:end] = bytes(end - at)


def lost_page(octets: bytearray, pick: random.Random) -> None:
    at = pick.randrange(len(octets)) // 4096 * 4096
    octets[at : at + 4096] = b"\xff" * len(octets[at : at + 4096])


def swapped_pages(octets: bytearray, pick: random.Random) -> None:
    one, two = (pick.randrange(max(1, len(octets) // 4096)) * 4096 for _ in range(2))
    octets[one : one + 4096], octets[two : two + 4096] = octets[two : two + 4096], octets[one : one + 4096]


def cut_off(octets: bytearray, pick: random.Random) -> None:
    del octets[pick.randrange(len(octets)) :]


def cut_out(octets: bytearray, pick: random.Random) -> None:
    at, end = _place(octets, pick)
    del octets[at:end]


def put_in(octets: bytearray, pick: random.Random) -> None:
    at, end = _place(octets, pick, 600)
    octets[at:at] = octets[at:end]


def grown(octets: bytearray, pick: random.Random) -> None:
    octets.extend(pick.randbytes(pick.randint(1, 5000)))


_FAULTS: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    flipped_bit, flipped_bit, random_octets, zeros, lost_page, swapped_pages, cut_off, cut_out, put_in, grown,
)  # fmt: skip


def flipped_everywhere(files: Files, pick: random.Random, step: int = 1) -> Damage:
    """One flipped bit in each octet of each file, one start each."""
    damage = Damage()
    for name, octets in files.items():
        for at in range(0, len(octets), step):
            changed = bytearray(octets)
            changed[at] ^= 1 << pick.randrange(8)
            damage.judge({**files, name: bytes(changed)}, f"{name}: octet {at}", least=ROWS - 1)
    return damage


def copy_names(folder: Path) -> list[str]:
    """Names of the copies that a repair kept."""
    return sorted(path.name for path in folder.iterdir() if ".damaged-" in path.name)
