"""IPMI 2.0 over LAN (RMCP+) by the library pyghmi: chassis control and boot device."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import msgspec

from provd.plugin.api import Runtime, Settings

from .credentials import Login, host_of

_LEVELS = {"operator": 3, "administrator": 4}
_SESSION = Path(__file__).with_name("ipmi_session.py")
_LONGEST_S = 40.0


class _Answer(msgspec.Struct):
    kind: str
    text: str = ""


class IpmiTable(Settings, frozen=True):
    """``[power]`` of a board with IPMI.

    Attributes:
        address: name or address.
        user: who logs in; empty for the user of all boards.
        password: likewise; 20 octets at most (IPMI 2.0 section 13.28).
        port: UDP.
        privilege: the level that is asked for; an operator may switch power and choose the boot device.
        uefi: ask for UEFI at a boot that is forced, where the machine has both.
    """

    address: str
    user: str = ""
    password: str = ""
    port: int = 623
    privilege: Literal["operator", "administrator"] = "operator"
    uefi: bool = False

    def __post_init__(self) -> None:
        if host_of(self.address) != self.address.lower():
            raise ValueError(f"address {self.address!r} must be a host; the port is a key of its own")
        if not 1 <= self.port <= 65535:
            raise ValueError("port must be from 1 to 65535")
        if len(self.password.encode()) > 20:
            raise ValueError("password has more than the 20 octets that IPMI takes")


async def switch(runtime: Runtime, table: IpmiTable, login: Login, action: str) -> str:
    """Do it, in a process of its own: the library keeps sessions and sockets for all of a process together.

    Raises:
        ConnectionError: the board cannot be reached.
        TimeoutError: likewise.
        ValueError: it refused.
    """
    asked = {
        "address": table.address,
        "port": table.port,
        "user": login.user,
        "password": login.password,
        "level": _LEVELS[table.privilege],
        "uefi": table.uefi,
        "action": action,
    }
    # By standard input: the arguments and environment of a process can be looked at.
    command = [sys.executable, "-I", str(_SESSION)]
    try:
        ended = await runtime.run_process(command, stdin=msgspec.json.encode(asked), timeout_s=_LONGEST_S)
    except TimeoutError as error:
        raise TimeoutError(f"{table.address} port {table.port} did not answer in {_LONGEST_S:g} s") from error
    try:
        answer = msgspec.json.decode(ended.stdout, type=_Answer)
    except msgspec.DecodeError as error:
        raise ValueError(f"the session with {table.address} ended with status {ended.status}") from error
    if answer.kind == "done":
        return answer.text
    if answer.kind == "silent":
        raise ConnectionError(f"{table.address} port {table.port} does not answer")
    if answer.kind == "login":
        raise ValueError(f"{table.address} refuses the login of {login.user} as {table.privilege}")
    raise ValueError(f"{table.address} refused: {answer.text[:200]}")
