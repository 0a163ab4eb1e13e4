"""One read transfer as a state machine: acknowledgements and time in, datagrams out (RFC 1350, 1123, 2347, 7440).

No socket and no clock: ``now`` is a number of monotonic seconds. Whoever drives it sends the datagrams that each method
returns, in order, and calls ``on_timeout`` at ``deadline`` until ``outcome`` is set.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from provd.core.tftp_ahead import MadeBlocks, StepMaker, Steps
from provd.core.tftp_clock import RetransmissionTimer
from provd.core.tftp_negotiation import Negotiated, TransferLimits
from provd.core.tftp_source import BlockSource
from provd.wire.tftp import DATA, ErrorCode, encode_option_ack

_HEAD: Final = struct.Struct("!HH")
_UNKNOWN: Final = 1 << 62
_SHOWN_TEXT: Final = 80


class OutcomeKind(Enum):
    """How a transfer ended."""

    FINISHED = "finished"
    ABORTED = "aborted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a transfer.

    Attributes:
        kind: ``ABORTED`` is a client that only asked for the size or the options (rule T16): no failure.
        reason: one sentence for people, empty where it finished.
        confirmed: the final block was acknowledged; False where only that last ACK is missing (rule T08).
    """

    kind: OutcomeKind
    reason: str = ""
    confirmed: bool = True


