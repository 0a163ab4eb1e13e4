"""What the sender believes about the network: stray acknowledgements and Karn's rule."""

from __future__ import annotations

import pytest

from provd.core.tftp_negotiation import Negotiated, TransferLimits
from provd.core.tftp_source import MemorySource
from provd.core.tftp_transfer import ReadTransfer

LIMITS = TransferLimits()


def transfer_of(size: int, windowsize: int = 1) -> ReadTransfer:
    transfer = ReadTransfer(MemorySource(bytes(size)), Negotiated(windowsize=windowsize), LIMITS, 0.0)
    transfer.start(0.0)
    return transfer


@pytest.mark.parametrize("windowsize", [1, 4])
@pytest.mark.parametrize("beyond", [1, 2, 1000, 40_000])
def test_an_ack_beyond_what_was_sent_moves_nothing(windowsize: int, beyond: int) -> None:
    transfer = transfer_of(512 * 20, windowsize)
    assert transfer.on_ack(windowsize + beyond, 0.1) == []
    assert not transfer.heard
    assert len(transfer.on_ack(windowsize, 0.2)) == windowsize
    assert transfer.octets == 512 * windowsize


def test_karn_an_answer_to_a_repeated_block_says_nothing_about_the_round_trip() -> None:
    transfer = transfer_of(512 * 20)
    transfer.on_timeout(1.0)
    transfer.on_ack(1, 1.0001)
    assert transfer.deadline == pytest.approx(1.0001 + LIMITS.first_timeout)
    transfer.on_ack(2, 1.0002)
    assert transfer.deadline == pytest.approx(1.0002 + LIMITS.min_timeout)


def test_back_off_ends_with_the_first_answer() -> None:
    transfer = transfer_of(512 * 20)
    transfer.on_timeout(1.0)
    assert transfer.deadline == 3.0
    transfer.on_timeout(3.0)
    assert transfer.deadline == 7.0
    transfer.on_ack(1, 3.5)
    assert transfer.deadline == 3.5 + LIMITS.first_timeout
