"""A real service and a board on loopback: commands, Cobbler's calls and events switch it, and nothing shows the password."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provd.app.tls import own_certificate
from tests.app.running_server import wait_until
from tests.cobbler.cobbler_server import CobblerServer
from tests.fakes.redfish_board import RedfishBoard, redfish_board

PASSWORD = "geheim-7-board"
PLUGINS = """
[[plugins.trigger_power.rules]]
name = "reinstall"
on = ["system.changed"]
when = {{change = "netboot on"}}
systems = ["web*"]
do = "cycle"
pxe = true

[plugins.power]
user = "operator"
password = {{file = "{secret}"}}
boards = ["127.0.0.1/32"]
"""


class Site(CobblerServer):
    """A service with the plugins power and trigger_power."""

    def __init__(self, folder: Path) -> None:
        secret = folder / "bmc.secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o600)
        super().__init__(folder)
        text = self.config.read_text().replace(
            '"installer_kickstart"]', '"installer_kickstart", "power", "trigger_power"]'
        )
        self.config.write_text(text + PLUGINS.format(secret=secret))

    def provd(self, *words: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "provd", "--socket", str(self.folder / "run" / "provd.sock"), *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def rows(self, *words: str) -> Any:
        return json.loads(self.provd(*words, "-o", "json"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return own_certificate(tmp_path_factory.mktemp("tls"), ())


@pytest.fixture
def board(certificate: tuple[Path, Path]) -> Iterator[RedfishBoard]:
    with redfish_board(RedfishBoard({"operator": PASSWORD}), *certificate) as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"))
    running.start()
    try:
        yield running
    finally:
        assert running.stop() == 0
    assert PASSWORD not in running.text()


def test_commands_switch_a_board(site: Site, board: RedfishBoard, certificate: tuple[Path, Path]) -> None:
    table = [f"address={board.address}", "driver=redfish", "system=437", f"ca_file={certificate[0]}"]
    board.systems = {"437": "Off"}
    words = [word for one in table for word in ("--power", one)]
    site.provd("system", "add", "db1", "--mac", "52:54:00:00:00:11", "--profile", "web", *words)
    site.provd("system", "copy", "db1", "db9", "--mac", "52:54:00:00:00:19")
    listed = site.rows("power", "list")
    assert [(row["system"], row["problem"]) for row in listed if row["system"][:2] == "db"] == [("db1", "")]
    assert site.rows("power", "status", "db1")["state"] == "off"
    assert "it was off and was told On" in site.provd("power", "cycle", "db1", "--pxe")
    assert site.rows("power", "off", "db1", "--dry-run")["result"] == "nothing: a dry run"
    site.provd("power", "off", "db1", "--soft")
    assert board.told == ["437: On", "437: GracefulShutdown"]
    assert board.boot["437"]["BootSourceOverrideEnabled"] == "Once"
    audited = site.rows("audit", "list")
    assert [row["operation"] for row in audited if row["operation"].startswith("power.")].count("power.cycle") == 1
    told = site.provd("events", "-o", "json") + site.provd("system", "show", "db1") + json.dumps(audited)
    assert "power.switched" in told
    assert PASSWORD not in told
    site.provd("system", "remove", "db1")
    site.provd("system", "remove", "db9")


def test_a_system_that_is_set_to_install_is_restarted_by_the_rule(
    site: Site, board: RedfishBoard, certificate: tuple[Path, Path]
) -> None:
    document = site.folder / "web1.toml"
    document.write_text(
        f'[system.web1]\nprofile = "web"\nnetboot = false\n[[system.web1.interface]]\nmac = "52:54:00:00:00:12"\n'
        f'[system.web1.power]\ndriver = "redfish"\naddress = "{board.address}"\nca_file = "{certificate[0]}"\n'
    )
    site.provd("system", "import", str(document))
    assert board.told == []
    board.systems["437X"] = "On"
    site.provd("system", "edit", "web1", "--netboot")
    wait_until(lambda: bool(board.told), 20, site.text)
    assert board.told == ["437X: ForceRestart"]
    assert board.boot["437X"]["BootSourceOverrideTarget"] == "Pxe"

    def runs() -> list[Any]:
        return [row for row in site.rows("trigger", "runs", "--trigger", "reinstall") if row["output"][:3] == "the"]

    wait_until(lambda: bool(runs()), 20, site.text)
    assert runs()[0]["ok"]
    assert "web1" in site.provd("system", "export")
    site.provd("system", "remove", "web1")


def test_a_board_that_refuses_is_one_sentence_and_status_1(site: Site, board: RedfishBoard) -> None:
    words = ("--power", "driver=redfish", "--power", f"address={board.address}")
    site.provd("system", "add", "db2", "--mac", "52:54:00:00:00:13", *words)
    told = site.provd("power", "on", "db2", status=1)
    assert "its certificate is not good for this address" in told
    site.provd("system", "edit", "db2", "--power", "driver=redfsh", "--power", "address=x", status=1)
    told = site.provd("system", "add", "db3", "--mac", "52:54:00:00:00:14", "--power", "driver=redfish", status=1)
    assert "driver redfish needs the key 'address'" in told
    site.provd("system", "remove", "db2")


def test_cobblers_clients_switch_by_cobblers_attributes(
    site: Site, board: RedfishBoard, certificate: tuple[Path, Path]
) -> None:
    remote, token = site.proxy(), site.login()
    handle = remote.new_system(token)
    card = {"macaddress-eth0": "52:54:00:00:00:15"}
    for name, value in {
        "name": "db4", "profile": "web", "modify_interface": card, "power_type": "redfish", "power_address": board.address,
        "power_user": "operator", "power_pass": PASSWORD,
    }.items():  # fmt: skip
        remote.modify_system(handle, name, value, token)
    remote.save_system(handle, token)
    assert (remote.get_system("db4")["power_pass"], remote.get_system("db4")["power_type"]) == ("***", "redfish")
    (row,) = [row for row in site.rows("power", "list") if row["system"] == "db4"]
    assert (row["driver"], row["problem"]) == ("redfish", "")
    task = remote.background_power_system({"systems": ["db4"], "power": "on"}, token)
    wait_until(lambda: remote.get_task_status(task)[2] != "running", 20, site.text)
    assert "its certificate is not good" in remote.get_event_log(task)
    site.provd("system", "edit", "db4", "--power", "driver=redfish", "--power", f"address={board.address}",
               "--power", f"ca_file={certificate[0]}")  # fmt: skip
    handle = remote.get_system_handle("db4", token)
    assert remote.power_system(handle, "status", token) is False
    assert remote.power_system(handle, "on", token) is True
    assert remote.power_system(handle, "status", token) is True
    with pytest.raises(Exception, match="invalid power mode 'up'"):
        remote.power_system(handle, "up", token)
    assert board.told == ["437X: On"]
    remote.remove_system("db4", token)


def test_check_shows_a_table_that_cannot_be_used(site: Site) -> None:
    broken = site.folder / "site" / "systems" / "db5.toml"
    broken.write_text('[[interface]]\nmac = "52:54:00:00:00:16"\n[power]\ndriver = "ipmi"\naddress = "10.0.9.1"\n')
    site.provd("reload")
    wanted = "10.0.9.1 is none of the boards of [plugins.power]"
    wait_until(lambda: wanted in str(site.rows("power", "list")), 20, site.text)
    assert wanted in site.provd("check", "service", status=1)
    broken.unlink()
    site.provd("reload")
