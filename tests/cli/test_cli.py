from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from provd.cli.context import local_client
from provd.cli.main import build_cli
from provd.cli.output import show
from provd.commands import command_line
from provd.plugin.contract import Operation
from tests.fakes.fake_api import Backend, TableClient


class ZoneArguments(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    zone: str
    serial: int = 1
    hosts: list[str] = msgspec.field(default_factory=list)


ZONE = Operation(
    "dns.sync",
    "Write the zone.",
    "operate",
    ZoneArguments,
    lambda a: {"zone": a.zone, "n": len(a.hosts)},
    "provd dns sync",
)


@pytest.fixture
def backend() -> Backend:
    return Backend({"dns.sync": ZONE})


def _provd(backend: Backend, *argv: str) -> Result:
    cli = command_line(lambda _socket: TableClient(backend))
    return CliRunner().invoke(cli, ["--socket", "unused", *argv])


def _commands(ctx: click.Context, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    assert isinstance(ctx.command, click.Group)
    for name in ctx.command.list_commands(ctx):
        command = ctx.command.get_command(ctx, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(click.Context(command, parent=ctx), (*path, name))


_ROOT = command_line()
ALL = dict(_commands(click.Context(_ROOT, **_ROOT.context_settings)))


def test_the_commands_of_this_service_are_there() -> None:
    names = {" ".join(path) for path in ALL}
    assert names >= {
        "run", "check", "fetch", "image build", "image import", "image disks", "demo", "distro list", "distro show", "profile list",
        "profile show", "system add", "system list", "system show", "system edit", "system remove", "lease list",
        "trace", "boots", "plugin list", "explain", "config schema",
    }  # fmt: skip


def test_exit_codes_are_documented(backend: Backend) -> None:
    text = " ".join(_provd(backend, "--help").output.split())
    assert "0 done; 1 refused or failed" in text
    assert "3 no service answers at the socket" in text


def test_tables_for_people_and_json_for_machines(backend: Backend) -> None:
    table = _provd(backend, "system", "list")
    assert "web1" in table.output
    assert "52:54:00:00:00:01" in table.output
    rows = json.loads(_provd(backend, "system", "list", "-o", "json").output)
    assert rows[0]["name"] == "web1"


def test_rows_47_and_48_the_binding_table_as_csv(backend: Backend) -> None:
    told = _provd(backend, "lease", "list", "-o", "csv")
    (row,) = csv.DictReader(io.StringIO(told.output))
    assert (row["address"], row["mac"], row["system"]) == ("10.0.0.10", "52:54:00:00:00:01", "web1")
    assert _provd(backend, "lease", "list", "--subnet", "other", "-o", "csv").output == ""
    assert "nothing" in _provd(backend, "lease", "list", "--abandoned").output


def test_csv_holds_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"hostname": "=cmd()", "expires_at": None, "n": -1}], "csv")
    assert capsys.readouterr().out == "hostname,expires_at,n\r\n'=cmd(),,-1\r\n"


def test_csv_has_all_columns_of_rows_of_several_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"name": "a", "distro": "d"}, {"name": "b", "comment": "c", "distro": "e"}], "csv")
    assert capsys.readouterr().out == "name,distro,comment\r\na,d,\r\nb,e,c\r\n"


def test_systems_from_the_command_line(backend: Backend) -> None:
    added = _provd(
        backend, "system", "add", "db1", "--mac", "52:54:00:00:00:02", "--address", "10.0.0.20", "--profile", "web",
        "--kernel-arg", "quiet", "--answer", "disks=2", "--answer", "timezone=UTC", "--no-netboot", "-o", "json",
    )  # fmt: skip
    assert added.exit_code == 0, added.output
    system = backend.systems.index.by_name()["db1"]
    assert (system.kernel_args, system.netboot) == (("quiet",), False)
    assert system.answers == {"disks": 2, "timezone": "UTC"}
    assert str(system.interfaces[0].address) == "10.0.0.20"
    edited = _provd(backend, "system", "edit", "db1", "--interface", "name=lan0,mac=52:54:00:00:00:03", "--netboot")
    assert edited.exit_code == 0, edited.output
    assert backend.systems.index.by_name()["db1"].interfaces[0].name == "lan0"
    assert backend.systems.index.by_name()["db1"].netboot is True
    assert _provd(backend, "system", "remove", "db1").exit_code == 0
    assert backend.systems.get("db1") is None