class ReadTransfer:
    """Sender of one file.

    Blocks are counted from 1 without wrapping; only the wire form wraps.

    Attributes:
        deadline: when ``on_timeout`` is due.
        outcome: None while the transfer runs.
        retries: how often something was sent again.
        heard: the client has acknowledged something, so its address is real.
        heard_at: when it last made progress.
        ahead: what answers the next acknowledgements: one datagram in lock-step, a window's joined. Whoever drives the
            transfer may answer from here by taking the last one off and saying when in ``moved_at``.
        joins: whoever drives it can send a window's datagrams joined, so that windows are made ahead too.
        moved_at: when the newest datagram from ``ahead`` was sent.
        moved_before: when the one before it was.
    """

    __slots__ = (
        "_acked", "_acked_wire", "_ahead", "_attempts", "_blksize", "_highest", "_known", "_last", "_limits",
        "_negotiating", "_oack", "_once", "_resent", "_sent", "_sent_at", "_size", "_source", "_starved", "_steps",
        "_timer", "_window", "_wrap", "ahead", "deadline", "heard", "heard_at", "joins", "moved_at", "moved_before",
        "outcome", "retries",
    )  # fmt: skip

    def __init__(
        self,
        source: BlockSource,
        negotiated: Negotiated,
        limits: TransferLimits,
        now: float,
        made: MadeBlocks | None = None,
    ) -> None:
        self._source = source
        self._limits = limits
        self._blksize = negotiated.blksize
        self._window = negotiated.windowsize
        self._wrap = 65535 if limits.rollover else 65536
        self._steps = StepMaker(source, negotiated.blksize, negotiated.windowsize, self._wrap, made)
        self._oack = encode_option_ack(negotiated.accepted) if negotiated.accepted else b""
        self._negotiating = bool(self._oack)
        self._timer = RetransmissionTimer(limits, negotiated.timeout)
        self._acked = self._acked_wire = self._sent = self._known = self._highest = 0
        self._last = _UNKNOWN
        self._size = 0
        self._attempts = 0
        self._once = True
        self._resent = False
        self._starved = False
        self._sent_at = self.heard_at = self.deadline = now
        self.heard = False
        self.retries = 0
        self.ahead: Steps = []
        self.joins = False
        self._ahead = 0
        self.moved_at = self.moved_before = now
        self.outcome: Outcome | None = None

    @property
    def octets(self) -> int:
        """Octets of the file that were acknowledged."""
        self._catch_up()
        return min(self._acked * self._blksize, self._size)

    def start(self, now: float) -> list[bytes]:
        """The first answer: OACK, or DATA where no option was accepted (rule T14)."""
        return self._send_oack(now) if self._negotiating else self._send_window(now)

    def on_ack(self, block: int, now: float) -> list[bytes]:
        """The client has everything up to ``block``."""
        if self.outcome is not None:
            return []
        self._catch_up()
        if self._negotiating:
            if block != 0:
                return []
            self._negotiating = False
            self._progress(now)
            return self._send_window(now)
        ahead = (block - self._acked_wire) % self._wrap
        if ahead == 0:
            return self._repeated_ack(now)
        if ahead > self._sent - self._acked or (block == 0 and self._wrap == 65535):
            return []
        self._acked += ahead
        self._acked_wire = block
        self._progress(now)
        if self._acked == self._last:
            self.outcome = Outcome(OutcomeKind.FINISHED)
            return []
        if self._acked < self._sent and not self._restart(now):
            return []
        return self._send_window(now)

    def on_error(self, code: int, text: str) -> None:
        """The client ends the transfer; it gets no answer (rule T09)."""
        if self.outcome is not None:
            return
        shown = "".join(character if character.isprintable() else "?" for character in text[:_SHOWN_TEXT])
        said = f"client sent error {code}: {shown}"
        probe = self._negotiating or code == ErrorCode.OPTION_REFUSED
        self.outcome = Outcome(OutcomeKind.ABORTED if probe else OutcomeKind.FAILED, said)

    def on_timeout(self, now: float) -> list[bytes]:
        """Send again what was not acknowledged, or give up. Nothing happens before the deadline."""
        self._catch_up()
        if self.outcome is not None or now < self.deadline:
            return []
        if self._starved and self._sent == self._acked:
            self.outcome = Outcome(OutcomeKind.FAILED, f"the content did not come for {self._limits.patience:g} s")
            return []
        self._attempts += 1
        if self._gives_up(now):
            return []
        self._timer.expired()
        self.retries += 1
        self._resent = True
        if self._negotiating:
            return self._send_oack(now)
        self._sent = self._acked
        return self._send_window(now)

    def on_content(self, now: float) -> list[bytes]:
        """The source has more octets than when it was last read."""
        if self.outcome is not None or not self._starved:
            return []
        return self._send_window(now)

    def stop(self, kind: OutcomeKind, reason: str) -> None:
        """End the transfer from this side."""
        if self.outcome is None:
            self.outcome = Outcome(kind, reason)

    def _progress(self, now: float) -> None:
        # Karn's rule: what was sent more than once may have been acknowledged for any of its times.
        if self._resent or 0 < self._acked <= self._known:
            self._resent = False
            self._timer.answered()
        else:
            self._timer.measured(now - self._sent_at)
        self._attempts = 0
        self._once = True
        self.heard = True
        self.heard_at = now

    def _repeated_ack(self, now: float) -> list[bytes]:
        # Lock-step: answering would double every block from here on (RFC 1123 section 4.2.3.1). With a window, it says
        # that the window's first block was lost (RFC 7440 section 4); once is enough, the timer does the rest.
        if self._window == 1 or self._sent == self._acked or not self._once or not self._restart(now):
            return []
        self._once = False
        return self._send_window(now)

    def _restart(self, now: float) -> bool:
        """Go back to the oldest block that is missing, unless the ACK can only speak of an earlier flight."""
        # One of a block that was never sent before speaks of this flight, however soon it comes: the client counts its
        # windows from another block on, and would wait for its own timer window after window.
        if self._acked <= self._known and now - self._sent_at < self._timer.quickest / 2:
            return False
        self.retries += 1
        self._resent = True
        self._sent = self._acked
        return True

    def _gives_up(self, now: float) -> bool:
        limits = self._limits
        if not self.heard:
            if self._attempts > (limits.retries if self._oack else limits.data_retries):
                self.stop(OutcomeKind.FAILED, "the client never answered")
        elif self._sent == self._last and self._attempts > limits.retries:
            self.outcome = Outcome(OutcomeKind.FINISHED, "the final acknowledgement is missing", confirmed=False)
        elif now - self.heard_at >= limits.patience:
            self.stop(OutcomeKind.FAILED, f"the client was silent for {now - self.heard_at:.0f} s")
        return self.outcome is not None

    def _send_oack(self, now: float) -> list[bytes]:
        self._sent_at = now
        self.deadline = now + self._timer.wait
        return [self._oack]

    def _send_window(self, now: float) -> list[bytes]:
        datagrams: list[bytes] = []
        blksize = self._blksize
        self._known = self._highest
        sent, stop = self._sent, min(self._acked + self._window, self._last)
        self._starved = False
        while sent < stop:
            octets = self._source.read_at(sent * blksize, blksize)
            if octets is None:
                self._starved = True
                break
            sent += 1
            datagrams.append(_HEAD.pack(DATA, self._steps.number(sent)) + octets)
            if len(octets) < blksize:
                self._last = stop = sent
            self._size = max(self._size, (sent - 1) * blksize + len(octets))
        self._sent = sent
        self._highest = max(self._highest, sent)
        self._sent_at = now
        waits = self._limits.patience if sent == self._acked else self._timer.wait
        self.deadline = now + waits
        if self._window == 1 or self.joins:
            self._look_ahead()
        return datagrams

    def _look_ahead(self) -> None:
        """Make the full blocks that follow: a client waits for each window, and hardly one is unusual."""
        self.ahead.clear()
        # Karn's rule: after a retransmission the next answer says nothing of the round trip, and is looked at.
        if self.heard and not self._resent and self._sent != self._last:
            # A fault of the source is told when its block is due.
            with suppress(OSError):
                self.ahead.extend(self._steps.after(self._sent))
        self._ahead = len(self.ahead)

    def _catch_up(self) -> None:
        """Note what was answered from ``ahead``."""
        moved = self._ahead - len(self.ahead)
        if not moved:
            return
        self._ahead -= moved
        self._once = True
        # The acknowledgement at moved_at answered the datagram before: on a bad way there may be no other measure.
        self._timer.measured(self.moved_at - (self.moved_before if moved > 1 else self._sent_at))
        self._sent += moved * self._window
        self._acked = self._known = self._sent - self._window
        self._highest = self._sent
        self._acked_wire = self._steps.number(self._acked) if self._acked else 0
        self._attempts = 0
        self._sent_at = self.heard_at = self.moved_at
        self.deadline = self.moved_at + self._timer.wait
        self._size = max(self._size, self._sent * self._blksize)
