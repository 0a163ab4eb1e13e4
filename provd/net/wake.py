"""Sends datagrams to everybody on a network."""

from __future__ import annotations

import socket


def broadcast(data: bytes, address: str, port: int) -> None:
    """Send one UDP datagram to a broadcast address; the routing table chooses the interface.

    Args:
        data: its content.
        address: broadcast address of a network (dotted quad).
        port: UDP port.

    Raises:
        OSError: the kernel knows no way there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(data, (address, port))
