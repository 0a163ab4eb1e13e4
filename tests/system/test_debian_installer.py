"""The original Debian installer: its own kernel and initrd, up to where it needs a complete package mirror."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provd.image.progress import silent
from provd.lab.firmware import Firmware
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import PrivateNetwork
from provd.lab.payloads import shared_data
from provd.lab.service import RunningService
from provd.payload.fetch import fetch
from tests.system.world import Site

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(420)]

MAC = "52:54:00:88:00:71"
NAME = "installed"
LIMIT_S = 300
SUBNET = """\
[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.150"
routers = ["10.88.0.1"]

[plugins.installer_preseed]
log_every_s = 2
"""
PROFILE = """\
parent = "debian-12-minimal"
source = "http://10.88.0.1/debian"
kernel_args = ["console=ttyS0"]
"""
SYSTEM = f"""\
profile = "original"
[[interface]]
mac = "{MAC}"
"""
Row = Mapping[str, Any]


@pytest.fixture
def service(site: Site, network: PrivateNetwork) -> RunningService:
    fetch("debian-12", shared_data(site.cache), silent)
    site.write("profiles/original.toml", PROFILE)
    site.write(f"systems/{NAME}.toml", SYSTEM)
    server = network.host("server")
    server.attach(network.segment(), "eth0", "10.88.0.1/24")
    return site.start(server, ("eth0",), SUBNET, more=("installer_preseed",))


def wait_for(service: RunningService, machine: Machine, kind: str) -> list[Row]:
    """Events of the boot up to the first of a kind."""
    until = time.monotonic() + LIMIT_S
    while True:
        rows = list(service.events(NAME)) if service.boots(NAME) else []
        if any(row["kind"] == kind for row in rows):
            return rows
        seen = [row["kind"] for row in rows]
        assert machine.running(), f"the machine ended without {kind}; seen: {seen}"
        assert time.monotonic() < until, f"no {kind}; seen: {seen}\n{machine.console.text()[-2000:]}"
        time.sleep(1)


def test_the_installer_is_answered_and_reports(
    service: RunningService, network: PrivateNetwork, tmp_path: Path
) -> None:
    # One processor: with two, the emulation now and then misses that a starting kernel patched its own code on the other
    # one, and it hangs in its self-tests ("soft lockup").
    spec = MachineSpec(NAME, MAC, Firmware.BIOS, memory_mib=1024, cpus=1, time_limit_s=LIMIT_S + 30)
    with Machine(spec, network.segments[0].tap(), tmp_path / "machine") as machine:
        wait_for(service, machine, "install.syslog")
        rows = wait_for(service, machine, "install.log")
    kinds = [row["kind"] for row in rows]
    session = service.boots(NAME)[0]

    # Its network set-up was given the address that the firmware had.
    acks = [row for row in rows if row["kind"] == "dhcp.ack"]
    assert len({row["fields"]["address"] for row in acks}) == 1
    assert acks[-1]["id"] > next(row["id"] for row in rows if row["kind"] == "initrd.fetched")
    assert acks[-1]["fields"]["same_address"] is True

    # The answer file was fetched with the token, and nothing that is shown holds it.
    answers = [row for row in rows if row["kind"] == "answer.served"]
    assert answers[0]["fields"]["document"] == "preseed.cfg"
    assert "answer.refused" not in kinds
    command_line = machine.console.wait_for(r"Command line: (.*)\n", 1)[1]
    token = command_line.partition("/answer/")[2].partition("/")[0]
    assert len(token) >= 16
    assert token not in str(rows)
    assert token not in service.process.text()

    # The early command called back, and log lines followed.
    assert kinds.index("answer.served") < kinds.index("install.started") < kinds.index("install.log")
    lines = next(row["fields"]["lines"] for row in rows if row["kind"] == "install.log")
    assert lines
    # Its syslogd sends the same lines as they are written (log_host).
    sent = [line for row in rows if row["kind"] == "install.syslog" for line in row["fields"]["lines"]]
    assert any("main-menu" in line for line in sent), sent
    assert token not in str(sent)
    assert (session["step"], session["outcome"]) == ("installing", "running")
