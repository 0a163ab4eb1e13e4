from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.installer_autoinstall import PLUGIN, Autoinstall, AutoinstallSettings, kernel_args, lint, ready
from provd.plugin.api import BootPlan, Installer, Location, Profile
from provd.plugin.templates import Templates
from provd.testing.documents import documents, variables
from provd.testing.samples import DISTRO, plan, profile

ADA = {"name": "ada", "gecos": 'Ada O\'L "x" ü', "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-ed25519 AAAA a@b"]}
BOB = {"name": "bob", "sudo": True, "password_hash": "$6$salt$hash"}
ISO = Location("http", "10.88.0.1", "/mirror/u/live.iso", 8080)


def installer() -> Installer:
    built = PLUGIN.build(AutoinstallSettings())
    assert isinstance(built, Autoinstall)
    (only,) = built.provd_installers()
    return only


def ubuntu(**answers: object) -> Profile:
    distro = replace(DISTRO, name="ubuntu-24.04", family="ubuntu", version="24.04", installer="autoinstall")
    return replace(profile(), distro=replace(distro, tree="mirror:u/live.iso"), answers=answers)


def machine(**answers: object) -> BootPlan:
    return plan(profile=ubuntu(**answers), location=ISO)


def text(**answers: object) -> str:
    return documents(installer(), machine(**answers), **answers)["user-data"]


def parsed(document: str) -> dict[str, Any]:
    head, _, rest = document.partition("\n")
    assert head == "#cloud-config"
    found = json.loads(rest)["autoinstall"]
    assert isinstance(found, dict)
    return found


def networked(**changed: object) -> dict[str, Any]:
    """The network of a machine whose variables are changed in these places."""
    one = installer()
    assert one.templates is not None
    values: Mapping[str, object] = {**variables(one, machine(), {}), **changed}
    templates = Templates([one.templates], clock=lambda: 0.0)
    from provd.plugin.api import Answer

    made = one.documents["user-data"].render(Answer(machine(), values, lambda name: templates.render(name, values)))
    assert lint({"user-data": made}, ubuntu(users=[ADA])) == []
    network = parsed(made)["network"]
    assert isinstance(network, dict)
    return network


def card(name: str, mac: str, address: str = "") -> dict[str, object]:
    return {
        "name": name, "mac": mac, "address": address, "netmask": "255.255.255.0", "prefix": 24 if address else 0,
        "gateway": "10.88.0.1" if address else "", "dns": ["10.88.0.1"] if address else [], "domain": "", "vars": {},
    }  # fmt: skip


def link(name: str, kind: str, members: list[str], **more: object) -> dict[str, object]:
    return {"name": name, "kind": kind, "members": members, "vlan": 0, "address": "", "options": {}, "vars": {}, **more}


FIRST, SECOND = card("eth0", "52:54:00:aa:bb:cc", "10.88.0.133"), card("eth1", "52:54:00:aa:bb:dd")


def test_row24_kernel_arguments() -> None:
    assert kernel_args(machine()) == [
        "ip=dhcp",
        "url=http://10.88.0.1:8080/mirror/u/live.iso",
        "cloud-config-url=/dev/null",
        "autoinstall",
        "ds=nocloud-net;s=http://10.88.0.1:8080/answer/T/",
    ]


def test_row35_a_seed_elsewhere_is_handed_on_untouched() -> None:
    assert (
        kernel_args(machine(external="http://MIRROR/seed/?h=a b"))[-1] == "ds=nocloud-net;s=http://MIRROR/seed/?h=a b"
    )


def test_row25_answers_arrive_as_they_were_written() -> None:
    found = parsed(
        text(users=[ADA, BOB], ntp="10.88.0.1", keyboard="de", packages=["vim"], proxy="http://10.88.0.1:3128")
    )
    assert found["keyboard"] == {"layout": "de"}
    assert (found["packages"], found["proxy"]) == (["vim"], "http://10.88.0.1:3128")
    assert found["ssh"] == {"install-server": True, "allow-pw": True}
    first_boot = found["user-data"]
    ada, bob = first_boot["users"]
    assert ada["gecos"] == ADA["gecos"]
    assert (ada["sudo"], ada["lock_passwd"], ada["ssh_authorized_keys"]) == (
        "ALL=(ALL) NOPASSWD:ALL",
        True,
        ADA["ssh_keys"],
    )
    assert (bob["sudo"], bob["lock_passwd"], bob["passwd"]) == ("ALL=(ALL) ALL", False, "$6$salt$hash")
    assert first_boot["ntp"] == {"enabled": True, "servers": ["10.88.0.1"]}
    assert first_boot["phone_home"]["url"] == f"{machine().callback_url()}/firstboot"


