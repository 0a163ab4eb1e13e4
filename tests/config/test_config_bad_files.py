"""Every bad provd.toml is refused with one sentence: file, key path, rule. A table of exact messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.config.errors import ConfigError
from provd.config.settings import load, tables_of_nobody

LAN = '[[interface]]\nname = "eth1"\naddresses = ["10.0.0.1"]\n[[subnet]]\nname = "lan"\nnetwork = "10.0.0.0/24"\n'
SECOND = '[[subnet]]\nname = "second"\n'

BAD: dict[str, tuple[str | bytes, str]] = {
    "not TOML": ("data_dir = \n", ":1: is not TOML: invalid value, column 12"),
    "not UTF-8": (b'\n\nuser = "\xff"\n', ":3: is not UTF-8 text"),
    "a key twice": ('user = "a"\nuser = "b"\n', ":2: is not TOML: cannot overwrite a value, column 11"),
    "unknown key": ('data_dirs = "/x"\n', ": data_dirs: unknown key; did you mean 'data_dir'?"),
    "unknown key in a table": (
        "[listen]\nhttp_prot = 80\n",
        ": listen.http_prot: unknown key; did you mean 'http_port'?",
    ),
    "unknown key in a list": (LAN + "leases = 3\n", ": subnet[0].leases: unknown key; did you mean 'lease_s'?"),
    "nothing is near": (
        "[log]\nxyz = 1\n",
        ": log.xyz: unknown key; known: format, level",
    ),
    "a key where a table belongs": ("listen = 80\n", ": listen: expected a table, got an integer"),
    "text for a number": ('[listen]\nhttp_port = "80"\n', ": listen.http_port: expected an integer, got a string"),
    "number for a text": ("user = 0\n", ": user: expected a string, got an integer"),
    "number for a flag": (
        LAN + "authoritative = 1\n",
        ": subnet[0].authoritative: expected true or false, got an integer",
    ),
    "text for a list": ('enabled = "pxelinux"\n', ": enabled: expected an array, got a string"),
    "a number in a list of texts": ("enabled = [3]\n", ": enabled[0]: expected a string, got an integer"),
    "port out of range": ("[listen]\nhttp_port = 65536\n", ": listen.http_port: expected an integer <= 65535"),
    "port zero": ("[listen]\ntftp_port = 0\n", ": listen.tftp_port: expected an integer >= 1"),
    "a choice that is none": ('identity = "mac"\n', ": identity: invalid enum value 'mac'; known: auto, client-id"),
    "a plugin's table that is none": (
        "[plugins]\npxelinux = 1\n",
        ": plugins.pxelinux: expected a table, got an integer",
    ),
    "a required key is missing": ("[[subnet]]\nname = 'x'\n", ": subnet[0]: the key 'network' is missing"),
    "no address": (
        LAN + 'routers = ["10.0.0.256"]\n',
        ": subnet[0].routers[0]: '10.0.0.256' is not an IPv4 address, as in 10.0.0.1",
    ),
    "a number for an address": (LAN + "dns = [1]\n", ": subnet[0].dns[0]: expected a string, got an integer"),
    "network without a prefix": (
        '[[subnet]]\nnetwork = "10.0.0.0"\n',
        ": subnet[0].network: '10.0.0.0' has no prefix length, as in 10.0.0.0/24",
    ),
    "no network": (
        '[[subnet]]\nnetwork = "ten/24"\n',
        ": subnet[0].network: 'ten/24' is not an IPv4 network, as in 10.0.0.0/24",
    ),
    "host bits": (
        '[[subnet]]\nnetwork = "10.0.0.5/24"\n',
        ": subnet[0].network: '10.0.0.5/24' has host bits set; the network is 10.0.0.0/24",
    ),
    "no pool": (
        LAN + 'pool = "10.0.0.9"\n',
        ": subnet[0].pool: '10.0.0.9' is not a pool: FIRST-LAST is expected, as in 10.0.0.100-10.0.0.200",
    ),
    "a pool table with another key": (
        LAN + 'pool = {first = "10.0.0.9", end = "10.0.0.9"}\n',
        ": subnet[0].pool.end: unknown key; known: first, last",
    ),
    "a pool table without an end": (
        LAN + 'pool = {first = "10.0.0.9"}\n',
        ": subnet[0].pool: the key 'last' is missing",
    ),
    "pool the wrong way round": (
        LAN + 'pool = "10.0.0.20-10.0.0.10"\n',
        ": subnet[0].pool: the first address 10.0.0.20 lies behind the last 10.0.0.10",
    ),
    "pool outside its subnet": (
        LAN + 'pool = "10.0.0.200-10.0.1.10"\n',
        ": subnet[0].pool: 10.0.1.10 lies outside the subnet 10.0.0.0/24",
    ),
    "pool with the network address": (
        LAN + 'pool = "10.0.0.0-10.0.0.10"\n',
        ": subnet[0].pool: contains the network address 10.0.0.0",
    ),
    "pool with the broadcast address": (
        LAN + 'pool = "10.0.0.100-10.0.0.255"\n',
        ": subnet[0].pool: contains the broadcast address 10.0.0.255",
    ),
    "router outside its subnet": (
        LAN + 'routers = ["10.0.1.1"]\n',
        ": subnet[0].routers[0]: 10.0.1.1 lies outside the subnet 10.0.0.0/24",
    ),
    "router with the broadcast address": (
        LAN + 'routers = ["10.0.0.255"]\n',
        ": subnet[0].routers[0]: 10.0.0.255 is the broadcast address",
    ),
    "a subnet of groups": (
        '[[interface]]\nname = "eth1"\n[[subnet]]\nnetwork = "224.0.1.0/24"\n',
        ": subnet[0].network: 224.0.1.0/24 has no addresses of hosts",
    ),
    "a subnet of everything": (
        '[[interface]]\nname = "eth1"\n[[subnet]]\nnetwork = "0.0.0.0/0"\n',
        ": subnet[0].network: 0.0.0.0/0 has no addresses of hosts",
    ),
    "a server address that no host has": (
        LAN + 'server_address = "0.0.0.0"\n',
        ": subnet[0].server_address: 0.0.0.0 is no host's address",
    ),
    "a relay that no host is": (
        LAN + 'relays = ["10.9.0.1", "255.255.255.255"]\n',
        ": subnet[0].relays[1]: 255.255.255.255 is no host's address",
    ),
    "a relay with the network address": (
        LAN + 'relays = ["10.0.0.0"]\n',
        ": subnet[0].relays[0]: 10.0.0.0 is the network address",
    ),
    "a class with a lease of seconds": (
        '[[class]]\nname = "short"\nlease_s = 5\n',
        ": class[0].lease_s: 5 is shorter than 30",
    ),
    "a profile's lease of seconds": (
        "[defaults.boot]\nlease_s = 29\n",
        ": defaults.boot.lease_s: 29 is shorter than 30",
    ),
    "router in the pool": (
        LAN + 'pool = "10.0.0.2-10.0.0.9"\nrouters = ["10.0.0.5"]\n',
        ": subnet[0].routers[0]: 10.0.0.5 lies in the subnet's own pool",
    ),
    "router in the pool, as an option": (
        LAN + 'pool = "10.0.0.2-10.0.0.9"\n[subnet.options]\n"3" = ["10.0.0.1", "10.0.0.5"]\n',
        ": subnet[0].options.3: 10.0.0.5 lies in the subnet's own pool",
    ),
    "a domain that no option can hold": (
        LAN + 'domain = "lab\\u0000"\n',
        ": subnet[0].domain: 'lab\\x00' is not a text that is not empty",
    ),
    "no digits of a relay port": (
        '[[class]]\nname = "port"\ncircuit_id = "0x"\n',
        ": class[0].circuit_id: has no digits after 0x",
    ),
    "looks for other servers backwards": (
        "[rogue]\ninterval_s = -1\n",
        ": rogue.interval_s: expected an integer >= 0",
    ),
    "a lease longer than for ever": (
        "[defaults.boot]\nlease_s = 4294967295\n",
        ": defaults.boot.lease_s: expected an integer <= 4294967294",
    ),
    "own address in the pool": (
        LAN + 'pool = "10.0.0.1-10.0.0.9"\n',
        ": interface[0].addresses[0]: 10.0.0.1 lies in the pool of subnet 'lan'",
    ),
    "server address in the pool": (
        LAN + 'pool = "10.0.0.2-10.0.0.9"\nserver_address = "10.0.0.3"\n',
        ": subnet[0].server_address: 10.0.0.3 lies in the pool of subnet 'lan'",
    ),
    "overlapping pools": (
        LAN + 'pool = "10.0.0.10-10.0.0.20"\n' + SECOND + 'network = "10.0.0.0/25"\npool = "10.0.0.20-10.0.0.30"\n',
        ": subnet[1].pool: 10.0.0.20-10.0.0.30 overlaps 10.0.0.10-10.0.0.20 of subnet 'lan'",
    ),
    "overlapping subnets": (
        LAN + SECOND + 'network = "10.0.0.128/25"\n',
        ": subnet[1].network: 10.0.0.128/25 overlaps 10.0.0.0/24 of subnet 'lan'",
    ),
    "a subnet's name twice": (
        LAN + '[[subnet]]\nname = "lan"\nnetwork = "10.0.1.0/24"\n',
        ": subnet[1].name: 'lan' is already the name of subnet[0]",
    ),
    "a relay of two subnets": (
        LAN + 'relays = ["192.0.2.1"]\n' + SECOND + 'network = "10.0.1.0/24"\nrelays = ["192.0.2.1"]\n',
        ": subnet[1].relays: 192.0.2.1 is already a relay of subnet 'lan'",
    ),
    "an interface that Linux cannot have": (
        '[[interface]]\nname = "eth1"\n[[interface]]\nname = "abcdefghijklmnop"\n',
        ": interface[1].name: 'abcdefghijklmnop' is not the name of an interface: up to 15 octets, without blanks and slashes",
    ),
    "an interface with a slash": (
        '[[interface]]\nname = "a/b"\n',
        ": interface[0].name: 'a/b' is not the name of an interface: up to 15 octets, without blanks and slashes",
    ),
    "an interface twice": (
        '[[interface]]\nname = "eth1"\n[[interface]]\nname = "eth1"\n',
        ": interface[1].name: 'eth1' is already interface[0].name",
    ),
    "an interface without a name": ('[[interface]]\nname = ""\n', ": interface[0].name: is empty"),
    "a subnet and no interface": (
        '[[subnet]]\nnetwork = "10.0.0.0/24"\n',
        ": interface: at least one [[interface]] is needed, because there are subnets",
    ),
    "an interface that is not listed": (
        LAN + 'interface = "eth2"\n',
        ": subnet[0].interface: no [[interface]] has the name 'eth2'; known: eth1",
    ),
    "shortest lease above the usual": (
        LAN + "lease_s = 60\nmin_lease_s = 90\n",
        ": subnet[0].min_lease_s: 90 is longer than lease_s = 60",
    ),
    "longest lease below the usual": (
        LAN + "lease_s = 3600\nmax_lease_s = 600\n",
        ": subnet[0].max_lease_s: 600 is shorter than lease_s = 3600",
    ),
    "a plugin without a name": ('enabled = ["relay", ""]\n', ": enabled[1]: is empty"),
    "critical but not enabled": (
        'enabled = ["gate_rules"]\ncritical = ["gate_rule"]\n',
        ": critical[0]: 'gate_rule' is not in the enabled list; did you mean 'gate_rules'?",
    ),
    "one port for two": (
        "[listen]\ndhcp_port = 6767\ntftp_port = 6767\n",
        ": listen.tftp_port: 6767 is already listen.dhcp_port",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_one_sentence(name: str, tmp_path: Path) -> None:
    text, expected = BAD[name]
    path = tmp_path / "provd.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}{expected}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"provd\.toml: cannot be read: No such file or directory"):
        load(tmp_path / "provd.toml")


def test_a_table_for_a_plugin_that_nobody_has(tmp_path: Path) -> None:
    path = tmp_path / "provd.toml"
    path.write_text("[plugins.pxelinx]\nx = 1\n")
    config = load(path)
    sentence = f"{path}: plugins.pxelinx: no plugin has this name; did you mean 'pxelinux'?"
    assert list(tables_of_nobody(config, ["relay", "pxelinux"], str(path))) == [("pxelinx", sentence)]
    assert not list(tables_of_nobody(config, ["pxelinx"], str(path)))
