"""One TFTP read: a transfer on a port of its own, its timer and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.interfaces import IReactorTime

from provd.core.tftp_ahead import LOOK_AHEAD
from provd.core.tftp_negotiation import Negotiated, TransferLimits
from provd.core.tftp_transfer import Outcome, OutcomeKind, ReadTransfer
from provd.model.content import Content, FileRequest
from provd.net.tftp_deadlines import Alarm, Deadlines
from provd.net.tftp_recent import RecentBlocks, RecentFiles, key_of
from provd.net.tftp_socket import Address, Network
from provd.net.tftp_source import open_source
from provd.wire import tftp
from provd.wire.errors import WireError

OnEvent = Callable[[str, FileRequest, Mapping[str, object]], None]

_ACK_HEAD: Final = bytes((0, tftp.ACK))
_LONG: Final = 128
"""Blocks of a file from which on a faster way to answer is worth its making."""
_WIDE: Final = 16
"""Blocks of the largest window that is made ahead."""
_KINDS: Final = {
    OutcomeKind.FINISHED: "tftp.sent",
    OutcomeKind.ABORTED: "tftp.aborted",
    OutcomeKind.FAILED: "tftp.failed",
}


class TftpSession:
    """Drives one ``ReadTransfer``: datagrams in and out, its deadline on the reactor's clock, one event at the end."""

    def __init__(
        self,
        *,
        clock: IReactorTime,
        deadlines: Deadlines,
        network: Network,
        request: FileRequest,
        peer: Address,
        content: Content,
        netascii: bool,
        negotiated: Negotiated,
        limits: TransferLimits,
        recent: RecentFiles,
        on_event: OnEvent,
        on_end: Callable[[TftpSession], object],
    ) -> None:
        """Open the content and a port; ``begin`` sends the first answer.

        Raises:
            OSError: the content cannot be opened, or there is no port left.
        """
        self.request = request
        self.peer = peer
        self._clock = clock
        self._content = content
        self._negotiated = negotiated
        self._on_event = on_event
        self._on_end = on_end
        self._started_at = clock.seconds()
        self._deadlines = deadlines
        self._alarm = Alarm(self._expired)
        self._ended = False
        retain = negotiated.blksize * max(negotiated.windowsize, LOOK_AHEAD + 1)
        self._source = open_source(
            content,
            netascii=netascii,
            window=negotiated.blksize * negotiated.windowsize,
            retain=retain,
            ready=self._content_came,
            recent=recent,
        )
        try:
            self._endpoint = network.open(request.local, peer, self.received)
        except OSError:
            self._source.close()
            raise
        key = None if netascii else key_of(content)
        made = (
            RecentBlocks(recent, (*key, negotiated.blksize, negotiated.windowsize, limits.rollover), self._source)
            if key
            else None
        )
        self._transfer = ReadTransfer(self._source, negotiated, limits, self._started_at, made)
        self._ahead = self._transfer.ahead
        self._lockstep = negotiated.windowsize == 1
        self._hastens = negotiated.windowsize <= _WIDE and content.length > _LONG * negotiated.blksize

    @property
    def heard(self) -> bool:
        """The client has answered at least once."""
        return self._transfer.heard

    @property
    def active_at(self) -> float:
        """When the client was last heard, or the start."""
        return max(self._transfer.heard_at, self._transfer.moved_at)

    def begin(self) -> None:
        """Send the first answer."""
        self._drive(self._transfer.start)

    def received(self, data: bytes, peer: Address) -> None:
        """One datagram on the transfer's port."""
        ahead = self._ahead
        if ahead and data == ahead[-1][0] and peer == self.peer and self._lockstep and not self._ended:
            self._endpoint.send(ahead.pop()[1], peer)
            # The timer stands at an earlier deadline; it looks again when it comes up.
            transfer = self._transfer
            transfer.moved_before, transfer.moved_at = transfer.moved_at, self._clock.seconds()
            return
        if self._ended:
            return
        if peer != self.peer:
            if data[1:2] != b"\5":
                self._endpoint.send(tftp.encode_error(tftp.ErrorCode.UNKNOWN_TID, "Unknown transfer ID"), peer)
            return
        if len(data) == 4 and data.startswith(_ACK_HEAD):
            if self._hastens and self.heard:
                self._hastens = False
                size = 0 if self._lockstep else 4 + self._negotiated.blksize
                self._transfer.joins = self._endpoint.hasten(self.peer, self._transfer, self._clock.seconds, size)
            self._drive(self._transfer.on_ack, data[2] << 8 | data[3])
            return
        try:
            packet = tftp.decode(data)
        except WireError:
            return
        if isinstance(packet, tftp.Error):
            self._transfer.on_error(packet.code, packet.text)
            self._settle()

    def replaced(self) -> None:
        """The client began anew from the same port: end without a word, which it would take for the new answer."""
        self._transfer.stop(OutcomeKind.ABORTED, "the client asked again from the same port")
        self._settle()

    def stop(self, reason: str) -> None:
        """End the transfer from this side; a client that is really there is told."""
        if not self._ended:
            self._refuse(reason, tell=self.heard)

    def _content_came(self) -> None:
        if not self._ended:
            self._drive(self._transfer.on_content)

    def _expired(self) -> None:
        self._drive(self._transfer.on_timeout)

    def _drive(self, step: Callable[..., list[bytes]], *seen: int) -> None:
        try:
            datagrams = step(*seen, self._clock.seconds())
        except OSError as error:
            self._refuse(f"reading failed: {error.strerror}", tell=True)
            return
        if len(datagrams) == 1:
            self._endpoint.send(datagrams[0], self.peer)
        elif datagrams:
            self._endpoint.send_all(datagrams, self.peer)
        self._settle()

    def _settle(self) -> None:
        outcome = self._transfer.outcome
        if outcome is not None:
            self._end(outcome)
            return
        deadline = self._transfer.deadline
        # The alarm is moved only when it would come too late; one that comes early is set again: an ACK costs nothing.
        if deadline < self._alarm.at:
            self._deadlines.set(self._alarm, deadline)

    def _refuse(self, reason: str, *, tell: bool) -> None:
        if tell:
            self._endpoint.send(tftp.encode_error(tftp.ErrorCode.UNDEFINED, "Transfer stopped"), self.peer)
        self._transfer.stop(OutcomeKind.FAILED, reason)
        self._settle()

    def _end(self, outcome: Outcome) -> None:
        if self._ended:
            return
        self._ended = True
        self._deadlines.cancel(self._alarm)
        self._endpoint.close()
        self._source.close()
        self._on_end(self)
        fields: dict[str, object] = {
            "bytes": self._transfer.octets,
            "seconds": self._clock.seconds() - self._started_at,
            "retries": self._transfer.retries,
            "blksize": self._negotiated.blksize,
            "windowsize": self._negotiated.windowsize,
        }
        if outcome.reason:
            fields["reason"] = outcome.reason
        self._on_event(_KINDS[outcome.kind], self.request, fields)
        if outcome.kind is OutcomeKind.FINISHED and self._content.on_sent is not None:
            self._content.on_sent(self._content.length)
