"""The machines of a storm: ``storm.c``, told what firmware and installers say by ``provd.simulate``."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from benchmarks.files.compiled import compiled
from provd.simulate.firmware import BIOS_IPXE, DEBIAN_INSTALLER, ClientStyle, Machine, discover, request

_SOURCES: Final = ("storm.c", "storm_dhcp.c", "storm_tftp.c", "storm_http.c")
_MAC: Final = b"\x02\0MAC!"
_ADDRESS: Final = b"ADDR"
_SERVER: Final = b"SERV"
_XID: Final = 1
_LOOK_S: Final = 0.25

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Machines:
    """The load generator in its namespace.

    Attributes:
        program: as ``build`` made it.
        namespace: of the machines.
        content: folder of what has to arrive.
        core: the only processor it may use, or None.
        answers: no large files, and all answer files at once.
    """

    program: Path
    namespace: str
    content: Path
    core: int | None = None
    answers: bool = False

    def boot(self, first: int, machines: int, seconds: int, meanwhile: Callable[[], None] = lambda: None) -> Figures:
        """Switch them on at once and wait for the last one.

        Args:
            first: number of the first machine.
            machines: how many.
            seconds: those that have not finished then have failed.
            meanwhile: called several times a second while they boot.
        """
        words = ("client", str(first), str(machines), str(self.content), str(seconds))
        pinned = [] if self.core is None else ["taskset", "-c", str(self.core)]
        mode = ["answers"] if self.answers else []
        argv = ["ip", "netns", "exec", self.namespace, *pinned, str(self.program), *words, *mode]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None  # noqa: S101  PIPE was asked for
        process.stdin.write(_messages())
        process.stdin.close()
        while process.poll() is None:
            meanwhile()
            time.sleep(_LOOK_S)
        assert process.stdout is not None  # noqa: S101
        text = process.stdout.read()
        if process.returncode:
            raise SystemExit(f"the load generator ended with {process.returncode}")
        figures: Figures = json.loads(text)
        return figures


def build(folder: Path) -> Path:
    """Compile the load generator."""
    return compiled(folder, *(Path(__file__).with_name(name) for name in _SOURCES))


def _messages() -> str:
    # The end of the UUID is the hardware address: SMBIOS and packets write those octets in the same order.
    machine = Machine(_MAC, UUID(bytes=bytes(range(1, 11)) + _MAC))
    return "".join(
        line
        for style in (BIOS_IPXE, DEBIAN_INSTALLER)
        for line in (_discover(style, machine), _request(style, machine))
    )


def _discover(style: ClientStyle, machine: Machine) -> str:
    return _line(discover(style, machine, _XID))


def _request(style: ClientStyle, machine: Machine) -> str:
    address, server = (int.from_bytes(octets, "big") for octets in (_ADDRESS, _SERVER))
    return _line(request(style, machine, _XID, address, server))


def _line(data: bytes) -> str:
    """Octets in hex, then what the generator writes where."""
    found = [f"mac {at}" for at in range(len(data)) if data.startswith(_MAC, at)]
    found += [
        f"{word} {data.index(octets)}"
        for word, octets in (("address", _ADDRESS), ("server", _SERVER))
        if octets in data
    ]
    return f"{len(data)} {data.hex()} {' '.join(found)} end\n"