def test_root_and_the_mirror() -> None:
    found = parsed(text(root_password_hash="$6$r$h", apt_mirror="http://MIRROR/ubuntu"))
    assert found["user-data"]["users"] == [{"name": "root", "lock_passwd": False, "hashed_passwd": "$6$r$h"}]
    assert found["apt"]["primary"] == [{"arches": ["default"], "uri": "http://MIRROR/ubuntu"}]
    assert parsed(text())["user-data"]["users"] == []


def test_post_install_runs_in_the_installed_system_before_the_report() -> None:
    commands = parsed(text(post_install=["echo 'a \"b\" $c'"], installed_kernel_args="console=ttyS0"))["late-commands"]
    assert commands[0][-1] == 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX "console=ttyS0\n'
    assert commands[1] == ["curtin", "in-target", "--", "sh", "-c", "echo 'a \"b\" $c'"]
    assert "provd_say finished" in commands[2][-1]


def test_kernel_arguments_with_quotes_stay_whole_in_grubs_file(tmp_path: Path) -> None:
    wanted = 'dyndbg="file a.c +p" x=$HOME `id` it\'s'
    line = parsed(text(installed_kernel_args=wanted))["late-commands"][0][-1]
    (tmp_path / "grub").write_text(f'GRUB_CMDLINE_LINUX=quiet\n{line}printf %s "$GRUB_CMDLINE_LINUX"\n')
    run = subprocess.run(["/bin/sh", tmp_path / "grub"], capture_output=True, text=True, check=True)
    assert run.stdout == f"quiet {wanted}"


def test_row36_each_hook_calls_back_by_its_name(tmp_path: Path) -> None:
    found = parsed(text(disk="size>=20G serial=ab'c"))
    for key, name in (("early-commands", "started"), ("late-commands", "finished"), ("error-commands", "failed")):
        script = tmp_path / key
        script.write_text(found[key][-1][-1])
        assert f"provd_say {name} " in script.read_text()
        run = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, ""), key


def test_the_early_command_names_the_disk_in_the_answers() -> None:
    found = parsed(text(layout="lvm"))
    assert found["storage"] == {"layout": {"name": "lvm", "match": {"path": "PROVD_DISK"}}}
    assert 'sed -i "s#PROVD_DISK#/dev/$disk#g" /autoinstall.yaml' in found["early-commands"][0][-1]


def test_cards_by_hardware_address_keep_their_lease() -> None:
    assert networked(interfaces=[FIRST, SECOND], interface=FIRST)["ethernets"] == {
        "eth0": {"match": {"macaddress": "52:54:00:aa:bb:cc"}, "dhcp4": True, "dhcp-identifier": "mac"},
        "eth1": {
            "match": {"macaddress": "52:54:00:aa:bb:dd"},
            "dhcp4": True,
            "dhcp-identifier": "mac",
            "optional": True,
        },
    }


def test_a_static_network_writes_the_leased_address_down() -> None:
    assert networked(interfaces=[FIRST], interface=FIRST, network="static")["ethernets"]["eth0"] == {
        "match": {"macaddress": "52:54:00:aa:bb:cc"},
        "dhcp4": False,
        "addresses": ["10.88.0.133/24"],
        "routes": [{"to": "0.0.0.0/0", "via": "10.88.0.1"}],
        "nameservers": {"addresses": ["10.88.0.1"]},
    }


def test_a_vlan_on_a_bond_and_a_bridge() -> None:
    links = [
        link("bond0", "bond", ["eth0", "eth1"], options={"mode": "802.3ad"}),
        link("bond0.7", "vlan", ["bond0"], vlan=7, address="10.7.0.5"),
        link("br0", "bridge", ["bond0.7"]),
    ]
    made = networked(interfaces=[FIRST, SECOND], interface=FIRST, links=links)
    assert [made["ethernets"][name]["dhcp4"] for name in ("eth0", "eth1")] == [False, False]
    assert made["bonds"] == {
        "bond0": {
            "interfaces": ["eth0", "eth1"],
            "parameters": {"mode": "802.3ad", "mii-monitor-interval": 100},
            "dhcp4": True,
        }
    }
    assert made["vlans"] == {"bond0.7": {"id": 7, "link": "bond0", "dhcp4": False}}
    assert made["bridges"] == {"br0": {"interfaces": ["bond0.7"], "dhcp4": True}}
    with pytest.raises(ValueError, match="link bond1: 'eth9' is neither an interface nor a link of this system"):
        networked(interfaces=[FIRST], interface=FIRST, links=[link("bond1", "bond", ["eth9"])])


