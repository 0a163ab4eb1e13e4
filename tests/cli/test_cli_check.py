"""``provd check firewall`` and ``provd check rogue`` as people and scripts use them (rows 37 and 39)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provd.api.client import NotReachableError
from provd.cli.main import build_cli

CONFIG = """\
[[interface]]
name = "eth1"
[[interface]]
name = "eth2"
[[subnet]]
network = "10.0.0.0/24"
interface = "eth1"
[[subnet]]
network = "10.0.1.0/24"
interface = "eth2"
mode = "proxy"
"""
ROGUE = {
    "interface": "eth1",
    "server": "10.0.0.9",
    "mac": "52:54:00:00:00:09",
    "how": "addresses",
    "offers": "10.0.0.50",
    "relay": "",
    "verdict": "rogue",
    "first_at": 1.0,
    "last_at": 2.0,
}


class FakeApi:
    """A running service, or none."""

    def __init__(self, servers: list[dict[str, object]] | None) -> None:
        self.servers = servers

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        assert operation == "rogue.check"
        if self.servers is None:
            raise NotReachableError("nobody listens")
        return {"interfaces": ["eth1", "eth2"], "servers": self.servers}

    def operations(self) -> list[dict[str, Any]]:
        return []


def provd(tmp_path: Path, *words: str, more: str = "", servers: list[dict[str, object]] | None = None) -> Result:
    config = tmp_path / "provd.toml"
    config.write_text(more + CONFIG)
    cli = build_cli(lambda _path: 0, lambda _socket: FakeApi(servers))
    return CliRunner().invoke(cli, ["--config", str(config), *words])


def test_row_37_check_lists_every_port_that_machines_must_reach(tmp_path: Path) -> None:
    told = provd(tmp_path, "check", "-o", "json")
    ports = [row["text"] for row in json.loads(told.stdout) if "must be reachable" in row["text"]]
    assert ports == [
        "DHCP: port 67/udp must be reachable for machines on eth1, eth2",
        "TFTP: port 69/udp must be reachable for machines on eth1, eth2",
        "HTTP: port 80/tcp must be reachable for machines on eth1, eth2",
        "PXE: port 4011/udp must be reachable for machines on eth2",
        "syslog: port 514/udp must be reachable for machines on eth1, eth2",
        "syslog: port 514/tcp must be reachable for machines on eth1, eth2",
    ]


def test_row_37_the_rules_are_for_the_interfaces_and_ports_of_the_file(tmp_path: Path) -> None:
    told = provd(tmp_path, "check", "firewall", more="[listen]\nhttp_port = 8090\n")
    assert told.exit_code == 0
    rules = [line.partition(" comment")[0] for line in told.stdout.splitlines() if line.startswith("insert rule")]
    assert rules == [
        "insert rule inet filter input ct state established,related accept",
        *(
            f'insert rule inet filter input iifname "{name}" {port} accept'
            for port in ("udp dport 67", "udp dport 69", "tcp dport 8090")
            for name in ("eth1", "eth2")
        ),
        'insert rule inet filter input iifname "eth2" udp dport 4011 accept',
        *(
            f'insert rule inet filter input iifname "{name}" {protocol} dport 514 accept'
            for protocol in ("udp", "tcp")
            for name in ("eth1", "eth2")
        ),
    ]


def test_row_37_the_rules_go_where_they_are_wanted(tmp_path: Path) -> None:
    told = provd(tmp_path, "check", "firewall", "--table", "ip site", "--chain", "in_lab")
    assert "add chain ip site in_lab { type filter hook input priority filter; }" in told.stdout
    assert "insert rule ip site in_lab " in told.stdout


@pytest.mark.parametrize("words", [("--table", "inet a; flush ruleset"), ("--chain", "x { }"), ("--table", "filter")])
def test_row_37_names_that_nft_could_read_as_commands_are_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    told = provd(tmp_path, "check", "firewall", *words)
    assert told.exit_code == 2
    assert "insert" not in told.stdout


def test_row_37_selinux_needs_a_command_only_where_a_port_is_unusual(tmp_path: Path) -> None:
    usual = provd(tmp_path, "check", "firewall", "--selinux").stdout
    assert not [line for line in usual.splitlines() if not line.startswith("#")]
    unusual = provd(tmp_path, "check", "firewall", "--selinux", more="[listen]\nhttp_port = 8090\n").stdout
    (command,) = [line for line in unusual.splitlines() if not line.startswith("#")]
    assert command == ("semanage port -a -t http_port_t -p tcp 8090 || semanage port -m -t http_port_t -p tcp 8090")


def test_row_37_everything_as_json(tmp_path: Path) -> None:
    told = json.loads(provd(tmp_path, "check", "firewall", "-o", "json").stdout)
    assert told["ports"][3] == {
        "service": "PXE",
        "port": 4011,
        "protocol": "udp",
        "interfaces": ["eth2"],
        "selinux_type": "pxe_port_t",
    }
    assert told["nftables"].startswith("# provd")
    assert told["selinux"]


def test_row_39_the_running_service_is_asked(tmp_path: Path) -> None:
    told = provd(tmp_path, "check", "rogue", servers=[])
    assert told.exit_code == 0
    assert "asked on eth1, eth2" in told.stderr


def test_row_39_a_surprise_is_shown_and_is_an_exit_code(tmp_path: Path) -> None:
    told = provd(tmp_path, "check", "rogue", servers=[dict(ROGUE)])
    assert told.exit_code == 1
    assert "10.0.0.9" in told.stdout
    as_json = provd(tmp_path, "check", "rogue", "-o", "json", servers=[dict(ROGUE)])
    assert json.loads(as_json.stdout) == {"interfaces": ["eth1", "eth2"], "servers": [ROGUE]}
    assert as_json.exit_code == 1


def test_row_39_a_known_peer_is_no_failure(tmp_path: Path) -> None:
    assert provd(tmp_path, "check", "rogue", servers=[{**ROGUE, "verdict": "allowed"}]).exit_code == 0


def test_row_39_without_a_service_and_without_its_interfaces_it_says_why(tmp_path: Path) -> None:
    told = provd(tmp_path, "check", "rogue", more="[rogue]\nwait_s = 1\n")
    assert told.exit_code == 1
    assert "interface eth1 cannot be asked" in told.stderr


def test_power_tables_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    systems = tmp_path / "site" / "systems"
    systems.mkdir(parents=True)
    secret = tmp_path / "bmc.secret"
    secret.write_text("geheim\n")
    secret.chmod(0o644)
    for number, power in enumerate(
        (
            f'driver = "ipmi"\naddress = "10.0.9.1"\nuser = "op"\npassword = {{file = "{secret}"}}',
            'driver = "impi"\naddress = "10.0.9.2"',
            'driver = "redfish"\nadress = "10.0.9.3"',
        ),
        1,
    ):
        text = f'[[interface]]\nmac = "52:54:00:00:00:0{number}"\n[power]\n{power}\n'
        (systems / f"web{number}.toml").write_text(text)
    head = f'data_dir = "{tmp_path}/data"\nsite_dir = "{tmp_path}/site"\nenabled = ["power"]\n'
    told = provd(tmp_path, "check", "-o", "json", more=head).output
    found = [(row["level"], row["text"]) for row in json.loads(told) if "web" in row["text"]]
    assert [(level, text.partition(": power")[2]) for level, text in found] == [
        ("error", ": no enabled plugin brings the power driver 'impi'; did you mean 'ipmi'?"),
        ("error", ": driver redfish knows no key 'adress'; did you mean 'address'?"),
        ("warning", f".password: secret file {secret} is readable by everybody (mode 0644); chmod 0600 is expected"),
    ]
    assert "geheim" not in told


def test_secrets_of_plugins_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_NAME", raising=False)
    head = f'data_dir = "{tmp_path}/data"\nsite_dir = "{tmp_path}/site"\nenabled = ["trigger_mail"]\n'
    tail = '\n[plugins.trigger_mail]\nhost = "h"\nfrom = "a@b.org"\nuser = "u"\npassword = {{{reference}}}\n'
    levels = {'env = "NO_SUCH_NAME"': "info", f'file = "{tmp_path}/gone"': "warning"}
    for reference, level in levels.items():
        more = head + tail.format(reference=reference)
        rows = json.loads(provd(tmp_path, "check", "-o", "json", more=more).output)
        (told,) = [row for row in rows if "plugins.trigger_mail.password" in row["text"]]
        assert told["level"] == level
        assert told["text"].startswith(f"{tmp_path}/provd.toml: plugins.trigger_mail.password: ")


def test_every_fault_of_plugins_and_every_doubt_about_triggers_is_told_at_once(tmp_path: Path) -> None:
    more = f"""
