"""README and docs are true: paths exist, command lines and TOML are understood by the real code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import click
import pytest

from provd.commands import command_line
from provd.config import toml
from provd.config.catalogue import Catalogue
from provd.config.checks import allowed_servers
from provd.config.layers import layers
from provd.config.objects import SystemFile
from provd.config.queue import queue_limits
from provd.config.quirks import read_quirks
from provd.config.reader import read_object
from provd.config.schema import DEFAULT_PLUGINS, ServerConfig
from provd.config.settings import load
from provd.config.systems import own_faults, to_system
from provd.plugin.contract import Operation
from provd.plugin.discovery import discover
from provd.plugin.host import PluginHost
from provd.service.load import Loaded, build_host, read
from provd.service.power_tables import power_faults
from provd.shipped import shipped_dir
from provd.wire.options import encode_option
from tests.docs.pages import PAGES, ROOT, blocks, command_lines, named_paths
from tests.fakes.fake_api import Backend, TableClient
from tests.fakes.plugin_world import FakeClock

PAGE_NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


class UsageError(AssertionError):
    """A command line that provd does not understand."""


class MissingError(UsageError):
    """Nothing is wrong but that something is missing."""


def operations() -> Mapping[str, Operation]:
    """Operations of the shipped plugins that need no settings."""
    found = discover(shipped_dir("plugins"), [])
    tables: dict[str, Mapping[str, Any]] = {"event_log": {"file": "/nowhere/events.log"}}
    chosen = [found[name] for name in ("event_log", "source_mirror")]
    return PluginHost(chosen, tables, clock=FakeClock(), data_dir="/nowhere").operations


def sound_host(loaded: Loaded, path: Path) -> PluginHost:
    """The plugins of a page, of which nothing is off."""
    host = build_host(loaded, path)
    assert [str(fault) for fault in host.faults] == []
    return host


@pytest.fixture(scope="module")
def cli() -> click.Group:
    backend = Backend(dict(operations()))
    return command_line(lambda _socket: TableClient(backend))


def understand(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Resolve commands and options as click does, without running anything.

    Raises:
        UsageError: click would refuse it.
    """
    try:
        context = command.make_context(command.name, list(words), parent=parent)
        rest = [*context._protected_args, *context.args]
        if isinstance(command, click.Group) and rest:
            _, chosen, rest = command.resolve_command(context, rest)
            assert chosen is not None
            understand(chosen, rest, context)
    except click.exceptions.NoArgsIsHelpError:
        # A page may name a group of commands alone.
        return
    except click.MissingParameter as error:
        raise MissingError(f"provd ... {' '.join(words)}: {error}") from error
    except (click.UsageError, click.exceptions.Exit) as error:
        raise UsageError(f"provd ... {' '.join(words)}: {error}") from error


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    missing = [name for name in named_paths(ROOT / page) if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_every_command_line_on_a_page_is_understood(cli: click.Group, page: str) -> None:
    for words, whole in command_lines(ROOT / page):
        try:
            understand(cli, words)
        except MissingError:
            # A sentence may name a command without its arguments.
            assert not whole, words


def commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def test_every_example_in_the_help_is_understood_and_names_what_ships(cli: click.Group, tmp_path: Path) -> None:
    catalogue = Catalogue.load(layers((), str(tmp_path)))
    for command in commands(cli):
        for line in re.findall(r"^  provd (.*)$", command.epilog or "", flags=re.MULTILINE):
            # What is imported must exist; what follows > is the shell's.
            words = [__file__ if word.endswith(".xz") else word for word in shlex.split(line.partition(" > ")[0])]
            understand(cli, words)
            if "--profile" in words:
                assert words[words.index("--profile") + 1] in catalogue.profiles, line
            if words[:2] in (["profile", "show"], ["distro", "show"]):
                assert words[2] in {*catalogue.profiles, *catalogue.distros}, line


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch"],
        ["run", "--nosuch"],
        ["system", "add"],
        ["system", "nosuch"],
        ["trace"],
        ["explain", "web1", "--arch", "z80"],
    ],
)
def test_a_command_line_that_is_wrong_would_be_seen(cli: click.Group, words: list[str]) -> None:
    with pytest.raises(UsageError):
        understand(cli, words)