@pytest.mark.parametrize(("key", "value"), [("layout", "zfz"), ("network", "manual"), ("reboot", "halt")])
def test_a_word_that_nobody_knows_is_refused(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"answers.{key} is '{value}', must be one of "):
        text(**{key: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "autoinstall.version is 2, must be 1"),
        ({"packges": []}, "autoinstall.packges is not a key of version 1"),
        ({"packages": "vim"}, "autoinstall.packages must be list, not str"),
        ({"updates": "none"}, "autoinstall.updates is 'none', must be one of security, all"),
        ({"late-commands": [[1]]}, "autoinstall.late-commands[0] must be a text or a list of texts"),
        ({"storage": {"layout": {"name": "raid"}}}, "autoinstall.storage.layout.name is 'raid', must be one of lvm, direct, zfs, hybrid"),
        ({"network": {"vlans": {"v": {"id": 1}}}}, "autoinstall.network.vlans.v has no link"),
        ({"user-data": {"users": [{}]}}, "autoinstall.user-data.users[0] has no name"),
    ],
)  # fmt: skip
def test_row34_the_judge_sees_what_is_wrong(change: dict[str, Any], said: str) -> None:
    wrong = "#cloud-config\n" + json.dumps({"autoinstall": {**parsed(text()), **change}})
    assert [finding.text for finding in lint({"user-data": wrong}, ubuntu(users=[ADA]))] == [said]


def test_row34_the_judge_wants_the_first_line_and_a_way_in() -> None:
    assert "must be #cloud-config" in lint({"user-data": "{}"}, ubuntu(users=[ADA]))[0].text
    (finding,) = lint({"user-data": text()}, ubuntu())
    assert finding.level == "warning"
    assert "nobody can log in" in finding.text


def test_ready_wants_an_image() -> None:
    assert ready(ubuntu()) == ""
    assert "is not the URL of a live server image" in ready(replace(ubuntu(), source="http://MIRROR/ubuntu"))


def test_the_journal_of_the_live_system_goes_to_the_log_port(tmp_path: Path) -> None:
    """With a journalctl that says one line and ends: it arrives, and what follows is not held up."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    made = replace(machine(), log_port=server.getsockname()[1], server="127.0.0.1")
    early = parsed(documents(installer(), made)["user-data"])["early-commands"][-1][-1]
    snippet = early[early.index("# The journal") : early.index("provd_say started")]
    (tmp_path / "journalctl").write_text("#!/bin/sh\necho Nov 27 04:00:01 live subiquity[1]: one $*\n")
    (tmp_path / "journalctl").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    run = subprocess.run(
        ["bash", "-c", f"{snippet}\necho $!"], capture_output=True, text=True, check=True, env=environment, timeout=15
    )
    try:
        taken, _ = server.accept()
        line = b"Nov 27 04:00:01 live subiquity[1]: one --quiet --boot --follow --lines=200 --output=short\n"
        with taken:
            taken.settimeout(20)
            assert taken.recv(200) == line
    finally:
        os.kill(int(run.stdout), signal.SIGKILL)
        server.close()


def test_without_a_log_port_nothing_is_sent() -> None:
    assert "journalctl" not in parsed(text())["early-commands"][-1][-1]


def test_characters_beyond_sixteen_bits_are_read_by_yaml_as_they_were_written() -> None:
    """YAML reads each half of a surrogate pair of JSON as a character of its own, which no file can hold."""
    made = text(users=[{**ADA, "gecos": "𠮷田"}], post_install=["echo '🚀 \u2028\x7f\x85'"])
    assert "\\ud8" not in made
    assert "𠮷田" in made
    assert made.isprintable() or all(one.isprintable() or one == "\n" for one in made)
    assert parsed(made)["late-commands"][0][-1] == "echo '🚀 \u2028\x7f\x85'"