data_dir = "{tmp_path}/data"
site_dir = "{tmp_path}/site"
enabled = ["pxelinux", "trigger_script", "trigger_wol"]
[plugins.pxelinux]
transprt = "http"
[plugins.trigger_wol]
wakes = 7
waeks = 8
[[plugins.trigger_script.scripts]]
name = "one"
on = ["instal.finished"]
argv = ["/no/such/program"]
[[plugins.trigger_script.scripts]]
name = "two"
on = ["install.*"]
argv = ["relative"]
"""
    result = provd(tmp_path, "check", "-o", "json", more=more)
    assert result.exit_code == 1
    rows = json.loads(result.output)
    begins = [
        ("error", "plugin pxelinux: FILE: plugins.pxelinux: unknown key transprt"),
        ("error", "plugin trigger_wol: FILE: plugins.trigger_wol.wakes: Expected `array`, got `int`"),
        ("error", "plugin trigger_wol: FILE: plugins.trigger_wol: unknown key waeks; did you mean wakes?"),
        ("error", "plugin trigger_script: FILE: plugins.trigger_script.scripts[1]: argv of 'two' must begin with"),
        ("warning", "trigger one: on: provd has no event of the kind 'instal.finished'; did you mean 'install.fini"),
        ("warning", "trigger one: argv: there is no program /no/such/program"),
    ]
    told = [(row["level"], row["text"].replace(f"{tmp_path}/provd.toml", "FILE")) for row in rows]
    for level, begin in begins:
        assert any(found == level and text.startswith(begin) for found, text in told), (begin, told)
