"""Wake-on-LAN for plugins: packets to several networks, of which one may lead nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from provd.model.mac import Mac
from provd.plugin.runtime import Runtime
from provd.wire.magic_packet import magic_packet

_PAUSE_S = 1.0


async def wake_on_lan(runtime: Runtime, macs: Sequence[str], broadcast: Sequence[str], port: int, repeat: int) -> str:
    """Send each machine's packet to each network, ``repeat`` times a second apart; returns what was done.

    Args:
        runtime: of the plugin.
        macs: hardware addresses to wake.
        broadcast: broadcast addresses, dotted quads.
        port: UDP port.
        repeat: how often, 1 at least.

    Raises:
        ValueError: a hardware address that is none.
        OSError: no packet could be sent to any of the networks; the text says why for each.
    """
    packets = [magic_packet(Mac.parse(text).octets) for text in macs]
    failed: dict[str, str] = {}
    for at in range(repeat):
        if at:
            await runtime.sleep(_PAUSE_S)
        for address in broadcast:
            try:
                for packet in packets:
                    runtime.broadcast(packet, address, port)
            except OSError as error:
                failed[address] = str(error.strerror or error)
            else:
                failed.pop(address, None)
    lost = ", ".join(f"{address}: {why}" for address, why in failed.items())
    there = ", ".join(address for address in broadcast if address not in failed)
    if not there:
        raise OSError(lost)
    return f"woke {', '.join(macs)} at {there}" + (f"; not at {lost}" if lost else "")
