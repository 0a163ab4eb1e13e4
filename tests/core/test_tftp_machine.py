"""A transfer over a network that loses, repeats and reorders: every octet arrives once and in order."""

from __future__ import annotations

import struct
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from provd.core.tftp_negotiation import Negotiated, TransferLimits
from provd.core.tftp_source import MemorySource
from provd.core.tftp_transfer import Outcome, OutcomeKind, ReadTransfer
from provd.wire import tftp

LIMITS: Final = TransferLimits(patience=1e9)
BLKSIZE: Final = 8


class Receiver:
    """A client by RFC 1350 and RFC 7440: acknowledges full windows, gaps and the end."""

    def __init__(self, windowsize: int) -> None:
        self.windowsize = windowsize
        self.octets = bytearray()
        self.blocks = 0
        self.in_window = 0
        self.done = False

    def receive(self, datagram: bytes) -> list[int]:
        opcode, number = struct.unpack("!HH", datagram[:4])
        if opcode == tftp.OACK:
            return [0] if self.blocks == 0 else []
        if self.done or number != (self.blocks + 1) & 0xFFFF:
            self.in_window = 0
            return [self.blocks & 0xFFFF]
        self.blocks += 1
        self.octets += datagram[4:]
        self.in_window += 1
        self.done = len(datagram) - 4 < BLKSIZE
        if self.done or self.in_window == self.windowsize:
            self.in_window = 0
            return [self.blocks & 0xFFFF]
        return []


class LossyTransfer(RuleBasedStateMachine):
    """Datagrams and acknowledgements wait in two bags; rules pick, repeat and drop them in any order."""

    begun: bool = False

    @initialize(size=st.integers(0, 400), windowsize=st.integers(1, 5), oack=st.booleans())
    def begin(self, size: int, windowsize: int, oack: bool) -> None:
        self.content = bytes(number % 251 for number in range(size))
        accepted = {"blksize": str(BLKSIZE)} if oack or windowsize > 1 else {}
        negotiated = Negotiated(BLKSIZE, windowsize, None, accepted)
        self.now = 100.0
        self.transfer = ReadTransfer(MemorySource(self.content), negotiated, LIMITS, self.now)
        self.receiver = Receiver(windowsize)
        self.acks: list[int] = []
        self.data = self.transfer.start(self.now)
        self.sent = len(self.data)
        self.begun = True

    def _emit(self, datagrams: list[bytes]) -> None:
        assert len(datagrams) <= max(1, self.receiver.windowsize)
        self.sent += len(datagrams)
        self.data += datagrams

    @precondition(lambda self: self.data)
    @rule(pick=st.integers(0, 1000), keep=st.booleans())
    def deliver(self, pick: int, keep: bool) -> None:
        index = pick % len(self.data) if pick % 3 == 0 else 0
        datagram = self.data[index] if keep and len(self.data) < 40 else self.data.pop(index)
        self.acks += self.receiver.receive(datagram)

    @precondition(lambda self: self.acks)
    @rule(pick=st.integers(0, 1000), keep=st.booleans(), wait=st.floats(0.0, 0.3))
    def acknowledge(self, pick: int, keep: bool, wait: float) -> None:
        self.now += wait
        index = pick % len(self.acks) if pick % 3 == 0 else 0
        block = self.acks[index] if keep and len(self.acks) < 40 else self.acks.pop(index)
        self._emit(self.transfer.on_ack(block, self.now))

    @precondition(lambda self: self.data)
    @rule()
    def lose_data(self) -> None:
        self.data.pop(0)

    @precondition(lambda self: self.acks)
    @rule()
    def lose_ack(self) -> None:
        self.acks.pop(0)

    @precondition(lambda self: self.transfer.outcome is None)
    @rule()
    def time_passes(self) -> None:
        assert self.transfer.on_timeout(self.now) == [] or self.now >= self.transfer.deadline - LIMITS.max_timeout
        self.now = max(self.now, self.transfer.deadline)
        self._emit(self.transfer.on_timeout(self.now))

    @rule(number=st.integers(0, 65535))
    def stray_ack(self, number: int) -> None:
        """An acknowledgement out of the blue never moves the transfer past what was sent."""
        if number > self.sent:
            self._emit(self.transfer.on_ack(number, self.now))

    @invariant()
    def what_arrived_is_the_beginning_of_the_file(self) -> None:
        if self.begun:
            assert self.content.startswith(self.receiver.octets)
            assert self.transfer.octets <= len(self.receiver.octets)

    @invariant()
    def finished_means_everything_arrived(self) -> None:
        if not self.begun:
            return
        outcome = self.transfer.outcome
        if outcome is not None and outcome.kind is OutcomeKind.FINISHED and outcome.confirmed:
            assert bytes(self.receiver.octets) == self.content

    def outcome(self) -> Outcome | None:
        return self.transfer.outcome

    def teardown(self) -> None:
        """From any state, a network that works again completes the file."""
        if not self.begun:
            return
        for _ in range(2000):
            while self.data and self.outcome() is None:
                for block in self.receiver.receive(self.data.pop(0)):
                    self.now += 0.001
                    self._emit(self.transfer.on_ack(block, self.now))
            if self.outcome() is not None:
                break
            self.now = max(self.now, self.transfer.deadline)
            self._emit(self.transfer.on_timeout(self.now))
        outcome = self.outcome()
        assert outcome is not None
        if outcome.kind is OutcomeKind.FINISHED and outcome.confirmed:
            assert bytes(self.receiver.octets) == self.content
        else:
            assert self.transfer.retries >= LIMITS.data_retries


TestLossyTransfer = LossyTransfer.TestCase
TestLossyTransfer.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
