"""IPMI 2.0 over LAN (RMCP+) by the library pyghmi: chassis control and boot device."""

from __future__ import annotations

from typing import Literal

from provd.plugin.api import Runtime, Settings

from .credentials import Login, host_of
from .session import held

_LEVELS = {"operator": 3, "administrator": 4}
_STARTING_S = 5.0
"""Seconds that the program may take to start, beside those that the board has."""


class IpmiTable(Settings, frozen=True):
    """``[power]`` of a board with IPMI.

    Attributes:
        address: name or address.
        user: who logs in; empty for the user of all boards.
        password: likewise; 20 octets at most (IPMI 2.0 section 13.28).
        port: UDP.
        privilege: the level that is asked for; an operator may switch power and choose the boot device.
        uefi: ask for UEFI at a boot that is forced, where the machine has both.
        timeout_s: seconds for the whole session, 60 at most.
    """

    address: str
    user: str = ""
    password: str = ""
    port: int = 623
    privilege: Literal["operator", "administrator"] = "operator"
    uefi: bool = False
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if host_of(self.address) != self.address.lower():
            raise ValueError(f"address {self.address!r} must be a host; the port is a key of its own")
        if not 1 <= self.port <= 65535:
            raise ValueError("port must be from 1 to 65535")
        if not 0 < self.timeout_s <= 60:
            raise ValueError("timeout_s must be above 0, and 60 at most")
        if len(self.password.encode()) > 20:
            raise ValueError("password has more than the 20 octets that IPMI takes")


async def switch(runtime: Runtime, table: IpmiTable, login: Login, action: str) -> str:
    """Do it; raises as :func:`.session.held` does."""
    asked = {
        "address": table.address,
        "port": table.port,
        "user": login.user,
        "password": login.password,
        "level": _LEVELS[table.privilege],
        "uefi": table.uefi,
        "action": action,
        "timeout_s": table.timeout_s,
    }
    longest_s = table.timeout_s + _STARTING_S
    return await held(runtime, "ipmi_session.py", f"{table.address} port {table.port}", asked, longest_s)