def _cards(backend: Backend, name: str) -> list[tuple[str, str, str]]:
    found = backend.systems.index.by_name()[name].interfaces
    return [(card.name, str(card.mac), str(card.address or "")) for card in found]


def test_one_card_is_changed_by_its_name_and_the_others_stay(backend: Backend) -> None:
    first, second, third = (f"52:54:00:00:00:0{number}" for number in (2, 3, 4))
    _provd(backend, "system", "add", "db1", "--profile", "web", "--mac", first, "--mac", second)
    done = _provd(backend, "system", "edit", "--name=db1", "--interface=eth1", "--ip-address=10.0.0.21")
    assert done.exit_code == 0, done.output
    assert _cards(backend, "db1") == [("eth0", first, ""), ("eth1", second, "10.0.0.21")]
    _provd(backend, "system", "edit", "db1", "--interface", "eth1", "--mac", third)
    assert _cards(backend, "db1") == [("eth0", first, ""), ("eth1", third, "10.0.0.21")]
    _provd(backend, "system", "edit", "db1", "--interface", "lan", "--mac", second)
    assert [card[0] for card in _cards(backend, "db1")] == ["eth0", "eth1", "lan"]
    _provd(backend, "system", "edit", "db1", "--mac", first)
    assert _cards(backend, "db1") == [("eth0", first, "")]


def test_a_copy_without_a_card_says_so(backend: Backend) -> None:
    _provd(backend, "system", "add", "db1", "--profile", "web", "--mac", "52:54:00:00:00:02")
    done = _provd(backend, "system", "copy", "db1", "db2")
    assert (done.exit_code, _cards(backend, "db2")) == (0, [])
    said = "db2 has no network card, as no two machines share one; name its own: provd system edit db2 --mac MAC\n"
    assert done.stderr == said
    assert _provd(backend, "system", "copy", "db1", "db3", "-o", "json").stderr == ""
    assert _provd(backend, "system", "copy", "db1", "db4", "--mac", "52:54:00:00:00:04").stderr == ""


@pytest.mark.parametrize(
    ("argv", "code", "sentence"),
    [
        (["system", "show", "nobody"], 1, "there is no system 'nobody'"),
        (["system", "add"], 2, "Missing argument 'NAME'"),
        (["system", "add", "x", "--mac", "zz"], 1, "'zz' is not a MAC address"),
        (["system", "add", "x", "--mac", "52:54:00:00:00:07", "--answer", "novalue"], 2, "'novalue' is not KEY=VALUE"),
        (["system", "add", "x", "--address", "10.0.0.1"], 2, "more --address than --mac"),
        (["system", "add", "x", "--interface", "ip=10.0.0.1"], 2, "'ip' is not one of"),
        (["system", "edit", "x", "--interface", "eth0"], 2, "needs --mac or --address"),
        (["nonsense"], 2, "No such command"),
        (["trace", "nobody"], 1, "'nobody' is no system and no MAC"),
    ],
)
def test_errors_are_one_sentence_on_standard_error(backend: Backend, argv: list[str], code: int, sentence: str) -> None:
    refused = _provd(backend, *argv)
    assert refused.exit_code == code
    assert sentence in refused.stderr
    assert refused.stdout == ""


def test_no_service_is_exit_code_3(tmp_path: Path) -> None:
    cli = build_cli(lambda _path: 0, local_client)
    refused = CliRunner().invoke(cli, ["--socket", str(tmp_path / "none"), "status"])
    assert refused.exit_code == 3
    assert "is 'provd run' running?" in refused.stderr


