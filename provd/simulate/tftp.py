"""The TFTP client of simulated firmware and loaders, without I/O (RFC 1350, 2347, 2348, 2349, 7440)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provd.simulate.actions import Fetched, TftpGet
from provd.wire import tftp
from provd.wire.errors import WireError

_STATUS: Final = {1: 404, 2: 403}


class TftpRead:
    """One read: hand it what arrives, send what it returns, until ``result`` is there.

    Args:
        action: what to read.
    """

    def __init__(self, action: TftpGet) -> None:
        self._action = action
        self._blocks: list[bytes] = []
        self._size = 512
        self._window = 1
        self._since_ack = 0
        self._options: Mapping[str, str] = {}
        self.result: Fetched | None = None

    def first(self) -> bytes:
        """The read request."""
        options = dict(self._action.options)
        return tftp.encode_request(tftp.Request(False, self._action.path, "octet", options))  # noqa: FBT003

    def again(self) -> bytes:
        """What is sent when nothing came: the request, or the last acknowledgement."""
        return tftp.encode_ack(len(self._blocks) % 65536) if self._blocks or self._options else self.first()

    def received(self, data: bytes) -> list[bytes]:
        """Take one datagram; what is to be sent back to where it came from."""
        try:
            packet = tftp.decode(data)
        except WireError:
            return []
        if isinstance(packet, tftp.OptionAck):
            return self._option_ack(packet)
        if isinstance(packet, tftp.Error):
            self.result = Fetched(_STATUS.get(packet.code, 500), error=f"TFTP error {packet.code} {packet.text}")
            return []
        return self._data(packet) if isinstance(packet, tftp.Data) else []

    def _option_ack(self, packet: tftp.OptionAck) -> list[bytes]:
        self._options = packet.options
        self._size = int(packet.options.get("blksize", "512"))
        self._window = int(packet.options.get("windowsize", "1"))
        if self._action.stop_after_size:
            self.result = Fetched(200, headers=packet.options)
            return [tftp.encode_error(8, "User aborted the transfer")]
        return [tftp.encode_ack(0)]

    def _data(self, packet: tftp.Data) -> list[bytes]:
        expected = (len(self._blocks) + 1) % 65536
        if packet.block != expected:
            # A gap: the window starts again after the last block that came in order (RFC 7440 section 4).
            self._since_ack = 0
            return [tftp.encode_ack(len(self._blocks) % 65536)]
        self._blocks.append(packet.octets)
        self._since_ack += 1
        last = len(packet.octets) < self._size
        if last:
            self.result = Fetched(200, b"".join(self._blocks), self._options)
        if last or self._since_ack >= self._window:
            self._since_ack = 0
            return [tftp.encode_ack(packet.block)]
        return []
