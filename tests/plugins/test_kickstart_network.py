"""The network of a machine in Kickstart: static addresses, bonds, bridges and VLANs."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.installer_kickstart import lint
from provd.plugin.api import Answer
from provd.plugin.templates import Templates
from provd.testing.documents import variables
from tests.fakes.alpine_machine import BONDED, FIRST, SECOND, link
from tests.plugins.test_installer_kickstart import installer, machine, rocky, script

ANSWERS: dict[str, Any] = {"root_ssh_keys": ["ssh-ed25519 AAAA k"]}
BOND, VLAN, BRIDGE = BONDED
SIMPLE = [BOND, VLAN, link("br0", "bridge", ["eth2"], options={"stp": True, "forward-delay": 4})]
THIRD: dict[str, Any] = {**SECOND, "name": "eth2", "mac": "52:54:00:aa:bb:ee"}


def kickstart(version: str = "9", **values: object) -> str:
    one, made = installer(), machine(version, **ANSWERS)
    assert one.templates is not None
    seen = {**variables(one, made, ANSWERS), "interfaces": [FIRST, SECOND, THIRD], "interface": FIRST, **values}
    templates = Templates([one.templates], clock=lambda: 0.0)
    text = one.documents["ks.cfg"].render(Answer(made, seen, lambda name: templates.render(name, seen)))
    assert lint({"ks.cfg": text}, rocky(version, **ANSWERS)) == []
    return text


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("network ")]


STATIC = "--bootproto=static --device=52:54:00:aa:bb:cc --ip=10.88.0.133 --netmask=255.255.255.0 --gateway=10.88.0.1"


@pytest.mark.parametrize(
    ("version", "end"),
    [
        ("6.10", "--hostname=web1 --onboot=yes"),
        ("7.9", "--hostname=web1 --activate"),
        ("9", "--hostname=web1 --activate"),
        ("10", "--ipv4-dns-search=lab.example --hostname=web1 --activate"),
        ("42", "--ipv4-dns-search=lab.example --hostname=web1 --activate"),
    ],
)
def test_a_static_network_writes_the_leased_address_down(version: str, end: str) -> None:
    assert commands(kickstart(version, network="static")) == [f"network {STATIC} --nameserver=10.88.0.1 {end}"]


def test_another_card_with_an_address_is_told_of_without_a_router() -> None:
    second = {**SECOND, "address": "10.88.0.134", "prefix": 24, "dns": []}
    assert commands(kickstart(network="static", interfaces=[second, FIRST]))[1] == (
        "network --bootproto=static --device=52:54:00:aa:bb:dd --ip=10.88.0.134 --netmask=255.255.255.0 --onboot=yes"
    )


def test_a_card_that_the_system_does_not_list_still_boots() -> None:
    assert commands(kickstart(interfaces=[SECOND])) == [
        "network --bootproto=dhcp --device=52:54:00:aa:bb:cc --hostname=web1 --activate"
    ]


@pytest.mark.parametrize("version", ["7.9", "8", "9", "10", "42"])
def test_bonds_vlans_and_bridges_pass_the_judge(version: str) -> None:
    """In whatever order the system lists them; what is beneath comes first."""
    text = kickstart(version, links=SIMPLE[::-1])
    search = " --ipv4-dns-search=lab.example" if version in {"10", "42"} else ""
    assert "%include /tmp/provd-network.ks\n" in text
    bridge, bond, vlan = commands(text)
    assert bridge == (
        "network --bootproto=dhcp --device=br0 --bridgeslaves=@52:54:00:aa:bb:ee@ --bridgeopts=stp=yes,forward-delay=4"
        " --hostname=web1 --activate"
    )
    assert bond == (
        "network --bootproto=static --device=bond0 --bondslaves=@52:54:00:aa:bb:cc@,@52:54:00:aa:bb:dd@"
        " --bondopts=mode=802.3ad,miimon=100 --ip=10.88.0.9 --netmask=255.255.255.0 --gateway=10.88.0.1"
        f" --nameserver=10.88.0.1{search} --onboot=yes"
    )
    assert vlan == "network --bootproto=dhcp --device=bond0 --vlanid=7 --interfacename=bond0.7 --onboot=yes"


def test_a_bridge_over_a_bond_from_version_9_on() -> None:
    links = [link("br0", "bridge", ["bond0"]), link("bond0", "bond", ["eth0", "eth1"])]
    first, second = commands(kickstart("9", links=links))
    assert first.startswith("network --bootproto=dhcp --device=bond0 --bondslaves=")
    assert "--bondopts=mode=active-backup,miimon=100 --noipv4 --noipv6 " in first
    assert second == "network --bootproto=dhcp --device=br0 --bridgeslaves=bond0 --bridgeopts=stp=no --onboot=yes"
    with pytest.raises(ValueError, match="link br0: Kickstart makes a bridge of cards only, and bond0 is none"):
        kickstart("8", links=links)


@pytest.mark.parametrize(
    ("host", "said"),
    [("h" * 60 + ".lab", "h" * 60 + ".lab"), ("h" * 60 + ".labs.example", "h" * 60), ("web1.lab", "web1.lab")],
)
def test_a_host_name_is_one_that_linux_can_hold(host: str, said: str) -> None:
    (line, *_) = commands(kickstart(hostname=host))
    assert f" --hostname={said} --activate" in line


def test_values_with_commas_and_names_of_cards_in_options() -> None:
    options = {"mode": "active-backup", "primary": "eth1", "arp-ip-targets": ["10.88.0.1", "10.88.0.2"]}
    (line,) = commands(kickstart(links=[link("bond0", "bond", ["eth0", "eth1"], options=options)]))
    assert (
        "--bondopts='mode=active-backup;primary=@52:54:00:aa:bb:dd@;arp_ip_target=10.88.0.1,10.88.0.2' --hostname"
        in line
    )


@pytest.mark.parametrize(
    ("version", "links", "sentence"),
    [
        ("6.10", [VLAN | {"members": ["eth0"]}], "link bond0.7: Kickstart of version 6 has no place for a vlan"),
        ("9", BONDED, "link br0: Kickstart makes a bridge of cards and bonds only, and bond0.7 is none"),
        ("9", [VLAN], "link bond0.7: 'bond0' is neither an interface nor a link of this system"),
        ("9", [link("b", "bond", [])], "link b: Kickstart needs at least one member of a bond"),
        ("9", [link("a b", "bond", ["eth0"])], "link 'a b': letters, digits and the signs - _ . are expected"),
        (
            "9",
            [link("b", "bond", ["eth0"], options={"mode": "1 2"})],
            "link b: option 'mode' is '1 2', must be one of balance-rr",
        ),
        ("9", [link("b", "bridge", ["eth0"], options={"x": 1})], "link b: option 'x' of a bridge is not one of stp,"),
        ("9", [link("b", "bridge", ["eth0"], options={"stp": "on"})], "link b: option 'stp' is 'on', a number"),
    ],
)
def test_what_kickstart_cannot_say_is_refused_in_one_sentence(
    version: str, links: list[dict[str, object]], sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}"):
        kickstart(version, links=links)


def test_another_word_for_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"answers\.network is 'bootp', must be one of dhcp, static"):
        kickstart(network="bootp")


@pytest.mark.parametrize("there", [True, False])
def test_the_machine_puts_the_names_of_its_cards_in(tmp_path: Path, *, there: bool) -> None:
    cards = {"enp1s0": "52:54:00:aa:bb:cc", "enp2s0": "52:54:00:aa:bb:dd" if there else "52:54:00:00:00:01"}
    for name, mac in cards.items():
        (tmp_path / "net" / name / "device").mkdir(parents=True)
        (tmp_path / "net" / name / "address").write_text(f"{mac}\n")
    text = kickstart(links=[BOND])
    (before, after) = text.split("%pre --erroronfail", 1)
    assert before.count("%pre") == 1
    body = (
        script(f"%pre{after}", "pre")
        .replace("/tmp/provd", f"{tmp_path}/p")
        .replace("/sys/class/net", f"{tmp_path}/net")
    )
    head, tail = body.split("# Kickstart wants", 1)
    (tmp_path / "s").write_text(f'{head}\nprovd_say() {{ echo "$@"; }}\n#{tail}')
    run = subprocess.run(["bash", tmp_path / "s"], capture_output=True, text=True, check=False, timeout=10)
    assert run.stderr == ""
    if there:
        assert run.returncode == 0
        assert "--bondslaves=enp1s0,enp2s0 " in (tmp_path / "p-network.ks").read_text()
    else:
        assert (run.returncode, run.stdout) == (1, "failed this machine has no network card 52:54:00:aa:bb:dd\n")


def test_the_judge_reads_what_the_machine_will_write() -> None:
    text = kickstart(links=[BOND]).replace("--bondslaves=", "--members=")
    (finding,) = lint({"ks.cfg": text}, replace(rocky("9"), answers=ANSWERS))
    assert finding.level == "error"
