"""The network of a system that Debian's installer installs: static addresses, bonds, bridges and VLANs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.installer_preseed import lint
from provd.plugin.api import Answer
from provd.plugin.templates import Templates
from provd.testing.documents import variables
from provd.testing.samples import profile
from tests.fakes.alpine_machine import BONDED, FIRST, SECOND, link
from tests.plugins.test_installer_preseed import BOB, DEBIAN, installer, machine

HEAD = "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n\n"


def texts(**values: object) -> dict[str, str]:
    """Documents of a machine with two cards; they pass the judge."""
    one, made = installer(), machine()
    assert one.templates is not None
    seen: dict[str, Any] = {**variables(one, made, {}), "interfaces": [FIRST, SECOND], "interface": FIRST, **values}
    templates = Templates([one.templates], clock=lambda: 0.0)
    answer = Answer(made, seen, lambda name: templates.render(name, seen))
    found = {name: document.render(answer) for name, document in one.documents.items()}
    assert lint(found, replace(profile(distro=DEBIAN), answers={"users": [BOB]})) == []
    return found


def interfaces(**values: object) -> str:
    """What the installed system gets, with the addresses of cards for their names."""
    late = texts(**values)["late.sh"]
    return late.partition("<< 'PROVD_NETWORK'\n")[2].partition("\nPROVD_NETWORK\n")[0]


def test_with_dhcp_and_no_links_the_installer_has_its_way() -> None:
    found = texts()
    assert "provd_network" not in found["late.sh"]
    assert "target_network_config" not in found["preseed.cfg"]


def test_a_static_network_writes_the_leased_address_down() -> None:
    found = texts(network="static")
    assert "\nd-i netcfg/target_network_config select ifupdown\n" in found["preseed.cfg"]
    assert "'search lab.example' 'nameserver 10.88.0.1' > /target/etc/resolv.conf" in found["late.sh"]
    assert interfaces(network="static") == (
        f"{HEAD}auto @52:54:00:aa:bb:cc@\niface @52:54:00:aa:bb:cc@ inet static\n    address 10.88.0.133/24\n"
        "    gateway 10.88.0.1\n    dns-nameservers 10.88.0.1\n    dns-search lab.example\n\n"
        "allow-hotplug @52:54:00:aa:bb:dd@\niface @52:54:00:aa:bb:dd@ inet dhcp"
    )


BONDED_TEXT = """\
auto @52:54:00:aa:bb:cc@
iface @52:54:00:aa:bb:cc@ inet manual
    up ip link set @52:54:00:aa:bb:cc@ up

auto @52:54:00:aa:bb:dd@
iface @52:54:00:aa:bb:dd@ inet manual
    up ip link set @52:54:00:aa:bb:dd@ up

auto bond0
iface bond0 inet static
    address 10.88.0.9/24
    gateway 10.88.0.1
    dns-nameservers 10.88.0.1
    dns-search lab.example
    pre-up ip link del bond0 2> /dev/null || true
    pre-up ip link add bond0 type bond mode 802.3ad miimon 100
    pre-up ip link set @52:54:00:aa:bb:cc@ down
    pre-up ip link set @52:54:00:aa:bb:cc@ master bond0
    pre-up ip link set @52:54:00:aa:bb:dd@ down
    pre-up ip link set @52:54:00:aa:bb:dd@ master bond0
    post-down ip link del bond0

auto bond0.7
iface bond0.7 inet manual
    pre-up ip link del bond0.7 2> /dev/null || true
    pre-up ip link add link bond0 name bond0.7 type vlan id 7
    up ip link set bond0.7 up
    post-down ip link del bond0.7