def test_the_readme_configures_a_server_that_starts(tmp_path: Path) -> None:
    server, profile = blocks(ROOT / "README.md", "toml")
    (tmp_path / "provd.toml").write_text(server)
    config = load(tmp_path / "provd.toml")
    assert isinstance(config, ServerConfig)
    assert [interface.name for interface in config.interfaces] == ["eth1"]
    assert IPv4Address("10.0.0.100") in config.subnets[0].network
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "server.toml").write_text(profile)
    catalogue = Catalogue.load(layers((), str(tmp_path)))
    assert catalogue.problems == ()
    assert catalogue.profiles["server"].answers["packages"] == ["htop"]


def test_the_page_about_plugins_shows_toml_that_fits(tmp_path: Path) -> None:
    package, file, *packages = blocks(ROOT / "docs" / "writing-a-plugin.md", "toml")
    for name, server in (("acme", package), ("by_name", file)):
        (tmp_path / "provd.toml").write_text(server)
        assert load(tmp_path / "provd.toml").enabled[-1] == name
    for number, text in enumerate(packages):
        (tmp_path / f"{number}.toml").write_text(text)
        groups = toml.read(tmp_path / f"{number}.toml")["project"]["entry-points"]
        assert set(groups) <= {"provd.plugins", "provd.catalogue"}


def test_the_page_about_options_shows_toml_that_fits(tmp_path: Path) -> None:
    (server,) = blocks(ROOT / "docs" / "dhcp-options.md", "toml")
    (tmp_path / "provd.toml").write_text(server)
    assert "vendor-encapsulated-options" in load(tmp_path / "provd.toml").classes[0].options


def test_the_page_about_dhcp_shows_toml_that_fits(tmp_path: Path) -> None:
    server, system = blocks(ROOT / "docs" / "dhcp.md", "toml")
    (tmp_path / "provd.toml").write_text(server)
    described = to_system(read_object(Path("web8.toml"), system.encode(), SystemFile))
    assert (described.port, list(own_faults(described))) == ((b"ge-0/0/8", b"switch-3"), [])
    assert {subnet.shared_network for subnet in load(tmp_path / "provd.toml").subnets} == {"floor-1"}


def test_the_page_about_simulating_shows_a_server_on_loopback(tmp_path: Path) -> None:
    (server,) = blocks(ROOT / "docs" / "simulating.md", "toml")
    (tmp_path / "provd.toml").write_text(server)
    config = load(tmp_path / "provd.toml")
    (command,) = (line for line in (ROOT / "docs/simulating.md").read_text().splitlines() if "127.9.1.1 " in line)
    words = command.split()
    assert [one.name for one in config.interfaces] == ["lo"]
    assert int(words[words.index("--dhcp-port") + 1]) == config.listen.dhcp_port
    assert int(words[words.index("--tftp-port") + 1]) == config.listen.tftp_port
    assert IPv4Address(words[words.index("--relay") + 1]) in config.subnets[0].network


def test_the_page_about_json_shows_toml_that_fits(tmp_path: Path) -> None:
    (server,) = blocks(ROOT / "docs" / "json-api.md", "toml")
    (tmp_path / "provd.toml").write_text(server)
    assert load(tmp_path / "provd.toml").api.port == 8443


