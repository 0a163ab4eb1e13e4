from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from plugins.installer_autoyast import PLUGIN, kernel_args
from plugins.installer_autoyast.elements import NAMESPACE, TYPE
from plugins.installer_autoyast.judge import judged
from provd.plugin.api import Answer, BootPlan, Installer, Location, Profile
from provd.plugin.templates import Templates
from provd.testing.documents import documents, variables
from provd.testing.samples import DISTRO, plan, profile
from tests.fakes.installers import installer_of

TREE = Location("http", "10.88.0.1", "/mirror/sles", 8080)
ADA = {"name": "ada", "gecos": 'Ada O\'L "x" <ü> ]]>', "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-rsa A a'b"]}


def installer() -> Installer:
    return installer_of(PLUGIN)


def of(version: str = "15", **answers: object) -> Profile:
    words = {"product": "SLES", "modules": "Basesystem"}
    distro = replace(DISTRO, name="sles", family="suse", version=version, installer="autoyast", vars=words)
    return replace(profile(), distro=distro, answers=answers)


def machine(version: str = "15", **answers: object) -> BootPlan:
    return plan(profile=of(version, **answers), location=TREE)


def text(version: str = "15", **answers: object) -> str:
    return documents(installer(), machine(version, **answers), **answers)["autoinst.xml"]


def root(made: str) -> Element:
    assert list(judged(made)) == []
    return fromstring(made)


def changed(version: str = "15", /, **values: object) -> Element:
    """The profile of a machine whose variables are changed in these places."""
    one = installer()
    assert one.templates is not None
    seen: Mapping[str, object] = {**variables(one, machine(version), {}), **values}
    templates = Templates([one.templates], clock=lambda: 0.0)
    answer = Answer(machine(version), seen, lambda name: templates.render(name, seen))
    return root(one.documents["autoinst.xml"].render(answer))


