"""Virtual machines under QEMU's own processor (TCG): bare disk, network first, serial line and control channel.

/dev/kvm is never used: a machine must behave the same wherever the tests run.
"""

from __future__ import annotations

import socket
import subprocess
import uuid as uuids
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from provd.lab.console import Console
from provd.lab.errors import LabError
from provd.lab.firmware import Firmware, firmware_arguments
from provd.lab.network import Tap
from provd.lab.process import Process
from provd.lab.qmp import Qmp

#: Without it `-nic` cards of these models have no driver in OVMF itself, only in the iPXE ROM.
_NEEDS_ROM = frozenset({"e1000", "e1000e", "rtl8139"})
_DISKS = {"virtio": "virtio-blk-pci", "sata": "ide-hd", "nvme": "nvme"}


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A machine to build.

    Attributes:
        name: for logs and error sentences.
        mac: of its network card, ``52:54:00:...``.
        firmware: see `Firmware`.
        uuid: SMBIOS system UUID; option 97 of its requests has it.
        nic: QEMU model, ``virtio-net-pci``, ``e1000``, ...
        option_rom: start the network card's iPXE ROM; None does so under BIOS and for cards OVMF has no driver for.
        disk: ``virtio``, ``sata``, ``nvme`` or ``none``.
        disk_gib: size of the empty disk.
        memory_mib: RAM.
        cpus: virtual processors, each a thread of QEMU.
        network_first: try the network card before the disk at each boot.
        time_limit_s: the machine is ended then, whatever happens.
    """

    name: str
    mac: str
    firmware: Firmware = Firmware.BIOS
    uuid: uuids.UUID = field(default_factory=uuids.uuid4)
    nic: str = "virtio-net-pci"
    option_rom: bool | None = None
    disk: str = "virtio"
    disk_gib: int = 8
    memory_mib: int = 1024
    cpus: int = 2
    network_first: bool = True
    time_limit_s: int = 600

    def wants_rom(self) -> bool:
        """Whether the card's own ROM starts."""
        if self.option_rom is not None:
            return self.option_rom
        return not self.firmware.is_uefi or self.nic in _NEEDS_ROM


def qemu_arguments(spec: MachineSpec, directory: Path, tap: str, serial_fd: int, qmp_fd: int) -> list[str]:
    """The whole QEMU command line for a machine.

    Args:
        spec: the machine.
        directory: with its disk, variables and evidence.
        tap: interface in the namespace QEMU runs in.
        serial_fd: connected socket for the serial line.
        qmp_fd: connected socket for the control channel.
    """
    rom = "" if spec.wants_rom() else ",romfile="
    network, disk = (1, 2) if spec.network_first else (2, 1)
    arguments = [
        *(spec.firmware.emulator, "-name", spec.name, "-nodefaults", "-no-user-config"),
        *("-accel", "tcg,thread=multi,tb-size=512", "-smp", str(spec.cpus), "-m", str(spec.memory_mib)),
        *("-uuid", str(spec.uuid), "-display", "none", "-pidfile", str(directory / "qemu.pid")),
        *firmware_arguments(spec.firmware, directory),
        *("-chardev", f"socket,id=serial,fd={serial_fd},logfile={directory / 'serial.log'},logappend=on"),
        *("-serial", "chardev:serial"),
        *("-chardev", f"socket,id=qmp,fd={qmp_fd}", "-mon", "chardev=qmp,mode=control"),
        # With the offload header of virtio in front, no program could read the dump below.
        *("-netdev", f"tap,id=net0,ifname={tap},script=no,downscript=no,vnet_hdr=off"),
        *("-device", f"{spec.nic},netdev=net0,mac={spec.mac},bootindex={network}{rom}"),
        *("-object", f"filter-dump,id=dump0,netdev=net0,file={directory / 'network.pcap'}"),
        *("-object", "rng-random,id=rng0,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng0"),
    ]
    if spec.disk != "none":
        extra = f",serial={spec.name}" if spec.disk == "nvme" else ""
        arguments += [
            *("-drive", f"if=none,id=disk0,format=qcow2,cache=unsafe,discard=unmap,file={directory / 'disk.qcow2'}"),
            *("-device", f"{_DISKS[spec.disk]},drive=disk0,bootindex={disk}{extra}"),
        ]
    return arguments