def test_the_page_about_booting_shows_toml_that_fits(tmp_path: Path) -> None:
    menu, relayed, proxy, signed, rogue, quirk = blocks(ROOT / "docs" / "pxe.md", "toml")
    (tmp_path / "provd.toml").write_text(proxy + relayed + menu + signed + rogue)
    loaded = read(tmp_path / "provd.toml")
    config = loaded.config
    assert [subnet.mode for subnet in config.subnets] == ["proxy", "dhcp"]
    assert encode_option("pxe", config.options["pxe"])[1][:3] == bytes((6, 1, 3))
    assert allowed_servers(config)[0] == {int(IPv4Address("10.0.0.2"))}
    sound_host(loaded, tmp_path / "provd.toml").close()
    (tmp_path / "quirks.toml").write_text(quirk)
    assert read_quirks(str(tmp_path))[-1].without == {43}


def test_the_page_about_the_boot_policy_shows_toml_that_fits(tmp_path: Path) -> None:
    policy, queue, unknown = blocks(ROOT / "docs" / "boot-policy.md", "toml")
    (tmp_path / "provd.toml").write_text(f'data_dir = "{tmp_path}"\nsite_dir = "{tmp_path}"\n{queue}{unknown}')
    sound_host(read(tmp_path / "provd.toml"), tmp_path / "provd.toml").close()
    limits = queue_limits(load(tmp_path / "provd.toml"))
    assert (limits.per_subnet, limits.of(("source", "mirror:debian")), limits.of(("source", "iso:x"))) == (20, 60, 40)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "web.toml").write_text(f'distro = "debian-12"\n{policy}')
    catalogue = Catalogue.load(layers((), str(tmp_path)))
    assert catalogue.problems == ()
    boot = catalogue.profiles["web"].boot
    assert (boot.policy, boot.max_attempts) == ("until-finished", 3)


def test_the_page_about_cobbler_shows_settings_that_work(tmp_path: Path) -> None:
    (shown,) = blocks(ROOT / "docs" / "migrating-from-cobbler.md", "toml")
    (tmp_path / "provd.toml").write_text(shown)
    assert load(tmp_path / "provd.toml").cobbler.secret_file == "/var/lib/cobbler/web.ss"


def test_the_page_about_sources_shows_toml_that_fits(tmp_path: Path) -> None:
    distro, trees, mirrors, signed, served, exported = blocks(ROOT / "docs" / "install-sources.md", "toml")
    site = tmp_path / "site"
    (site / "distros").mkdir(parents=True)
    (site / "distros/rocky-9.toml").write_text(distro)
    head = f'data_dir = "{tmp_path}/data"\nsite_dir = "{site}"\n'
    (tmp_path / "provd.toml").write_text(head + served + trees + mirrors + signed)
    loaded = read(tmp_path / "provd.toml")
    assert not [problem for problem in loaded.catalogue.problems if "rocky-9.toml" in str(problem)]
    assert loaded.catalogue.distros["rocky-9"].tree == "iso:rocky-9"
    sound_host(loaded, tmp_path / "provd.toml").close()
    (tmp_path / "provd.toml").write_text(head + exported)
    host = sound_host(read(tmp_path / "provd.toml"), tmp_path / "provd.toml")
    assert 'Path = "/srv/rocky-9";' in host.daemons["nfs"].configuration["ganesha.conf"]
    host.close()