def said(element: Element, path: str) -> list[str]:
    found = element.findall("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))
    return [one.text or "" for one in found]


def card(name: str, mac: str, address: str = "") -> dict[str, object]:
    return {
        "name": name, "mac": mac, "address": address, "netmask": "255.255.255.0", "prefix": 24 if address else 0,
        "gateway": "10.88.0.1" if address else "", "dns": ["10.88.0.1"] if address else [], "domain": "lab.example", "vars": {},
    }  # fmt: skip


def link(name: str, kind: str, members: list[str], **more: object) -> dict[str, object]:
    return {"name": name, "kind": kind, "members": members, "vlan": 0, "address": "", "options": {}, "vars": {}, **more}


FIRST, SECOND = card("eth0", "52:54:00:AA:bb:cc", "10.88.0.133"), card("", "52:54:00:aa:bb:dd")


def test_row24_kernel_arguments() -> None:
    assert kernel_args(machine()) == [
        "autoyast=http://10.88.0.1:8080/answer/T/autoinst.xml",
        "netsetup=dhcp",
        "textmode=1",
        "install=http://10.88.0.1:8080/mirror/sles",
    ]
    assert kernel_args(machine(external="http://x/a.xml"))[0] == "autoyast=http://x/a.xml"
    nfs = replace(machine(), location=Location("nfs", "10.88.0.1", "/srv/sles"))
    assert kernel_args(nfs)[-1] == "install=nfs://10.88.0.1/srv/sles"


def test_row32_awkward_values_stay_what_they_are() -> None:
    made = root(text(users=[ADA], root_password_hash="$6$a&b", packages=["vim", "@kvm_server", "vim"]))
    assert said(made, "users/user/username") == ["root", "ada"]
    assert said(made, "users/user/user_password") == ["$6$a&b", "!"]
    assert said(made, "users/user/fullname") == [ADA["gecos"]]
    assert said(made, "software/packages/package") == ["openssh", "sudo", "vim"]
    assert said(made, "software/patterns/pattern") == ["base", "kvm_server"]
    assert said(made, "add-on/add_on_products/listentry/product_dir") == ["/Module-Basesystem"]


@pytest.mark.parametrize("version", ["12", "15"])
def test_row32_host_names_and_time_servers_are_written_for_the_version(version: str) -> None:
    made = changed(version, hostname="web1.lab.example", ntp="10.88.0.1", locale="de_DE.UTF-8", keyboard="de")
    old = version == "12"
    assert said(made, "networking/dns/hostname") == ["web1" if old else "web1.lab.example"]
    assert said(made, "networking/dns/domain") == (["lab.example"] if old else [])
    server = "ntp-client/peers/peer/address" if old else "ntp-client/ntp_servers/ntp_server/address"
    assert said(made, server) == ["10.88.0.1"]
    assert said(made, "language/language") == ["de_DE"]
    opened = "firewall/FW_SERVICES_EXT_TCP" if old else "firewall/zones/zone/services/service"
    assert said(made, opened)[0] == "ssh"
    assert said(made, "keyboard/keymap") == ["german"]
    long = changed(version, hostname=f"{'a' * 63}.lab.example")
    assert said(long, "networking/dns/hostname") == ["a" * 63]


def test_row32_bonds_bridges_and_vlans_over_cards_by_hardware_address() -> None:
    links = [
        link("bond0", "bond", ["eth0", "nic1"], options={"mode": "802.3ad", "miimon": 100}),
        link("bond0.7", "vlan", ["bond0"], vlan=7, address="10.7.0.5"),
        link("br0", "bridge", ["bond0.7"], options={"stp": True}),
    ]
    made = changed(interfaces=[FIRST, SECOND], interface=FIRST, links=links, network="static")
    one = "networking/interfaces/interface/"
    assert said(made, f"{one}device") == ["eth0", "nic1", "bond0", "bond0.7", "br0"]
    assert said(made, f"{one}bootproto") == ["none", "none", "dhcp", "none", "dhcp"]
    assert said(made, f"{one}bonding_module_opts") == ["mode=802.3ad miimon=100"]
    assert said(made, f"{one}bonding_slave1") == ["nic1"]
    assert (said(made, f"{one}etherdevice"), said(made, f"{one}vlan_id")) == (["bond0"], ["7"])
    assert (said(made, f"{one}bridge_ports"), said(made, f"{one}bridge_stp")) == (["bond0.7"], ["on"])
    assert said(made, "networking/net-udev/rule/value") == ["52:54:00:aa:bb:cc", "52:54:00:aa:bb:dd"]


def test_row32_a_static_address_has_router_and_name_servers() -> None:
    made = changed(interfaces=[FIRST, SECOND], interface=FIRST, links=[], network="static")
    one = "networking/interfaces/interface/"
    assert said(made, f"{one}bootproto") == ["static", "dhcp"]
    assert (said(made, f"{one}ipaddr"), said(made, f"{one}prefixlen")) == (["10.88.0.133"], ["24"])
    assert said(made, "networking/routing/routes/route/gateway") == ["10.88.0.1"]
    assert said(made, "networking/dns/nameservers/nameserver") == ["10.88.0.1"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"network": "magic"}, "answers.network is 'magic', must be one of dhcp, static"),
        ({"reboot": "never"}, "answers.reboot is 'never', must be one of reboot, poweroff"),
        ({"timezone": "a\0b"}, r"timezone has the character '\\x00', which XML cannot hold"),
        (
            {"interfaces": [{"name": "my card", "mac": "52:54:00:aa:bb:cc", "address": "", "prefix": 0}]},
            "card 'my card': AutoYaST gives a card its name, so letters, digits and . _ - are expected, at most 15",
        ),
        ({"links": [link("bond0", "bond", ["eth9"])]}, "link bond0: 'eth9' is neither an interface nor a link"),
        (
            {"links": [link("a-very-long-bond", "bond", ["eth0"])]},
            "a-very-long-bond: the name of an interface has at most 15",
        ),
    ],
)
def test_row32_what_it_cannot_do_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        changed(**values)


LVM: list[dict[str, object]] = [
    {
        "initialize": True, "use": "all", "disklabel": "gpt",
        "partitions": [
            {"mount": "/boot/efi", "filesystem": "vfat", "size": "512M", "partition_id": 259},
            {"lvm_group": "system", "size": "max"},
        ],
    },
    {
        "device": "/dev/system", "type": "CT_LVM",
        "partitions": [
            {"lv_name": "root", "mount": "/", "filesystem": "btrfs", "size": "20G", "subvolumes": ["srv", "var"]},
            {"lv_name": "swap", "mount": "swap", "filesystem": "swap", "size": "2G"},
        ],
    },
]  # fmt: skip


