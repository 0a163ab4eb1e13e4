"""The Magic Packet that wakes a network card (AMD publication 20213, "Magic Packet Technology", section 2.1)."""

from __future__ import annotations

MAC_OCTETS = 6


def magic_packet(mac: bytes) -> bytes:
    """Six octets of 255, then the hardware address sixteen times: 102 octets.

    Raises:
        ValueError: the hardware address has not six octets.
    """
    if len(mac) != MAC_OCTETS:
        raise ValueError(f"a card that can be woken has a hardware address of 6 octets, not {len(mac)}")
    return b"\xff" * 6 + mac * 16
