"""`provd rehearse`: a throw-away virtual machine installs a profile of this site, before hardware sees it.

The real service, with the site's profiles, templates and payloads, listens in a private network namespace; needs root
and QEMU. Nothing outside is reached: a profile that fetches packages from elsewhere is told so.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from provd.lab.demo_screen import Screen
from provd.lab.errors import LabError
from provd.lab.firmware import Firmware
from provd.lab.follower import Follower
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import PrivateNetwork
from provd.lab.rehearsal_site import MAC, SERVER, SYSTEM, RehearsalSite, write_site
from provd.lab.service import RunningService
from provd.lab.story import INSTALLATION, Step, Story

_PARTS: Final = (
    "power", "discover", "offer", "ack", "loader", "config", "kernel", "initrd", "finished", "reset", "discover2",
    "local",
)  # fmt: skip
"""Steps that every installer has."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is tried.

    Attributes:
        profile: name of the profile.
        config: the site's ``provd.toml``.
        firmware: of the machine.
        memory_mib: its RAM.
        disk_gib: size of its empty disk.
        limit_s: seconds from the kernel to the installer's report.
    """

    profile: str
    config: Path
    firmware: Firmware = Firmware.BIOS
    memory_mib: int = 2048
    disk_gib: int = 16
    limit_s: int = 3600


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        installed: the installer reported its end and the machine then started from its own disk.
        why: one sentence.
        seconds: from power on to the end.
        boots: the machine's boots with their timelines, as the operation ``trace`` tells them, the oldest first.
        directory: where logs, packets and the configuration are; empty where they were not kept.
    """

    installed: bool
    why: str
    seconds: float
    boots: tuple[Mapping[str, Any], ...] = ()
    directory: str = ""


def steps_of(rehearsal: Rehearsal) -> tuple[Step, ...]:
    """What must happen, in order."""
    found = {step.key: step for step in INSTALLATION if step.key in _PARTS}
    found["finished"] = replace(found["finished"], limit_s=float(rehearsal.limit_s))
    return tuple(found[key] for key in _PARTS)


def rehearse(rehearsal: Rehearsal, screen: Screen, keep: Path | None = None) -> Outcome:
    """Install the profile on a machine that is thrown away.

    Args:
        rehearsal: what is tried.
        screen: where it is told while it happens.
        keep: an empty or new folder for logs and packets; None: they are removed.

    Returns:
        What came of it; a machine that does not install is no exception.

    Raises:
        LabError: it could not begin: no QEMU, no root, no such profile, a configuration that is wrong.
    """
    if shutil.which("qemu-system-x86_64") is None:
        raise LabError("a rehearsal needs QEMU: install qemu-system-x86 (and ovmf for UEFI machines)")
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise LabError(f"{keep} is not empty")
    with contextlib.ExitStack() as stack:
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provd-rehearsal-")))
        directory = keep.absolute() if keep is not None else short / "run"
        directory.mkdir(parents=True, exist_ok=True)
        network = stack.enter_context(PrivateNetwork(directory))
        site = write_site(rehearsal.config, rehearsal.profile, directory, short / "provd.sock")
        service = _start(network, site, rehearsal)
        screen.step("provd answers DHCP, TFTP and HTTP", f"{SERVER} in a private network")
        if site.left_out:
            screen.say(f"          left out, for they act outside: {', '.join(site.left_out)}")
        told = _install(rehearsal, network, service, screen, directory)
        return replace(told, directory=str(directory) if keep is not None else "")


def _start(network: PrivateNetwork, site: RehearsalSite, rehearsal: Rehearsal) -> RunningService:
    lan, server = network.segment(), network.host("server")
    server.attach(lan, "eth0", f"{SERVER}/24")
    service = RunningService(server, site.config, site.socket)
    service.wait_ready()
    plan = service.call("explain", system=SYSTEM, arch=_arch(rehearsal.firmware))
    if plan["action"] != "install":
        raise LabError(f"profile {rehearsal.profile} would not install: {plan['reason']}")
    return service


def _install(
    rehearsal: Rehearsal, network: PrivateNetwork, service: RunningService, screen: Screen, directory: Path
) -> Outcome:
    spec = MachineSpec(
        SYSTEM, MAC, rehearsal.firmware, memory_mib=rehearsal.memory_mib, disk_gib=rehearsal.disk_gib,
        time_limit_s=rehearsal.limit_s + 600,
    )  # fmt: skip
    started = time.monotonic()
    story = Story(steps_of(rehearsal))
    why, installed = "", False
    with Machine(spec, network.segments[0].tap(), directory / "machine") as machine:
        try:
            Follower(screen, service, machine, story, SYSTEM).follow()
            installed, why = True, f"profile {rehearsal.profile} installs"
        except LabError as error:
            step = story.next_step()
            why = f"at step {step.title!r}: {error}" if step else str(error)
            screen.say("\n".join(f"  | {line}" for line in machine.console.text().splitlines()[-8:]))
    seconds = time.monotonic() - started
    boots = tuple(service.call("trace", system=SYSTEM, session=one["session"]) for one in service.boots(SYSTEM))
    if not installed and boots and boots[-1]["findings"]:
        why = f"{why}; {boots[-1]['verdict']}"
    return Outcome(installed, why, round(seconds, 1), boots)


def _arch(firmware: Firmware) -> str:
    names = {Firmware.BIOS: "bios", Firmware.UEFI_HTTP: "x64-uefi-http"}
    return names.get(firmware, "x64-uefi")