def test_row33_a_site_says_its_own_partitions_and_volume_groups() -> None:
    made = root(text(partitioning=LVM))
    drive = "partitioning/drive"
    assert said(made, f"{drive}/device") == ["PROVD_DISK", "/dev/system"]
    assert said(made, f"{drive}/partitions/partition/mount") == ["/boot/efi", "/", "swap"]
    assert said(made, f"{drive}/partitions/partition/subvolumes/subvolume") == ["srv", "var"]
    kinds = {one.tag.rpartition("}")[2]: one.get(TYPE) for one in made.iter() if one.get(TYPE)}
    assert (kinds["type"], kinds["filesystem"], kinds["partition_id"]) == ("symbol", "symbol", "integer")
    assert (kinds["initialize"], kinds["partitions"]) == ("boolean", "list")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"use": "all", "colour": "red"}, "partitioning/drive[0]: colour is not known"),
        ({"partitions": [{"mount": "/", "vg": "x"}]}, "partitioning/drive[0]/partitions/partition[0]: vg is not known"),
        ({"partitions": [{"lvm_group": "data"}]}, "partitioning: no drive is the volume group data (CT_LVM)"),
        ({"partitions": []}, "partitioning: no partition is for the volume group system"),
        ({"partitions": [{"mount": "/"}, {"lvm_group": "system"}]}, "partitioning: / is mounted twice"),
    ],
)
def test_row34_partitions_that_do_not_belong_together_are_named(changes: dict[str, object], sentence: str) -> None:
    assert sentence in list(judged(text(partitioning=[{**LVM[0], **changes}, LVM[1]])))


def test_row34_own_partitions_have_a_place_for_the_system() -> None:
    assert list(judged(text(partitioning=[{"partitions": [{"mount": "/srv"}]}]))) == [
        "partitioning: nothing is mounted as /"
    ]


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ("all", "answers.partitioning must be a list of AutoYaST's drives, as tables"),
        ([{"colours": ["red"]}], "colours is no list that AutoYaST knows"),
    ],
)
def test_row34_what_is_no_list_of_drives_is_one_sentence(own: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        text(partitioning=own)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("</profile>", "", "not well-formed XML"),
        ("yast2ns", "other", "the root element is"),
        (">false</confirm>", ">true</confirm>", "general/mode/confirm must be false"),
        (">dhcp</bootproto>", ">magic</bootproto>", "'magic' must be one of"),
        ('<users config:type="list">', "<users>", 'users: config:type="list" is missing'),
        ("<username>root</username>", "", "users/user[0]: username is missing"),
        ('type="boolean">true</encrypted>', 'type="boolean">yes</encrypted>', "'yes' is neither true nor false"),
        ("software>", "softwear>", "the section software is missing"),
    ],
)
def test_row34_the_judge_says_what_is_wrong(old: str, new: str, sentence: str) -> None:
    whole = text()
    assert old in whole
    assert any(sentence in one for one in judged(whole.replace(old, new)))


@pytest.mark.parametrize("script", ["pre-scripts", "chroot-scripts"])
def test_row33_scripts_are_what_the_shell_of_the_installer_reads(tmp_path: Path, script: str) -> None:
    (source,) = said(root(text(users=[ADA], post_install=["echo 'a \"b\"'"])), f"scripts/{script}/script/source")
    (tmp_path / "bash").write_text(source)
    # parsed by bash, since the first line leaves POSIX before the rest is read
    run = subprocess.run(["bash", "-n", tmp_path / "bash"], capture_output=True, text=True, check=False, timeout=20)
    assert (run.returncode, run.stderr) == (0, "")
    assert source.splitlines()[1] == "set +o posix"


def test_a_control_file_with_entities_is_not_read() -> None:
    text = '<!DOCTYPE profile [<!ENTITY a "b">]><profile>&a;</profile>'
    assert list(judged(text)) == ["entities are not for a control file"]
