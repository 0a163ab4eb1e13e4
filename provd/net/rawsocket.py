"""IPv4 datagrams to a host that has no address yet: IP and UDP headers by hand, the Ethernet address given.

RFC 2131 section 4.1: without the broadcast flag the reply goes to the client's hardware address and ``yiaddr``. The
host cannot answer ARP for that address, so an ordinary UDP socket cannot reach it.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from provd.net.datagram_batch import DatagramBatch, to_hardware

Failed = Callable[[str], None]
"""Told why a packet could not leave."""

_IP: Final = struct.Struct("!BBHHHBBHII")
_UDP: Final = struct.Struct("!HHHH")
_ETH_P_IP: Final = 0x0800


def udp_payload(packet: bytes, port: int) -> tuple[int, bytes] | None:
    """Source address and payload of an IPv4 packet with a whole UDP datagram to ``port``, None for anything else.

    Lengths are checked against each other before any is believed; the checksum is not (interfaces leave it to do).
    """
    if len(packet) < _IP.size or packet[0] >> 4 != 4:
        return None
    header = (packet[0] & 15) * 4
    total, fragment = int.from_bytes(packet[2:4]), int.from_bytes(packet[6:8])
    # More fragments follow, or this is a later one: DHCP is never fragmented on its own link.
    if header < _IP.size or not header + _UDP.size <= total <= len(packet) or fragment & 0x3FFF:
        return None
    if packet[9] != socket.IPPROTO_UDP:
        return None
    _, to, length, _ = _UDP.unpack_from(packet, header)
    if to != port or not _UDP.size <= length <= total - header:
        return None
    return int.from_bytes(packet[12:16]), packet[header + _UDP.size : header + length]


class RawSender:
    """An AF_PACKET socket that only sends; the kernel writes the link header (VLANs included).

    Args:
        soon: calls a function on the next turn of the reactor.

    Raises:
        OSError: the process may not open one (CAP_NET_RAW).
    """

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        # Protocol 0: nothing is received, so nothing piles up in the socket.
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0
        )
        self._soon = soon
        self._queue: list[Failed] = []
        self._held = False
        self._batch: DatagramBatch | None = None
        with suppress(OSError):
            self._batch = DatagramBatch(self._socket.fileno(), receiving=False)

    def send(self, interface: str, index: int, packet: bytes, mac: bytes, failed: Failed) -> None:
        """Send an IPv4 packet to one hardware address, with others of this turn of the reactor.

        Args:
            interface: name.
            index: of the interface.
            packet: from :func:`ip_udp_packet`.
            mac: receiver.
            failed: called with the reason if it turns out later that it could not leave.

        Raises:
            OSError: the interface is gone or down, or its queue is full.
        """
        if self._batch is None:
            self._socket.sendto(packet, (interface, _ETH_P_IP, 0, 0, mac))
            return
        if self._batch.full:
            self._flush()
        self._batch.send(packet, to_hardware(index, mac), b"")
        if not self._queue and not self._held:
            self._soon(self._flush)
        self._queue.append(failed)

    def hold(self) -> None:
        """What is sent from here on leaves with :meth:`flush`, and no turn of the reactor is waited for."""
        self._held = True

    def flush(self) -> None:
        """Send what waits."""
        self._held = False
        self._flush()

    def _flush(self) -> None:
        queue, self._queue = self._queue, []
        if self._batch is None or not queue:
            return
        self._batch.flush()
        missing, self._batch.failed = self._batch.failed, []
        for number, fault in missing:
            queue[number](os.strerror(fault))

    def close(self) -> None:
        """Send what waits, and free the socket."""
        self._flush()
        self._socket.close()
