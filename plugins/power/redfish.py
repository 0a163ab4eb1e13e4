"""Redfish (DMTF DSP0266) by the library sushy: power and boot override of one computer system."""

from __future__ import annotations

from pathlib import Path

from provd.plugin.api import Runtime, Settings

from .credentials import Login, host_of
from .session import held

_LONGEST_S = 60.0


class RedfishTable(Settings, frozen=True):
    """``[power]`` of a board with Redfish.

    Attributes:
        address: ``HOST``, ``HOST:PORT`` or ``https://HOST[:PORT]``.
        user: who logs in; empty for the user of all boards.
        password: likewise.
        system: ``Id`` or path of the computer system, where the board has several.
        verify: whether its certificate must be good.
        ca_file: PEM file of the authorities that are trusted, empty for those of this machine.
        timeout_s: seconds for each request.
    """

    address: str
    user: str = ""
    password: str = ""
    system: str = ""
    verify: bool = True
    ca_file: str = ""
    timeout_s: float = 15.0

    def __post_init__(self) -> None:
        host_of(self.address)
        if not 0 < self.timeout_s <= 60:
            raise ValueError("timeout_s must be above 0 and at most 60")
        if self.ca_file and not (self.verify and Path(self.ca_file).is_absolute()):
            raise ValueError("ca_file must be an absolute path, and goes with verify = true")


def url_of(address: str) -> str:
    """The board's URL."""
    bare = address.removeprefix("https://").rstrip("/")
    return f"https://[{bare}]" if host_of(address) == bare and ":" in bare else f"https://{bare}"


async def switch(runtime: Runtime, table: RedfishTable, login: Login, action: str) -> str:
    """Do it; raises as :func:`.session.held` does."""
    asked = {
        "url": url_of(table.address),
        "user": login.user,
        "password": login.password,
        "system": table.system,
        "verify": table.verify,
        "ca_file": table.ca_file,
        "timeout_s": table.timeout_s,
        "action": action,
    }
    return await held(runtime, "redfish_session.py", table.address, asked, _LONGEST_S)
