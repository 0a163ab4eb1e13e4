"""`provd demo`: a bare virtual machine becomes an installed system while you watch.

Everything happens in private network namespaces; needs root.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from provd.image.errors import ImageError
from provd.lab.demo_config import MAC, SERVER, SYSTEM, USER, DemoSite, write_site
from provd.lab.demo_screen import Screen
from provd.lab.errors import LabError
from provd.lab.firmware import Firmware
from provd.lab.follower import Follower
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import Host, PrivateNetwork
from provd.lab.payloads import copy_data, lab_cache, prepare_installation
from provd.lab.service import RunningService
from provd.lab.story import Step, Story
from provd.payload.errors import PayloadError

#: Seconds after which a machine is ended, whatever it does.
TIME_LIMIT_S = 1500
_NEXT = (
    "Next, on real hardware: 1. copy the demo's provd.toml and put in your interface and subnet",
    "  2. provd fetch loaders; provd image build debian-12; provd system add NAME --mac MAC --profile PROFILE",
    "  3. provd run --config provd.toml, switch the machine on, and follow it with: provd trace NAME",
)


class Demo(Follower):
    """One run, once the network and the service are there.

    Args:
        screen: where it is told.
        service: the running service.
        machine: the machine that is installed.
        server: host from which the machine is reached.
        site: files of this run.
    """

    def __init__(self, screen: Screen, service: RunningService, machine: Machine, server: Host, site: DemoSite) -> None:
        super().__init__(screen, service, machine, Story(), SYSTEM)
        self._server = server
        self._site = site

    def look(self, step: Step) -> None:
        """The login prompt on its console, and the login over SSH."""
        if "local" in self.story.done and self._machine.console.seen(rf"^{SYSTEM} login:"):
            self._tell(self.story.tick("login", f"{SYSTEM} login:"))
        if step.key == "ssh":
            self._tell(self._ssh())

    def _ssh(self) -> list[tuple[Step, str]]:
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "ConnectTimeout=5")
        argv = ["ssh", "-q", "-i", str(self._site.key), *(word for option in options for word in ("-o", option))]
        command = "hostname; id -un; ip -4 -o address show scope global"
        done = self._server.run([*argv, f"{USER}@{self.story.address}", command], 30, check=False)
        if done.returncode:
            return []
        host, user, addresses = done.stdout.split("\n", 2)
        if (host, user) != (SYSTEM, USER) or f" {self.story.address}/" not in addresses:
            msg = f"logged in, but this is {user} on {host} with {addresses.strip()}"
            raise LabError(msg)
        return self.story.tick("ssh", f"{user}@{host}, still {self.story.address}")


def run_demo(
    firmware: str = "bios", *, screen: Screen | None = None, cache: Path | None = None, directory: Path | None = None
) -> int:
    """Run the demo.

    Args:
        firmware: ``bios`` or ``uefi``.
        screen: where it is told; None for standard output.
        cache: folder for downloads and image, kept for the next time; None for `lab_cache`.
        directory: folder for this run, emptied before; None for one in the cache.

    Returns:
        0 when the machine was installed and logged in to, 1 otherwise; the screen then says at which step it failed.
    """
    cache = cache or lab_cache()
    directory = directory or cache / "demo" / firmware
    screen = screen or Screen()
    started = time.monotonic()
    with screen:
        try:
            screen.say(f"Preparing boot loaders, deployer and disk image in {cache} (kept for the next time)")
            prepare_installation(cache, screen.progress)
            screen.step("prepared")
            screen.restart()
            shutil.rmtree(directory, ignore_errors=True)
            install(machine_spec(Firmware(firmware)), screen, cache, directory)
        except (LabError, ImageError, PayloadError) as error:
            screen.say(f"FAILED {error}")
            screen.say(f"Logs: {directory} (provd.log, machine/serial.log, machine/network.pcap, machine/qemu.log)")
            return 1
    screen.say(f"Done in {time.monotonic() - started:.0f} s; logs and configuration are in {directory}")
    for line in _NEXT:
        screen.say(line)
    return 0


def machine_spec(firmware: Firmware, **changes: Any) -> MachineSpec:
    """The demo's machine; ``changes`` are fields of `MachineSpec`."""
    return replace(MachineSpec(SYSTEM, MAC, firmware, time_limit_s=TIME_LIMIT_S), **changes)


def install(spec: MachineSpec, screen: Screen, cache: Path, directory: Path) -> None:
    """Install one machine on a private network and log in to it.

    Args:
        spec: see `machine_spec`.
        screen: where it is told.
        cache: with everything prepared.
        directory: for this run; must not exist.

    Raises:
        LabError: it failed; the sentence says at which step, and shows the end of the machine's console.
    """
    copy_data(cache, directory / "data")
    with tempfile.TemporaryDirectory(prefix="provd-demo-") as short, PrivateNetwork(directory) as network:
        site = write_site(directory, Path(short) / "provd.sock")
        lan = network.segment()
        server = network.host("server")
        server.attach(lan, "eth0", f"{SERVER}/24")
        service = RunningService(server, site.config, site.socket)
        service.wait_ready()
        screen.step("provd answers DHCP, TFTP and HTTP", f"{SERVER} in a private network")
        with Machine(spec, lan.tap(), directory / "machine") as machine:
            demo = Demo(screen, service, machine, server, site)
            try:
                demo.follow()
            except LabError as error:
                step = demo.story.next_step()
                where = f"at step {step.title!r}" if step else "at the end"
                tail = "\n".join(f"  | {line}" for line in machine.console.text().splitlines()[-8:])
                msg = f"{where}: {error}\nThe machine's console ends with:\n{tail}"
                raise LabError(msg) from error


@click.command()
@click.option("--firmware", type=click.Choice(["bios", "uefi"]), default="bios", show_default=True)
def main(firmware: str) -> None:
    """A bare virtual machine becomes an installed system while you watch (root)."""
    sys.exit(run_demo(firmware))


if __name__ == "__main__":
    main()