auto br0
iface br0 inet dhcp
    pre-up ip link del br0 2> /dev/null || true
    pre-up ip link add br0 type bridge stp_state 0 forward_delay 400
    pre-up ip link set bond0.7 master br0
    post-down ip link del br0"""


def test_a_bridge_on_a_vlan_on_a_bond_in_whatever_order() -> None:
    assert interfaces(links=BONDED) == HEAD + BONDED_TEXT
    assert interfaces(links=BONDED[::-1]) == HEAD + BONDED_TEXT


def test_a_card_that_the_system_does_not_list_keeps_its_network() -> None:
    assert "auto @52:54:00:aa:bb:cc@\niface @52:54:00:aa:bb:cc@ inet static\n" in interfaces(
        network="static", interfaces=[SECOND]
    )


def test_options_name_cards_by_their_address() -> None:
    made = interfaces(links=[link("b", "bond", ["eth0", "eth1"], options={"primary": "eth1", "up-delay": 5})])
    assert "type bond mode active-backup primary @52:54:00:aa:bb:dd@ updelay 5 miimon 100\n" in made


@pytest.mark.parametrize(
    ("links", "sentence"),
    [
        ([link("bond0", "bond", ["eth7"])], "link bond0: 'eth7' is neither an interface nor a link of this system"),
        ([link("b;reboot", "bond", ["eth0"])], "link 'b;reboot': letters, digits and the signs - _ . are expected"),
        (
            [link("b", "bond", ["eth0"], options={"mode": "$(x)"})],
            "link b: option 'mode' is '$(x)', must be one of bal",
        ),
        ([link("b", "bridge", ["eth0"], options={"x": 1})], "link b: option 'x' of a bridge is not one of stp, prio"),
        (
            [link("a-name-of-sixteen", "bridge", ["eth0"])],
            "link a-name-of-sixteen: the name of an interface has at most",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_sentence(links: list[dict[str, object]], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  the sentence is compared
        texts(links=links)
    assert str(refused.value).startswith(sentence)


def test_it_is_refused_before_a_disk_is_touched() -> None:
    """The answer file itself is not given; the script at the end would come too late."""
    one, made = installer(), machine()
    seen: dict[str, Any] = {**variables(one, made, {}), "links": [link("bond0", "bond", ["eth7"])]}
    with pytest.raises(ValueError, match="'eth7' is neither"):
        one.documents["preseed.cfg"].render(Answer(made, seen, lambda _name: ""))


def test_another_word_for_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"answers\.network is 'bootp', must be one of dhcp, static"):
        texts(network="bootp")


@pytest.mark.parametrize("there", [True, False])
def test_the_machine_puts_the_names_of_its_cards_in(tmp_path: Path, *, there: bool) -> None:
    for name, mac in (("ens3", "52:54:00:aa:bb:cc"), ("ens4", "52:54:00:aa:bb:dd" if there else "52:54:00:00:00:01")):
        (tmp_path / "sys" / name / "device").mkdir(parents=True)
        (tmp_path / "sys" / name / "address").write_text(f"{mac}\n")
    for folder in ("etc/network", "target/etc/network"):
        (tmp_path / folder).mkdir(parents=True)
    late = texts(links=BONDED)["late.sh"]
    function = "provd_network() {" + late.partition("provd_network() {")[2].partition("\n}\n")[0] + "\n}\n"
    function = re.sub(r"(?<!\S)(/target)?/etc/(?!network/interfaces\.d)", rf"{tmp_path}\1/etc/", function)
    function = function.replace("/sys/class/net", f"{tmp_path}/sys")
    (tmp_path / "s").write_text(f"set -e\n{function}\nprovd_network\n")
    run = subprocess.run(["busybox", "sh", tmp_path / "s"], capture_output=True, text=True, check=False, timeout=10)
    if there:
        assert (run.returncode, run.stderr) == (0, "")
        names = BONDED_TEXT.replace("@52:54:00:aa:bb:cc@", "ens3").replace("@52:54:00:aa:bb:dd@", "ens4")
        written = (tmp_path / "target/etc/network/interfaces").read_text()
        assert written == f"{HEAD}{names}\n"
        assert (tmp_path / "target/etc/resolv.conf").read_text() == "search lab.example\nnameserver 10.88.0.1\n"
    else:
        assert run.returncode == 1
        assert run.stderr.endswith("this machine has no network card of this address\n")