def test_the_settings_of_the_page_on_logins_build_plugins(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    tables = "".join(blocks(ROOT / "docs" / "logins.md", "toml")).replace("/etc/provd/ldap.secret", str(secret))
    head = f'data_dir = "{tmp_path}/data"\nsite_dir = "{tmp_path}/site"\nenabled = ["auth_pam", "auth_ldap"]\n'
    (tmp_path / "provd.toml").write_text(head + tables)
    host = sound_host(read(tmp_path / "provd.toml"), tmp_path / "provd.toml")
    assert list(host.authenticators) == ["pam", "ldap"]
    host.close()


def test_the_page_about_payloads_shows_distros_that_fit(tmp_path: Path) -> None:
    (tmp_path / "distros").mkdir()
    for number, text in enumerate(blocks(ROOT / "docs" / "payloads.md", "toml")):
        (tmp_path / "distros" / f"shown-{number}.toml").write_text(text)
    catalogue = Catalogue.load(layers((), str(tmp_path)))
    assert catalogue.problems == ()
    assert [program.kind for program in catalogue.distros["shown-0"].programs] == ["iso", "efi"]
    assert catalogue.distros["shown-1"].tree == "iso:debian-12-live"


def test_the_page_about_menus_shows_one_that_fits(tmp_path: Path) -> None:
    menu, boot, unknown = blocks(ROOT / "docs" / "boot-menu.md", "toml")
    for name, text in {"menus/boot": menu, "profiles/web": f'distro = "debian-12"\n{boot}'}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.toml").write_text(text)
    (tmp_path / "provd.toml").write_text(f'data_dir = "{tmp_path}"\nsite_dir = "{tmp_path}"\n{unknown}')
    loaded = read(tmp_path / "provd.toml")
    assert loaded.catalogue.problems == ()
    sound_host(loaded, tmp_path / "provd.toml").close()
    shown = loaded.catalogue.menus[loaded.catalogue.profiles["web"].boot.menu]
    assert [entry.title for entry in shown.entries] == ["Memory test (memtest86+)", "Install Debian 12"]


def test_the_page_about_triggers_shows_toml_that_fits(tmp_path: Path) -> None:
    for shown, name in zip(blocks(ROOT / "docs" / "triggers.md", "toml"), ("cmdb", "ops", "ansible"), strict=True):
        (tmp_path / "provd.toml").write_text(f'data_dir = "{tmp_path}/data"\nsite_dir = "{tmp_path}/site"\n{shown}')
        host = sound_host(read(tmp_path / "provd.toml"), tmp_path / "provd.toml")
        assert host.triggers[name].durable
        host.close()


def test_the_page_about_power_shows_toml_that_fits(tmp_path: Path) -> None:
    plugin, system, rules = blocks(ROOT / "docs" / "power.md", "toml")
    site = tmp_path / "site"
    (site / "systems").mkdir(parents=True)
    (site / "systems" / "web1.toml").write_text(system)
    for text in (plugin, rules):
        (tmp_path / "provd.toml").write_text(f'data_dir = "{tmp_path}/data"\nsite_dir = "{site}"\n{text}')
        host = sound_host(read(tmp_path / "provd.toml"), tmp_path / "provd.toml")
        assert (
            list(power_faults(read(tmp_path / "provd.toml").catalogue.systems["web1"].power, host.power_drivers)) == []
        )
        host.close()
    assert list(host.triggers) == ["reinstall", "rest"]


def test_no_page_shows_toml_that_nobody_checks() -> None:
    held = (
        "writing-a-plugin", "dhcp", "dhcp-options", "pxe", "install-sources", "migrating-from-cobbler", "logins", "json-api",
        "families",
        "payloads",
        "boot-menu",
        "boot-policy",
        "triggers",
        "power",
        "simulating",
    )  # fmt: skip
    checked = {ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in held)}
    assert [page for page in PAGES if blocks(page, "toml") and page not in checked] == []


def test_the_service_unit_starts_what_the_readme_installs() -> None:
    unit = (ROOT / "systemd" / "provd.service").read_text()
    (started,) = re.findall(r"^ExecStart=(\S+)", unit, flags=re.MULTILINE)
    linked = re.findall(r"^ln -s \S+ (\S+)$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert started in linked


@pytest.mark.parametrize("page", ["triggers", "power", "install-sources"])
def test_a_list_of_plugins_that_is_pasted_leaves_no_default_off(page: str) -> None:
    """``gate_rules`` for one is a guard: an example that drops it would switch it off without a word."""
    text = Path("docs", f"{page}.md").read_text()
    lists = [
        toml.parse(found.encode(), page)["enabled"] for found in re.findall(r"^enabled = \[[^]]*\]", text, re.MULTILINE)
    ]
    assert lists != []
    for enabled in lists:
        assert set(DEFAULT_PLUGINS) <= set(enabled)
