"""Windows that were made ahead are the windows that would have been made in their time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.core.tftp_ahead import LOOK_AHEAD
from provd.core.tftp_negotiation import Negotiated, TransferLimits
from provd.core.tftp_source import MemorySource
from provd.core.tftp_transfer import ReadTransfer
from provd.wire import tftp

BLKSIZE = 16


class Driver:
    """A client of RFC 7440 on a way that loses datagrams; ``fast`` takes joined windows from what was made ahead."""

    def __init__(self, octets: bytes, window: int, chance: random.Random, loss: float, *, fast: bool) -> None:
        self.now, self.window, self.chance, self.loss, self.fast = 0.0, window, chance, loss, fast
        self.received, self.blocks, self.in_window, self.gap, self.taken = b"", 0, 0, False, 0
        negotiated = Negotiated(BLKSIZE, window, None, {"windowsize": str(window)})
        self.transfer = ReadTransfer(MemorySource(octets), negotiated, TransferLimits(), 0.0)
        self.transfer.joins = fast

    def run(self) -> bytes:
        coming = self.transfer.start(self.now)
        for _ in range(100_000):
            if self.transfer.outcome is not None:
                return self.received
            self.now += 0.01
            waiting = [ack for one in coming if self.chance.random() >= self.loss for ack in self.take(one)]
            coming = [one for ack in waiting if self.chance.random() >= self.loss for one in self.answer(ack)]
            if not coming and self.transfer.outcome is None:
                self.now = max(self.now, self.transfer.deadline)
                coming = self.transfer.on_timeout(self.now)
        raise AssertionError("the transfer does not end")

    def take(self, datagram: bytes) -> list[bytes]:
        packet = tftp.decode(datagram)
        if isinstance(packet, tftp.OptionAck):
            return [tftp.encode_ack(0)]
        assert isinstance(packet, tftp.Data)
        if packet.block != (self.blocks + 1) & 0xFFFF:
            first, self.gap = not self.gap, True
            self.in_window = 0
            return [tftp.encode_ack(self.blocks)] if first else []
        self.received += packet.octets
        self.blocks, self.in_window, self.gap = self.blocks + 1, self.in_window + 1, False
        if self.in_window < self.window and len(packet.octets) == BLKSIZE:
            return []
        self.in_window = 0
        return [tftp.encode_ack(self.blocks)]

    def answer(self, ack: bytes) -> list[bytes]:
        transfer = self.transfer
        if not self.fast or not transfer.ahead or transfer.ahead[-1][0] != ack:
            return transfer.on_ack(int.from_bytes(ack[2:]), self.now)
        joined, size = transfer.ahead.pop()[1], 4 + BLKSIZE
        transfer.moved_before, transfer.moved_at = transfer.moved_at, self.now
        self.taken += 1
        return [joined[at : at + size] for at in range(0, len(joined), size)]


@given(
    size=st.integers(0, BLKSIZE * 3 * LOOK_AHEAD),
    window=st.sampled_from([2, 3, 4, 16, 64]),
    seed=st.integers(0, 1 << 30),
    loss=st.sampled_from([0.0, 0.05, 0.2]),
)
def test_t19_a_client_gets_every_octet_once_with_and_without_them(
    size: int, window: int, seed: int, loss: float
) -> None:
    octets = random.Random(seed).randbytes(size)
    for fast in (True, False):
        driver = Driver(octets, window, random.Random(seed), loss, fast=fast)
        received, outcome = driver.run(), driver.transfer.outcome
        assert outcome is not None
        if outcome.confirmed and outcome.kind.value == "finished":
            assert received == octets
            assert driver.transfer.octets == size


@pytest.mark.parametrize(("window", "taken"), [(4, 150), (16, 30), (3, 0)])
def test_windows_that_fit_into_groups_are_made_ahead(window: int, taken: int) -> None:
    octets = random.Random(1).randbytes(BLKSIZE * 10 * LOOK_AHEAD + 5)
    driver = Driver(octets, window, random.Random(1), 0.0, fast=True)
    assert driver.run() == octets
    assert driver.taken == taken
    assert driver.transfer.retries == 0


def test_t19_a_client_whose_windows_begin_elsewhere_does_not_wait_for_its_own_timer() -> None:
    negotiated = Negotiated(BLKSIZE, 2, None, {"windowsize": "2"})
    transfer = ReadTransfer(MemorySource(bytes(BLKSIZE * 20)), negotiated, TransferLimits(), 0.0)
    transfer.start(0.0)

    def blocks(datagrams: list[bytes]) -> list[int]:
        return [int.from_bytes(one[2:4]) for one in datagrams]

    assert blocks(transfer.on_ack(0, 0.5)) == [1, 2]
    assert blocks(transfer.on_ack(2, 1.0)) == [3, 4]
    assert blocks(transfer.on_ack(3, 1.001)) == [4, 5]
    # This one may be of the flight before, in which block 4 was sent already.
    assert blocks(transfer.on_ack(4, 1.0011)) == []


def test_t19_one_quick_answer_is_enough_to_believe_the_next_gap() -> None:
    negotiated = Negotiated(BLKSIZE, 2, None, {"windowsize": "2"})
    transfer = ReadTransfer(MemorySource(bytes(BLKSIZE * 40)), negotiated, TransferLimits(), 0.0)
    transfer.start(0.0)
    now = 0.0
    for block in (0, 2, 4, 6, 8):  # a client that waits for its own timer
        now += 0.5
        assert transfer.on_ack(block, now)
    assert transfer.on_ack(8, now + 0.01) == []
    now += 0.011
    assert transfer.on_ack(10, now)
    assert [int.from_bytes(one[2:4]) for one in transfer.on_ack(10, now + 0.01)] == [11, 12]