def test_the_timeline_reads_as_a_story(backend: Backend) -> None:
    lines = _provd(backend, "trace", "web1").output.splitlines()
    assert lines[0].startswith("52:54:00:00:00:01 web1: install web")
    assert lines[2].strip() == "4.250  HTTP sent: boot/x/linux, 8.2 MB"
    assert lines[-1] == "running, step 'answers'"


def test_explain_prints_origins(backend: Backend) -> None:
    told = _provd(backend, "explain", "web1")
    assert "profile web (profiles/web.toml: kernel_args)" in told.output
    assert "hunter2" not in told.output


def test_an_operation_of_a_plugin_is_a_command(backend: Backend) -> None:
    assert "dns" in _provd(backend, "--help").output
    told = _provd(backend, "dns", "sync", "--zone", "example.org", "--hosts", '["a", "b"]', "-o", "json")
    assert json.loads(told.output) == {"zone": "example.org", "n": 2}
    assert _provd(backend, "dns", "sync").exit_code == 2
    assert (
        json.loads(_provd(backend, "dns", "sync", "x", "--hosts", "a", "--hosts", "b", "-o", "json").output)["n"] == 2
    )
    assert _provd(backend, "dns", "sync", "--zone", "x", "--hosts", "[broken").exit_code == 2


def test_run_hands_the_configuration_over(tmp_path: Path) -> None:
    seen: list[Path] = []

    def run(path: Path) -> int:
        seen.append(path)
        return 1

    ended = CliRunner().invoke(build_cli(run), ["run", "--config", str(tmp_path / "provd.toml")])
    assert ended.exit_code == 1
    assert seen == [tmp_path / "provd.toml"]


def test_the_schema_is_json() -> None:
    printed = CliRunner().invoke(build_cli(lambda _path: 0), ["config", "schema"])
    assert "data_dir" in json.dumps(json.loads(printed.output))


def _check(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "provd.toml"
    path.write_text(text)
    return CliRunner().invoke(build_cli(lambda _path: 0), ["check", "--config", str(path), "-o", "json"])


def test_check_names_file_key_and_rule_of_a_wrong_configuration(tmp_path: Path) -> None:
    told = _check(tmp_path, 'data_dri = "/x"\n')
    assert told.exit_code == 1
    assert "data_dri" in told.output
    assert str(tmp_path / "provd.toml") in told.output


def test_check_lists_ports_and_what_is_missing(tmp_path: Path) -> None:
    site = tmp_path / "site" / "profiles"
    site.mkdir(parents=True)
    (site / "bad.toml").write_text('distro = "nosuch"\n')
    told = _check(
        tmp_path,
        f'data_dir = "{tmp_path}/data"\nsite_dir = "{tmp_path}/site"\nenabled = []\n'
        "[listen]\ndhcp_port = 10067\ntftp_port = 10069\nhttp_port = 10080\n",
    )
    remarks = json.loads(told.output)
    texts = [one["text"] for one in remarks]
    assert any("nosuch" in text for text in texts)
    assert told.exit_code == 1
    assert any(text.startswith("TFTP: port 10069/udp") for text in texts)
    assert any("DHCP answers nobody" in text for text in texts)


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("command", [["check"], ["image", "disks"], ["fetch", "nosuch"], ["image", "build", "nosuch"]])
def test_the_configuration_file_may_be_named_before_or_after_a_command(command: list[str], where: str) -> None:
    option = ["--config", "/nosuch/provd.toml"]
    words = [*option, *command] if where == "before" else [*command, *option]
    result = CliRunner().invoke(build_cli(lambda _path: 0), words)
    assert result.exit_code == 1
    assert "/nosuch/provd.toml" in result.output


def test_run_gets_the_file_that_was_named_last() -> None:
    ran: list[Path] = []

    def run(path: Path) -> int:
        ran.append(path)
        return 0

    assert CliRunner().invoke(build_cli(run), ["--config", "one", "run", "--config", "two"]).exit_code == 0
    assert ran == [Path("two")]
