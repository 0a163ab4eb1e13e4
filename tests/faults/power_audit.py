"""Opens what a power loss may leave of a lease store, at moment after moment of a trace, and counts what is missing."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provd.model.lease import Lease
from provd.store.sqlite import SqliteStore
from tests.fakes.owner_thread import OwnerThread
from tests.fakes.traced_store_process import lease_of
from tests.faults.power_loss import Disk
from tests.faults.write_trace import Call, record

ROOT = Path(__file__).parents[2]


@dataclass
class Verdict:
    """What many power losses came to.

    Attributes:
        calls: of the trace that changed the disk.
        images: folders that were opened.
        repaired: of these, where the store told of damage.
        told: leases that the process had told as durable, over all images.
        faults: what must not happen, one sentence each.
    """

    calls: int = 0
    images: int = 0
    repaired: int = 0
    told: int = 0
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """One line for people."""
        return (
            f"{self.images} images of {self.calls} calls opened, {self.repaired} of them after a repair, "
            f"{self.told} acknowledged rows looked for, {len(self.faults)} faults"
        )


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: nothing is proven by waiting for a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@dataclass(frozen=True)
class Traced:
    """A process that worked on the store of a folder: what it found there and what it did."""

    folder: Path
    before: dict[str, bytes]
    calls: list[Call]


def traced(folder: Path, first: int, count: int) -> Traced:
    """Let a process commit ``count`` leases into the store of a folder."""
    before = contents(folder)
    store = str(folder / "provd.db")
    with quick_folder() as scratch:
        command = [sys.executable, "-m", "tests.fakes.traced_store_process", store, str(first), str(count)]
        return Traced(folder, before, record(command, ROOT, scratch / "trace"))


def contents(folder: Path) -> dict[str, bytes]:
    """Names and contents of a folder's files."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def audit(work: Traced, known: dict[int, Lease], pick: random.Random, share: float, mixed: int = 2) -> Verdict:
    """Lose the power at a share of the moments.

    Args:
        work: of the traced process.
        known: leases that were durable before it began.
        pick: chance.
        share: of the calls that change the disk, those that are looked at.
        mixed: images per moment with some of the writes, beside that with all and that with none.
    """
    disk, verdict = Disk(work.folder, work.before), Verdict()
    with quick_folder() as scratch:
        for call in work.calls:
            if not disk.replay(call):
                continue
            verdict.calls += 1
            if pick.random() < share:
                promised = Promised(known, disk.told.decode())
                for word, image in disk.images(pick, mixed):
                    _open(scratch, image, promised, verdict, f"call {verdict.calls} ({call.name}), {word}")
    return verdict


def leases_of(folder: Path) -> tuple[dict[int, Lease], Sequence[str]]:
    """Leases of a store that is opened and closed, and what it told of damage."""
    store = SqliteStore(folder / "provd.db", deliver=OwnerThread().deliver, wall=lambda: 1.0)
    found = {lease.address: lease for lease in store.leases.load()}
    store.close()
    return found, store.damage


class Promised:
    """What a store must hold after the lines that a process wrote, and what it may hold."""

    def __init__(self, known: dict[int, Lease], told: str) -> None:
        self.first, self.again, self.removed = set(known), set[int](), set[int]()
        for line in told.splitlines():
            word, address = line.split()
            {"lease": self.first, "again": self.again, "removed": self.removed}[word].add(int(address))

    @property
    def count(self) -> int:
        """Leases that must be there."""
        return len(self.first - self.removed)

    def faults(self, found: dict[int, Lease], *, repaired: bool) -> Iterator[str]:
        """What is wrong with a store's content."""
        for address in self.first - self.removed - found.keys():
            # A removal that was on its way may have been carried out.
            if address % 20 != 19:
                yield f"lease {address} is missing"
        for address, lease in found.items():
            newer = lease_of(address, again=True)
            if lease not in ([newer] if address in self.again else [newer, lease_of(address)]):
                yield f"lease {address} has a wrong content"
            if address in self.removed and not repaired:
                yield f"lease {address} is back"


def _open(scratch: Path, image: dict[str, bytes], promised: Promised, verdict: Verdict, where: str) -> None:
    folder = scratch / "store"
    folder.mkdir(mode=0o700)
    for name, octets in image.items():
        (folder / name).write_bytes(octets)
    verdict.images += 1
    verdict.told += promised.count
    try:
        found, damage = leases_of(folder)
    except Exception as error:  # noqa: BLE001  whatever it is, this image does not open
        verdict.faults.append(f"{where}: {type(error).__name__}: {error}")
    else:
        repaired = bool(damage)
        verdict.repaired += repaired
        verdict.faults += [f"{where}: {fault}" for fault in promised.faults(found, repaired=repaired)]
    shutil.rmtree(folder)
