"""Blocks that were made ahead in lock-step are the blocks that would have been made in their time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.core.tftp_ahead import LOOK_AHEAD, StepMaker, Steps
from provd.core.tftp_negotiation import Negotiated, TransferLimits
from provd.core.tftp_source import BlockSource, MemorySource, NetasciiSource
from provd.core.tftp_transfer import ReadTransfer
from provd.wire import tftp

BLKSIZE = 16


class Driver:
    """A client in lock-step on a way that loses datagrams; ``fast`` answers from what was made ahead."""

    def __init__(self, source: BlockSource, chance: random.Random, loss: float, *, fast: bool, rollover: int) -> None:
        self.now, self.fast, self.loss, self.chance = 0.0, fast, loss, chance
        self.received: list[bytes] = []
        self.sent: list[bytes] = []
        limits = TransferLimits(rollover=rollover)
        self.transfer = ReadTransfer(source, Negotiated(BLKSIZE, 1, None, {"blksize": str(BLKSIZE)}), limits, 0.0)

    def lost(self) -> bool:
        return self.chance.random() < self.loss

    def run(self) -> bytes:
        waiting = self.transfer.start(self.now)
        ack = b""
        while self.transfer.outcome is None:
            self.now += 0.01
            self.sent += waiting
            arrived = [one for one in waiting if not self.lost()]
            waiting = []
            for datagram in arrived:
                ack = self.take(datagram)
                if not self.lost():
                    waiting += self.answer(ack)
            if not waiting and self.transfer.outcome is None:
                self.now = max(self.now, self.transfer.deadline)
                waiting = self.transfer.on_timeout(self.now)
        return b"".join(self.received)

    def take(self, datagram: bytes) -> bytes:
        packet = tftp.decode(datagram)
        if isinstance(packet, tftp.Data):
            if packet.block == self.next_block():
                self.received.append(packet.octets)
            return tftp.encode_ack(packet.block)
        return tftp.encode_ack(0)

    def next_block(self) -> int:
        number = len(self.received) + 1
        return number % 65536 if self.transfer._wrap == 65536 else (number - 1) % 65535 + 1

    def answer(self, ack: bytes) -> list[bytes]:
        ahead = self.transfer.ahead
        if self.fast and ahead and ahead[-1][0] == ack:
            self.transfer.moved_before, self.transfer.moved_at = self.transfer.moved_at, self.now
            return [ahead.pop()[1]]
        return self.transfer.on_ack(int.from_bytes(ack[2:]), self.now)


@given(
    size=st.integers(0, BLKSIZE * 5 * LOOK_AHEAD),
    seed=st.integers(0, 1 << 30),
    loss=st.sampled_from([0.0, 0.05, 0.3]),
    netascii=st.booleans(),
)
def test_t04_t05_a_client_gets_every_octet_once_with_and_without_them(
    size: int,
    seed: int,
    loss: float,
    netascii: bool,
) -> None:
    octets = random.Random(seed).randbytes(size)
    wanted = octets.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n") if netascii else octets
    for fast in (True, False):
        source: BlockSource = MemorySource(octets)
        if netascii:
            source = NetasciiSource(source, retain=BLKSIZE * (LOOK_AHEAD + 1))
        driver = Driver(source, random.Random(seed), loss, fast=fast, rollover=0)
        received = driver.run()
        outcome = driver.transfer.outcome
        assert outcome is not None
        if outcome.confirmed and outcome.kind.value == "finished":
            assert received == wanted
            assert driver.transfer.octets == len(wanted)


@pytest.mark.parametrize("rollover", [0, 1])
def test_t07_numbers_roll_over_in_what_is_made_ahead(rollover: int) -> None:
    octets = bytes(BLKSIZE * 65_600 + 3)
    driver = Driver(MemorySource(octets), random.Random(1), 0.0, fast=True, rollover=rollover)
    assert driver.run() == octets
    assert len(driver.sent) == 65_601 + 1


def test_t05_the_wait_begins_with_the_newest_block() -> None:
    driver = Driver(MemorySource(bytes(BLKSIZE * 40)), random.Random(1), 0.0, fast=True, rollover=0)
    transfer = driver.transfer
    transfer.start(0.0)
    transfer.on_ack(0, 1.0)
    for block in range(1, 5):
        ack, _ = transfer.ahead.pop()
        assert ack == tftp.encode_ack(block)
        transfer.moved_before, transfer.moved_at = transfer.moved_at, 1.0 + block
    assert transfer.on_timeout(5.01) == []
    assert transfer.deadline > 5.01
    (again,) = transfer.on_timeout(transfer.deadline)
    assert again == tftp.encode_data(5, bytes(BLKSIZE))


def test_a_fault_of_the_source_is_told_when_its_block_is_due() -> None:
    class Breaks(MemorySource):
        def read_at(self, offset: int, count: int) -> bytes:
            if offset + count > BLKSIZE * 5:
                raise OSError(5, "Input/output error")
            return super().read_at(offset, count)

    transfer = Driver(Breaks(bytes(BLKSIZE * 40)), random.Random(1), 0.0, fast=True, rollover=0).transfer
    transfer.start(0.0)
    for block in range(5):
        assert transfer.on_ack(block, 1.0) == [tftp.encode_data(block + 1, bytes(BLKSIZE))]
        assert transfer.ahead == []
    with pytest.raises(OSError, match="Input/output"):
        transfer.on_ack(5, 2.0)


def test_t05_the_round_trip_is_measured_though_most_groups_meet_a_loss() -> None:
    """The first answer of the server was lost; from then on every fifth acknowledgement is."""
    transfer = Driver(MemorySource(bytes(BLKSIZE * 400)), random.Random(1), 0.0, fast=True, rollover=0).transfer
    now = transfer.deadline
    transfer.on_timeout(now)
    transfer.on_ack(0, now + 0.01)
    now, waits, block = now + 0.01, [], 0
    for _ in range(20):
        for _ in range(4):
            block, now = block + 1, now + 0.01
            if transfer.ahead:
                assert transfer.ahead.pop()[0] == tftp.encode_ack(block)
                transfer.moved_before, transfer.moved_at = transfer.moved_at, now
            else:
                transfer.on_ack(block, now)
        transfer.on_timeout(transfer.deadline)
        waits.append(transfer.deadline - now)
        now = transfer.deadline
        transfer.on_timeout(now)
    assert waits[-1] < 0.2, waits


class Made(dict[int, Steps]):
    """Groups that all transfers of a file share."""

    def keep(self, first: int, steps: Steps) -> None:
        self[first] = steps


def test_groups_begin_alike_in_every_transfer_and_are_made_once() -> None:
    octets = random.Random(7).randbytes(BLKSIZE * (3 * LOOK_AHEAD + 5) + 3)
    made = Made()
    straight = StepMaker(MemorySource(octets), BLKSIZE, 1, 65536, made)
    for sent in (1, LOOK_AHEAD, 2 * LOOK_AHEAD):
        straight.after(sent)

    class Broken(MemorySource):
        def read_at(self, offset: int, count: int) -> bytes:
            raise OSError(5, "Input/output error")

    alone = StepMaker(MemorySource(octets), BLKSIZE, 1, 65536, None)
    shared = StepMaker(Broken(b""), BLKSIZE, 1, 65536, made)
    for sent in range(1, 3 * LOOK_AHEAD):
        steps = shared.after(sent)
        assert steps == alone.after(sent)
        assert steps[-1] == (tftp.encode_ack(sent), tftp.encode_data(sent + 1, octets[sent * BLKSIZE :][:BLKSIZE]))
        assert len(steps) == LOOK_AHEAD - sent % LOOK_AHEAD
    end = alone.after(3 * LOOK_AHEAD + 2)
    assert [ack for ack, _ in end] == [tftp.encode_ack(3 * LOOK_AHEAD + block) for block in (4, 3, 2)]
    assert sorted(made) == [0, LOOK_AHEAD, 2 * LOOK_AHEAD]
