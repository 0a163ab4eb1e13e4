"""Whose request is it, where another DHCP server gives the addresses?

provd hears of such an address when the machine asks the other server for it, by broadcast, or at the PXE port. Where
that broadcast was lost, the machine says who it is in the name of its loader configuration
(``pxelinux.cfg/01-52-54-...``). The first address that asks for it during a boot is the machine's from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from provd.model.subnet import PROXY, Subnet
from provd.service.sessions import Boot, Sessions

_MAC: Final = re.compile(r"(?<![0-9a-f])([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?![0-9a-f:-])")


class ProxyClaims:
    """Gives a boot the address that its machine asks from.

    Args:
        sessions: running boots.
        subnet_of: the subnet of an address (dotted quad).
        is_config: whether a served path is a configuration of some boot loader.
    """

    def __init__(
        self, sessions: Sessions, subnet_of: Callable[[str], Subnet | None], is_config: Callable[[str], bool]
    ) -> None:
        self._sessions = sessions
        self._subnet_of = subnet_of
        self._is_config = is_config

    def boot_of(self, peer: str, path: str) -> Boot | None:
        """The boot that ``peer`` (dotted quad) makes its own by asking for ``path``; None where it claims none.

        Args:
            peer: source address of the request; one that a running boot has already claims nothing.
            path: served path.
        """
        named = _MAC.search(path)
        if named is None or not self._is_config(path):
            return None
        boot = self._sessions.of_mac(named.group(1).replace("-", ":"))
        if boot is None or boot.session.outcome != "running" or boot.session.address:
            return None
        subnet, known = self._subnet_of(peer), self._sessions.of_address(peer)
        if subnet is None or subnet.mode != PROXY or (known is not None and known.session.outcome == "running"):
            return None
        self._sessions.given(peer, boot.session.mac)
        self._sessions.lease(boot, peer)
        self._sessions.reach(boot, "ack")
        self._sessions.note(boot, "dhcp.elsewhere", {"address": peer, "reason": "it asks for its configuration"})
        return boot
