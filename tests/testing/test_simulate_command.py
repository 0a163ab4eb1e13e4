"""``provd simulate``: in memory with the operator's files, and against a running server on high ports."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.api.client import LocalClient
from provd.commands import command_line
from tests.app.running_server import RunningServer
from tests.fakes.simulated_server import KERNEL, SimulatedServer

MAC = "52:54:00:12:34:56"


def provd(*words: str) -> Result:
    return CliRunner().invoke(command_line(), ["simulate", *words])


@pytest.fixture
def config(tmp_path: Path) -> str:
    SimulatedServer(tmp_path)
    return str(tmp_path / "provd.toml")


@pytest.mark.parametrize("arch", ["bios", "x64-uefi", "x64-uefi-http"])
def test_a_machine_with_a_profile_installs_in_memory(config: str, arch: str) -> None:
    done = provd("--arch", arch, "--profile", "web", "--finish", "--config", config)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "installed"
    assert "report finished: status 200" in done.output
    assert f"kernel: {len(KERNEL)} octets, sha256 " in done.output


def test_without_finish_nothing_is_reported_and_nothing_is_kept(config: str, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    for _ in range(3):
        done = provd("--profile", "web", "-o", "json", "--config", config)
        told = json.loads(done.output)
        assert (done.exit_code, told["outcome"], told["reported"]) == (0, "installed", {})
        assert len(told["kernel_sha256"]) == 64
        assert set(told["documents"]) >= {"preseed.cfg"}
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--profile", "wbe"], "no profile that can be installed is wbe; did you mean 'web'?"),
        (["--mac", "52:54"], "--mac or --uuid"),
        (["--uuid", "x"], "--mac or --uuid"),
        (
            [],
            "no system has this MAC or UUID of the files; machines that were added by commands are known to the running",
        ),
        (["--arch", "arm64-uefi", "--profile", "web"], "stopped"),
        (["--server", "127.0.0.1"], "--server needs --relay"),
        (["--server", "127.0.0.1", "--relay", "192.0.2.77"], "Error: from 192.0.2.77 to 127.0.0.1: "),
        (["--server", "127.0.0.1", "--relay", "x"], "Invalid value for --relay: 'x' is not an IPv4 address"),
        (["--server", "host", "--relay", "127.0.0.1"], "Invalid value for --server: 'host' is not an IPv4 address"),
        (["--dhcp-port", "65536"], "65536 is not in the range"),
        (["--tftp-port", "0"], "0 is not in the range"),
        (["--http-port", "-1"], "-1 is not in the range"),
    ],
)
def test_what_cannot_be_is_said_and_fails(config: str, words: list[str], sentence: str) -> None:
    done = provd(*words, "--config", config)
    assert done.exit_code in {1, 2}
    assert sentence in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.parametrize(
    ("arch", "told"),
    [
        (
            "bios",
            "the boot loader for bios firmware lacks its file pxelinux.0: nothing could be offered. Try: provd fetch",
        ),
        ("arm64-uefi", "lacks its file shimaa64.efi: nothing could be offered. Try: provd fetch loaders-arm64"),
    ],
)
def test_a_boot_loader_that_is_not_there_is_why_a_machine_stops(tmp_path: Path, arch: str, told: str) -> None:
    (tmp_path / "provd.toml").write_text(
        f'data_dir = "{tmp_path}/data"\nsite_dir = "{tmp_path}/site"\nuser = ""\n[[interface]]\nname = "eth0"\n'
        '[[subnet]]\nnetwork = "10.0.0.0/24"\npool = "10.0.0.100-10.0.0.200"\n'
    )
    done = provd("--profile", "local-disk", "--arch", arch, "--config", str(tmp_path / "provd.toml"))
    assert done.exit_code == 1
    assert told in done.output


def test_a_menu_for_firmware_without_a_loader_is_explained(config: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "menus").mkdir()
    (site / "menus/boot.toml").write_text('[[entry]]\nprofile = "web"\n')
    (site / "systems").mkdir(exist_ok=True)
    (site / "systems/m.toml").write_text(f'profile = "web"\npolicy = "menu"\n[[interface]]\nmac = "{MAC}"\n')
    done = provd("--arch", "arm64-uefi", "--mac", MAC, "--config", config)
    assert done.exit_code == 1
    assert "boot loader for arm64-uefi firmware lacks its file shimaa64.efi" in done.output
    assert "Try: provd fetch loaders-arm64" in done.output


def test_what_is_off_is_told_and_the_rest_is_simulated(config: str) -> None:
    text = Path(config).read_text().replace("enabled = [", 'enabled = ["trigger_script", ')
    Path(config).write_text(text + "\n[plugins.trigger_script]\nnosuch = 1\n")
    done = provd("--profile", "web", "--finish", "--config", config)
    assert done.exit_code == 0, done.output
    assert "provd: plugin trigger_script: " in done.output
    assert "unknown key nosuch; known are " in done.output


def test_a_configuration_without_a_subnet_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "provd.toml").write_text(f'data_dir = "{tmp_path}"\n')
    done = provd("--config", str(tmp_path / "provd.toml"))
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "there is no [[subnet]]" in done.output


def test_a_running_server_is_asked_without_root(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    for name in ("linux", "initrd"):
        path = tmp_path / "data/payload/sample" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)
    for name in ("pxelinux.0", "ldlinux.c32"):
        path = tmp_path / "data/payload/loaders" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 100)
    site = tmp_path / "site"
    (site / "distros/el9.toml").write_text(
        'family = "redhat"\nversion = "9"\ninstaller = "kickstart"\nkernel = "payload:sample/linux"\n'
        'initrd = ["payload:sample/initrd"]\ntree = "http://127.0.0.1/el9"\n'
    )
    (site / "profiles/web.toml").write_text('distro = "el9"\n[answers]\nroot_password_hash = "$6$x"\n')
    (site / "systems/web1.toml").write_text(f'profile = "web"\n[[interface]]\nmac = "{MAC}"\n')
    server.start()
    try:
        ports = ["--dhcp-port", str(server.dhcp), "--tftp-port", str(server.tftp), "--http-port", str(server.http)]
        asked = ["--server", "127.0.0.1", "--relay", "127.0.8.1", *ports]
        done = provd(*asked, "--mac", MAC, "--finish")
        assert done.exit_code == 0, done.output
        assert done.output.splitlines()[-1] == "installed"
        trace = LocalClient(tmp_path / "run/provd.sock").call("trace", system="web1")
        assert trace["outcome"] == "finished"
        assert trace["findings"] == []
        assert provd(*asked, "--mac", MAC).output.splitlines()[-1] == "local"
        stopped = provd(*asked, "--mac", "52:54:00:00:00:99")
        assert (stopped.exit_code, stopped.stdout.splitlines()[-1]) == (1, "stopped")
        assert stopped.stderr.endswith("provd trace 52:54:00:00:00:99\n")
        assert server.stop() == 0
    finally:
        server.stop(signal.SIGKILL)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", ["simulate", "plan", "replay", "plugin check", "check", "lint"])
def test_help_is_no_wrong_usage(command: str, flag: str) -> None:
    done = CliRunner().invoke(command_line(), [*command.split(), flag])
    assert (done.exit_code, done.stdout.startswith(f"Usage: provd {command}"), done.stderr) == (0, True, "")
