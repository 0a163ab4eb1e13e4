"""A board with IPMI 2.0 on loopback, as a process of its own: ``python ipmi_board.py PORT JOURNAL USER PASSWORD``.

It is pyghmi's own server. What it is told goes to the journal, a line each; sessions that are closed to a file beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pyghmi.ipmi import bmc
from pyghmi.ipmi.private.serversession import ServerSession

_Bmc: Any = bmc.Bmc


class Board(_Bmc):  # type: ignore[misc]
    def __init__(self, journal: Path, *args: Any, **kwargs: Any) -> None:
        self.journal, self.state, self.device = journal, "off", "default"
        super().__init__(*args, **kwargs)

    def _note(self, line: str) -> None:
        with self.journal.open("a") as file:
            file.write(f"{line}\n")

    def get_power_state(self) -> str:
        return self.state

    def power_on(self) -> None:
        self.state = "on"
        self._note("on")

    def power_off(self) -> None:
        self.state = "off"
        self._note("off")

    def power_reset(self) -> None:
        self._note("reset")

    def power_shutdown(self) -> None:
        self.state = "off"
        self._note("shutdown")

    def get_boot_device(self) -> str:
        return self.device

    def set_boot_device(self, bootdevice: str) -> None:
        self.device = bootdevice
        self._note(f"boot {bootdevice}")

    def set_system_boot_options(self, request: Any, session: Any) -> None:
        if request["data"][0] == 5:
            flags = request["data"][1]
            self._note(f"flags persistent={bool(flags & 0x40)} uefi={bool(flags & 0x20)}")
        super().set_system_boot_options(request, session)


def _noting_ends(journal: Path) -> Any:
    theirs: Any = ServerSession.handle_client_request

    def handle(session: Any, request: dict[str, Any]) -> Any:
        if (request["netfn"], request["command"]) == (6, 0x3C):
            with journal.with_name(f"{journal.name}.closed").open("a") as file:
                file.write("closed\n")
        return theirs(session, request)

    return handle


def _sha1_alone(session: Any, request: Any, _theirs: Any = ServerSession.create_open_session_response) -> Any:
    """Cipher suite 3 is what pyghmi's server knows: another proposal is refused as a board does (table 13-15, 11h)."""
    if request[12] & 0x3F == 1:
        return _theirs(session, request)
    return bytearray([request[0], 0x11, 0, 0]) + request[4:8]


def main(port: str, journal: str, user: str, password: str) -> None:
    made: Any = ServerSession
    made.create_open_session_response = _sha1_alone
    made.handle_client_request = _noting_ends(Path(journal))
    Board(Path(journal), {user: password}, port=int(port), address="127.0.0.1")
    print("ready", flush=True)
    Board.listen()


if __name__ == "__main__":
    main(*sys.argv[1:])