class Machine:
    """One machine; `with` powers it on and makes sure that it ends.

    Args:
        spec: what it is made of.
        tap: where its network card is plugged in.
        directory: for disk, firmware variables and evidence (``serial.log``, ``network.pcap``, ``qemu.log``).
    """

    def __init__(self, spec: MachineSpec, tap: Tap, directory: Path) -> None:
        if spec.disk not in {*_DISKS, "none"}:
            msg = f"machine {spec.name}: disk {spec.disk!r} is none of {', '.join(_DISKS)}, none"
            raise LabError(msg)
        self.spec = spec
        self.tap = tap
        self.directory = directory
        self._process: Process | None = None
        self._console: Console | None = None
        self._qmp: Qmp | None = None

    @property
    def console(self) -> Console:
        """Its serial line."""
        if self._console is None:
            raise LabError(self._off())
        return self._console

    @property
    def qmp(self) -> Qmp:
        """Its control channel."""
        if self._qmp is None:
            raise LabError(self._off())
        return self._qmp

    def _off(self) -> str:
        return f"machine {self.spec.name} was not powered on"

    def _make_disk(self) -> None:
        disk = self.directory / "disk.qcow2"
        if self.spec.disk == "none" or disk.exists():
            return
        argv = ["qemu-img", "create", "-q", "-f", "qcow2", str(disk), f"{self.spec.disk_gib}G"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            msg = f"machine {self.spec.name}: {done.stderr.strip()}"
            raise LabError(msg)

    def power_on(self) -> None:
        """Start QEMU. Disk and firmware variables of an earlier run in the same directory are kept."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make_disk()
        serial, serial_far = socket.socketpair()
        qmp, qmp_far = socket.socketpair()
        with serial_far, qmp_far:
            fds = (serial_far.fileno(), qmp_far.fileno())
            command = qemu_arguments(self.spec, self.directory, self.tap.name, *fds)
            # timeout(1) ends the machine even when this process was killed; it dies with timeout(1) in turn.
            limit = ["timeout", "-k", "5", str(self.spec.time_limit_s), "setpriv", "--pdeathsig", "KILL"]
            argv = ["ip", "netns", "exec", self.tap.namespace, *limit, *command]
            self._process = Process(f"QEMU {self.spec.name}", argv, self.directory / "qemu.log", fds)
        self._console = Console(self.spec.name, serial)
        self._qmp = Qmp(self.spec.name, qmp)
        try:
            self._qmp.greet()
        except LabError as error:
            said = self._process.text().strip()
            self.power_off()
            msg = f"machine {self.spec.name} did not start: {said or error}"
            raise LabError(msg) from error

    def wait_off(self, timeout_s: float) -> None:
        """Wait until the machine switches itself off.

        Raises:
            LabError: it did not, or QEMU failed.
        """
        if self._process is None:
            raise LabError(self._off())
        code = self._process.wait(timeout_s)
        if code:
            why = "reached its time limit" if code in {124, 137} else f"failed with code {code}"
            msg = f"machine {self.spec.name} {why}; its log is {self._process.log}: {self._process.text().strip()}"
            raise LabError(msg)

    def running(self) -> bool:
        """Whether QEMU runs."""
        return self._process is not None and self._process.running()

    def reset(self) -> None:
        """Press the reset button."""
        self.qmp.execute("system_reset")

    def power_button(self) -> None:
        """Ask the operating system to shut down (ACPI)."""
        self.qmp.execute("system_powerdown")

    def power_off(self) -> None:
        """Pull the plug. Nothing happens if it is off."""
        if self._process is not None:
            self._process.stop()
        if self._qmp is not None:
            self._qmp.close()
        if self._console is not None:
            self._console.close()

    def __enter__(self) -> Self:
        self.power_on()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.power_off()
