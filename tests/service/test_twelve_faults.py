"""Twelve faults planted in a set-up that works: the trace names each rightly, and none of them in the healthy run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from uuid import UUID

import pytest

from provd.core.diagnosis_facts import INSTALLER_SILENT_S, SILENT_S, Finding
from provd.model.mac import Mac
from provd.service.dhcp_ports import Arrival
from provd.service.diagnoses import Diagnoser
from provd.service.sessions import Boot
from provd.simulate.actions import DhcpSend, Fetched, HttpSend, TftpGet
from provd.simulate.boot import Transcript, simulate
from provd.simulate.firmware import Machine
from provd.testing.world import CONFIG, MAC, MACHINE, SERVER
from provd.wire.dhcp import decode, encode
from tests.fakes.foreign_dhcp import ForeignDhcp
from tests.fakes.simulated_server import DISTROS, ENABLED, PROFILES, SimulatedServer

OTHER_MAC = Mac.parse("52:54:00:88:00:99")
OTHER = Machine(OTHER_MAC.octets, UUID("88880000-0000-4000-8000-525400880099"))
PLUGIN = '''"""Stands in for one that misbehaves."""

from provd.plugin.api import BootPlan, Content, FileRequest, NotFound, Plugin, Settings, hookimpl
from collections.abc import Iterable


class NoSettings(Settings, frozen=True):
    pass


class Bad:
    def __init__(self, settings: NoSettings) -> None:
        self.wait = lambda: None

    @hookimpl
    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:
        self.wait()
        return None

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if request.path.startswith("mirror/"):
            return NotFound("mirror debian: the upstream refuses the connection", status=502)
        return None


PLUGIN = Plugin(name="bad", settings=NoSettings, build=Bad)
'''


class Server(SimulatedServer):
    """A provd of which single ways can be cut."""

    tftp_cut = http_cut = False
    dies_after = ""
    giaddr = 0
    foreign: ForeignDhcp | None = None

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        if self.giaddr:
            data = encode(replace(decode(action.data), giaddr=self.giaddr, hops=1)).data
            here = int(IPv4Address(SERVER))
            self.sent.clear()
            self.services.dhcp.handle(data, Arrival("eth0", here, self.giaddr, 67, unicast=True, addresses=(here,)))
            self.turn()
            return list(self.sent)
        if self.dies_after == "the kernel" and decode(action.data).options.get(60, b"").startswith(b"d-i"):
            return []
        ours = super().dhcp(action)
        return [*self.foreign.handle(action.data), *ours] if self.foreign is not None else ours

    def tftp(self, action: TftpGet) -> Fetched:
        dead = self.dies_after.endswith("pxelinux.0") and not action.path.endswith("pxelinux.0")
        return Fetched(500, error="nobody answers") if self.tftp_cut or dead else super().tftp(action)

    def http(self, action: HttpSend) -> Fetched:
        return Fetched(500, error="nobody answers") if self.http_cut else super().http(action)

    def run(self, seed: int = 1, machine: Machine = MACHINE, firmware: str = "bios", **more: object) -> Transcript:
        transcript = simulate(self, machine, firmware, seed=seed, **more)  # type: ignore[arg-type]
        self.turn()
        return transcript

    def newest(self, mac: Mac = MAC) -> Boot:
        found = self.services.sessions.of_mac(str(mac))
        assert found is not None
        return found

    def findings(self, silent_s: float = 0.0, mac: Mac = MAC) -> Sequence[Finding]:
        """What the trace tells, ``silent_s`` seconds after the newest event."""
        session, sessions = self.newest(mac).session, self.store.sessions
        diagnoser = Diagnoser(
            earlier=lambda mac, limit: sessions.sessions(mac=mac, limit=limit),
            profile=self.services.current.catalogue.profiles.get,
            loaders=lambda: tuple(self.services.host.boot_loaders),
            bad_calls=self.services.host.bad_calls,
            monotonic=self.services.host.seconds,
            wall=lambda: session.last_at + silent_s,
            plan=self.services.sessions.plan_of,
        )
        return diagnoser.findings(session, sessions.events(session.id))


Make = Callable[..., Server]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(**arguments: object) -> Server:
        server = Server(tmp_path, **arguments)  # type: ignore[arg-type]
        server.add()
        return server

    return made


def told(found: Sequence[Finding]) -> tuple[str, str]:
    """Rule and step of the first finding."""
    assert found, "nothing was found"
    assert all(one.cause and one.advice for one in found)
    return found[0].rule, found[0].step


def bad_plugin(folder: Path) -> str:
    folder.mkdir(mode=0o755)
    (folder / "bad.py").write_text(PLUGIN)
    (folder / "bad.py").chmod(0o644)
    return str(folder)


class WithPlugin(Server):
    """With the plugin above, found in a directory."""

    enabled = (*ENABLED, "bad")


def with_plugin(tmp_path: Path) -> WithPlugin:
    server = WithPlugin(tmp_path / "provd", plugin_dirs=(Path(bad_plugin(tmp_path / "plugins")),))
    server.add()
    return server


def test_the_healthy_run_has_no_finding_at_any_time(make: Make) -> None:
    server = make()
    for number, firmware in enumerate(("bios", "x64-uefi", "x64-uefi-http")):
        mac = replace(MAC, octets=MAC.octets[:5] + bytes([number]))
        machine = Machine(mac.octets, UUID(int=number + 1))
        server.add(f"db{number}", mac=mac)
        assert server.run(machine=machine, firmware=firmware).outcome == "installed"
        for silent_s in (0.0, SILENT_S + 1, INSTALLER_SILENT_S + 1, 86_400.0):
            assert server.findings(silent_s, mac) == []
        assert server.run(seed=2, machine=machine, firmware=firmware).outcome == "local"
        assert server.findings(3600, mac) == []


def test_while_it_goes_on_nothing_is_said(make: Make) -> None:
    server = make()
    server.run(reports=("started",))
    assert server.findings(INSTALLER_SILENT_S - 1) == []


def test_1_wrong_architecture(make: Make) -> None:
    server = make(
        further={
            "site/profiles/web.toml": PROFILES["web"].replace("[answers]", 'boot_loaders = ["pxelinux"]\n[answers]')
        }
    )
    server.run(firmware="x64-uefi")
    (finding, *_) = server.findings()
    assert (finding.rule, finding.step) == ("wrong-arch", "loader")
    assert finding.cause == "the firmware is x64-uefi, and no boot loader of the profile (pxelinux) serves it"


def test_1_a_distro_for_another_processor(make: Make) -> None:
    server = make(further={"site/distros/deb.toml": 'arch = "aarch64"\n' + DISTROS["deb"]})
    server.run(reports=())
    (finding, *_) = server.findings()
    assert (finding.rule, finding.cause) == ("wrong-arch", "the machine says x86_64, distro deb is for aarch64")


def test_2_missing_file(make: Make) -> None:
    server = make()
    (server.root / "data/payload/loaders/ldlinux.c32").unlink()
    server.clock.advance(2)
    server.run()
    assert told(server.findings(SILENT_S)) == ("missing-file", "loader")
    assert "ldlinux.c32 was asked for and not served" in server.findings(SILENT_S)[0].cause


def test_3_blocked_ports(make: Make) -> None:
    server = make()
    server.tftp_cut = True
    server.run()
    assert server.findings() == []
    assert told(server.findings(SILENT_S)) == ("blocked-port", "ack")
    assert "UDP 69" in server.findings(SILENT_S)[0].cause


def test_3_a_blocked_http_port(make: Make) -> None:
    server = make()
    server.http_cut = True
    server.run()
    assert told(server.findings(SILENT_S)) == ("blocked-port", "config")
    assert "HTTP port" in server.findings(SILENT_S)[0].cause


def test_4_a_second_dhcp_server(make: Make) -> None:
    server = make()
    server.foreign = ForeignDhcp()
    server.run()
    assert told(server.findings(SILENT_S)) == ("other-dhcp-server", "ack")


def test_5_a_wrong_relay(make: Make) -> None:
    server = make()
    server.giaddr = int(IPv4Address("10.99.0.1"))
    server.run()
    (finding, *_) = server.findings()
    assert (finding.rule, finding.step) == ("wrong-relay", "offer")
    assert "10.99.0.1" in finding.cause


def test_5_a_relay_that_becomes_wrong_between_two_boots(make: Make) -> None:
    server = make()
    server.dies_after = "the kernel"
    server.run()
    first = server.newest().session
    server.giaddr = int(IPv4Address("10.99.0.1"))
    server.run(seed=2)
    second = server.newest().session
    assert second.id != first.id
    assert told(server.findings()) == ("wrong-relay", "offer")
    server.run(seed=3)
    assert server.newest().session.id == second.id


@pytest.mark.parametrize(("hours", "joins"), [(0, True), (3, False)])
def test_5_a_message_that_is_not_answered_joins_a_boot_of_this_moment_only(
    make: Make, monkeypatch: pytest.MonkeyPatch, hours: int, joins: bool
) -> None:
    server = make()
    server.dies_after = "pxelinux.0"
    server.run()
    first = server.newest().session
    monkeypatch.setattr(server.services.sessions, "_wall", lambda: first.last_at + 5 + hours * 3600)
    server.giaddr = int(IPv4Address("10.99.0.1"))
    server.run(seed=2)
    assert (server.newest().session.id == first.id) is joins


def test_6_a_broken_template(make: Make) -> None:
    server = make(further={"site/templates/preseed/preseed.cfg": "d-i x string {{ nosuch }}\n"})
    server.run()
    (finding, *_) = server.findings()
    assert (finding.rule, finding.step) == ("broken-template", "answers")
    assert "nosuch" in finding.cause
    assert "preseed.cfg" in finding.cause


def test_7_a_dead_mirror(tmp_path: Path) -> None:
    server = with_plugin(tmp_path)
    server.run(reports=("started",))
    address = server.newest().session.address
    server.http(HttpSend(f"http://{SERVER}/mirror/debian/dists/bookworm/Release", source=address))
    (finding, *_) = server.findings()
    assert (finding.rule, finding.step) == ("dead-source", "installing")
    assert "the upstream refuses the connection" in finding.cause


def test_8_a_full_pool(tmp_path: Path) -> None:
    class Small(Server):
        config = CONFIG.replace("10.88.0.110", "10.88.0.100")

    server = Small(tmp_path)
    server.add()
    server.run()
    server.add("web2", mac=OTHER_MAC)
    server.run(machine=OTHER, seed=5)
    assert told(server.findings(mac=OTHER_MAC)) == ("full-pool", "offer")


def test_9_a_dead_callback(make: Make) -> None:
    server = make()
    server.run(reports=())
    assert server.findings(INSTALLER_SILENT_S - 1) == []
    assert told(server.findings(INSTALLER_SILENT_S)) == ("no-report", "answers")
    assert "callback URL" in server.findings(INSTALLER_SILENT_S)[0].cause


def test_10_a_slow_plugin(tmp_path: Path) -> None:
    server = with_plugin(tmp_path)
    (target,) = [one.target for one in server.services.host._now.instances if one.plugin == "bad"]
    target.wait = lambda: server.clock.advance(2)  # type: ignore[attr-defined]
    server.run(reports=())
    found = [one for one in server.findings(INSTALLER_SILENT_S) if one.rule == "slow-plugin"]
    assert found
    assert found[0].cause.startswith("plugin bad: provd_kernel_args took 2000 ms")
    assert server.findings(INSTALLER_SILENT_S)[0].rule == "slow-plugin"


def test_11_a_wrong_token(make: Make) -> None:
    server = make()
    first = server.run(reports=())
    assert first.installed is not None
    server.run(seed=2, reports=())
    server.http(HttpSend(first.installed.answer_url, source=server.newest().session.address))
    assert told(server.findings()) == ("wrong-token", "answers")


def test_12_firmware_that_loops_after_its_loader(make: Make) -> None:
    server = make()
    server.dies_after = "pxelinux.0"
    server.run()
    assert [one.rule for one in server.findings(SILENT_S)] == ["blocked-port"]
    for seed in (2, 3):
        server.run(seed=seed)
    assert told(server.findings()) == ("looping-firmware", "loader")
    assert "3 times" in server.findings()[0].cause


def test_12_a_kernel_that_crashes_again_and_again(make: Make) -> None:
    server = make(further={"site/profiles/web.toml": PROFILES["web"] + "[boot]\nmax_attempts = 9\n"})
    server.dies_after = "the kernel"
    for seed in range(4):
        server.run(seed=seed, reports=())
    assert told(server.findings()) == ("looping-firmware", "initrd")


def test_a_machine_that_nobody_assigned(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.run()
    (finding, *_) = server.findings()
    assert finding.rule == "nothing-assigned"
    assert finding.advice == f"provd system add NAME --mac {MAC} --profile PROFILE"


def test_a_kernel_that_never_asks_for_an_address(make: Make) -> None:
    server = make()

    server.dies_after = "the kernel"
    server.run()
    assert told(server.findings(SILENT_S)) == ("driver-missing", "initrd")


def test_a_held_machine_says_so(make: Make) -> None:
    server = make()
    for seed in range(3):
        server.run(seed=seed, reports=())
    assert told(server.findings()) == ("held", "config")
