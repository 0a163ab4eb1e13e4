from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.installer_agama import PLUGIN, kernel_args, ready, refuses
from plugins.installer_agama.judge import judged
from provd.plugin.api import Answer, BootPlan, Installer, Location, Profile, scrub_value
from provd.plugin.templates import Templates
from provd.testing.documents import documents, variables
from provd.testing.samples import DISTRO, plan, profile
from tests.fakes.installers import installer_of

TREE = Location("http", "10.88.0.1", "/mirror/sles-16", 8080)
ADA = {"name": "ada", "gecos": 'Ada O\'L "x" <ü> \\', "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-rsa A a'b"]}


def installer() -> Installer:
    return installer_of(PLUGIN)


def of(words: Mapping[str, object] | None = None, /, **answers: object) -> Profile:
    words = {"product": "SLES", "repository": "install"} if words is None else words
    distro = replace(DISTRO, name="sles-16", family="suse", version="16.0", installer="agama", vars=words)
    return replace(profile(), distro=distro, source="http://10.88.0.1/sles", answers=answers)


def machine(words: Mapping[str, object] | None = None, /, **answers: object) -> BootPlan:
    return plan(profile=of(words, **answers), location=TREE)


def text(**answers: object) -> str:
    return documents(installer(), machine(**answers), **answers)["profile.json"]


def faults(made: str) -> list[str]:
    return [finding.text for finding in judged("profile.json", made)]


def made(**answers: object) -> Any:
    written = text(**answers)
    assert faults(written) == []
    return json.loads(written)


def changed(**values: object) -> Any:
    """The profile of a machine whose variables are changed in these places."""
    one = installer()
    assert one.templates is not None
    seen: Mapping[str, object] = {**variables(one, machine(), {}), **values}
    templates = Templates([one.templates], clock=lambda: 0.0)
    answer = Answer(machine(), seen, lambda name: templates.render(name, seen))
    written = str(one.documents["profile.json"].render(answer))
    assert faults(written) == []
    return json.loads(written)


def card(name: str, mac: str, address: str = "") -> dict[str, object]:
    return {
        "name": name, "mac": mac, "address": address, "netmask": "255.255.255.0", "prefix": 24 if address else 0,
        "gateway": "10.88.0.1" if address else "", "dns": ["10.88.0.1"] if address else [], "domain": "lab.example", "vars": {},
    }  # fmt: skip


def link(name: str, kind: str, members: list[str], **more: object) -> dict[str, object]:
    return {"name": name, "kind": kind, "members": members, "vlan": 0, "address": "", "options": {}, "vars": {}, **more}


FIRST, SECOND = card("eth0", "52:54:00:AA:bb:cc", "10.88.0.133"), card("", "52:54:00:aa:bb:dd")


def test_row24_kernel_arguments() -> None:
    tree = "http://10.88.0.1:8080/mirror/sles-16"
    assert kernel_args(machine()) == [
        "rd.neednet=1",
        "inst.auto=http://10.88.0.1:8080/answer/T/profile.json",
        f"root=live:{tree}/LiveOS/squashfs.img",
        f"inst.install_url={tree}/install",
    ]
    assert kernel_args(machine(external="http://x/a.jsonnet", reboot="poweroff"))[1:3] == [
        "inst.auto=http://x/a.jsonnet",
        "inst.finish=poweroff",
    ]


@pytest.mark.parametrize(
    ("repository", "arguments"),
    [
        (".", ["inst.install_url=http://10.88.0.1:8080/mirror/sles-16"]),
        ("http://m/leap/16.0/repo/oss", ["inst.install_url=http://m/leap/16.0/repo/oss"]),
        ("", []),
    ],
)
def test_row24_where_the_packages_are_is_the_distros(repository: str, arguments: list[str]) -> None:
    words = {"product": "SLES", "live": "http.img", "repository": repository}
    asked = machine(words, registration_url="http://rmt.example")
    root = "root=live:http://10.88.0.1:8080/mirror/sles-16/http.img"
    assert kernel_args(asked)[2:] == [root, *arguments, "inst.register_url=http://rmt.example"]


def test_row32_awkward_values_stay_what_they_are() -> None:
    whole = made(users=[ADA, {"name": "bob"}], root_password_hash="$6$a&b", packages=["vim", "@kvm_server", "vim"])
    assert whole["user"] == {
        "fullName": ADA["gecos"], "userName": "ada", "password": "!", "hashedPassword": True,
    }  # fmt: skip
    assert whole["root"] == {"password": "$6$a&b", "hashedPassword": True}
    assert whole["software"] == {"packages": ["openssh", "sudo", "vim"], "patterns": {"add": ["kvm_server"]}}
    end = whole["scripts"]["post"][0]["content"]
    assert "useradd -m -c bob bob" in end
    assert "provd_keys ada 'ssh-rsa A a'\"'\"'b'" in end


def test_row32_what_has_words_of_its_own_in_agama() -> None:
    whole = made(
        locale="de_DE.UTF-8", keyboard="de", timezone="Europe/Berlin", root_ssh_keys=["ssh-rsa A", "ssh-rsa B"],
        repositories=[{"name": "own", "url": "http://m/own", "trust": True}, {"name": "b", "url": "http://m/b"}],
        installed_kernel_args="quiet", registration_code="ABC", registration_email="a@b.c",
        ntp="10.88.0.1", proxy="http://10.88.0.1:3128",
    )  # fmt: skip
    assert whole["localization"] == {"language": "de_DE.UTF-8", "keyboard": "de", "timezone": "Europe/Berlin"}
    assert whole["root"]["sshPublicKey"] == "ssh-rsa A"
    assert whole["bootloader"] == {"extraKernelParams": "quiet"}
    assert whole["product"] == {"id": "SLES", "registrationCode": "ABC", "registrationEmail": "a@b.c"}
    assert whole["software"]["extraRepositories"] == [
        {"alias": "own", "url": "http://m/own", "allowUnsigned": True},
        {"alias": "b", "url": "http://m/b"},
    ]
    assert "chrony" in whole["software"]["packages"]
    end = whole["scripts"]["post"][0]["content"]
    assert "printf 'server %s iburst\\n' 10.88.0.1 > /etc/chrony.d/provd.conf" in end
    assert "provd_proxy http://10.88.0.1:3128" in end


@pytest.mark.parametrize(
    ("name", "static"),
    [
        ("web1.lab.example", "web1.lab.example"),
        (f"{'a' * 63}.lab.example", "a" * 63),
        (f"{'ü' * 20}.x", f"{'ü' * 20}.x"),
    ],
)
def test_row32_a_host_name_that_is_too_long_is_its_first_label(name: str, static: str) -> None:
    assert changed(hostname=name)["hostname"] == {"static": static}


def test_row32_bonds_bridges_and_vlans_over_cards_by_hardware_address() -> None:
    links = [
        link("bond0", "bond", ["eth0", "nic1"], options={"mode": "802.3ad", "xmit-hash-policy": "layer3+4"}),
        link("bond0.7", "vlan", ["bond0"], vlan=7, address="10.7.0.5"),
        link("br0", "bridge", ["bond0.7"], options={"stp": True}),
    ]
    found = changed(interfaces=[FIRST, SECOND], interface=FIRST, links=links, network="static")["network"]
    assert found["connections"] == [
        {"id": "eth0", "macAddress": "52:54:00:aa:bb:cc"},
        {"id": "nic1", "macAddress": "52:54:00:aa:bb:dd"},
        {
            "id": "bond0", "interface": "bond0", "method4": "auto", "method6": "auto",
            "bond": {"ports": ["eth0", "nic1"], "mode": "802.3ad", "options": "xmit_hash_policy=layer3+4 miimon=100"},
        },
        {"id": "bond0.7", "interface": "bond0.7", "vlan": {"id": 7, "parent": "bond0"}},
        {
            "id": "br0", "interface": "br0", "method4": "auto", "method6": "auto",
            "bridge": {"ports": ["bond0.7"], "stp": True},
        },
    ]  # fmt: skip


def test_row32_a_static_address_has_router_and_name_servers_on_the_card_that_boots() -> None:
    vlan = link("eth0.5", "vlan", ["eth0"], vlan=5, address="10.5.0.9")
    found = changed(
        interfaces=[FIRST, card("eth1", "52:54:00:aa:bb:dd", "10.88.0.134"), SECOND | {"name": "eth2"}],
        interface=FIRST, links=[vlan], network="static",
    )["network"]["connections"]  # fmt: skip
    assert found[0] == {
        "id": "eth0", "macAddress": "52:54:00:aa:bb:cc", "method4": "manual", "method6": "auto",
        "addresses": ["10.88.0.133/24"], "gateway4": "10.88.0.1", "nameservers": ["10.88.0.1"],
        "dnsSearchlist": ["lab.example"],
    }  # fmt: skip
    assert found[1]["addresses"] == ["10.88.0.134/24"]
    assert "gateway4" not in found[1]
    assert found[2]["method4"] == "auto"
    assert (found[3]["addresses"], found[3]["vlan"]) == (["10.5.0.9/24"], {"id": 5, "parent": "eth0"})


@pytest.mark.parametrize(
    ("disk", "search"),
    [
        ("/dev/nvme0n1", "/dev/nvme0n1"),
        ("/dev/disk/by-path/pci-0000:00:04.0", "/dev/disk/by-path/pci-0000:00:04.0"),
        ("name=vda", "/dev/vda"),
        ("wwn=naa.5000c500a1b2c3d4", "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"),
        ("wwn=eui.0025385b71b0", "/dev/disk/by-id/nvme-eui.0025385b71b0"),
        ("size>=20G", {"condition": {"size": {"greater": 19_999_999_999}}, "sort": "name", "max": 1}),
        ("size<=2T", {"condition": {"size": {"less": 2_000_000_000_001}}, "sort": "name", "max": 1}),
    ],
)
def test_row33_the_disk_is_found_by_agama_itself(disk: str, search: object) -> None:
    (drive,) = made(disk=disk)["storage"]["drives"]
    assert drive["search"] == search
    assert ready(of(disk=disk)) == ""


def test_row33_without_a_disk_it_is_the_first_and_all_of_it() -> None:
    assert made()["storage"] == {
        "drives": [{"partitions": [{"search": "*", "delete": True}, {"generate": "default"}]}],
    }


def test_row33_a_storage_section_of_the_sites_own_is_judged() -> None:
    own: dict[str, Any] = {
        "drives": [{"search": {"sort": {"size": "desc"}, "max": 2}, "partitions": [{"alias": "pv", "id": "lvm", "size": {"min": "12 GiB"}}]}],
        "volumeGroups": [
            {
                "name": "system", "physicalVolumes": ["pv"],
                "logicalVolumes": [{"size": {"min": "10 GiB"}, "filesystem": {"path": "/", "type": "btrfs"}}],
            }
        ],
    }  # fmt: skip
    assert made(storage=own, disk="serial=x")["storage"] == own
    own["volumeGroups"][0]["physicalVolumes"] = ["other"]
    assert faults(text(storage=own)) == ["storage: no device has the alias other"]


@pytest.mark.parametrize(
    "disk", ["serial=QM0001", "path=*/ata1/*", "name=sd*", "size>=20G size<=2T", "wwn=t10.x", "sda"]
)
def test_row33_a_disk_that_agama_cannot_find_is_one_sentence(disk: str) -> None:
    sentence = (
        f"answers.disk is {disk!r}: Agama finds a disk by one of /dev/NAME, name=, wwn=, size>=, size<=; "
        "answers.storage may hold another search"
    )
    assert ready(of(disk=disk)) == f"profile debian-12-server: {sentence}"
    with pytest.raises(ValueError, match="Agama finds a disk by one of"):
        text(disk=disk)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"network": "magic"}, "answers.network is 'magic', must be one of dhcp, static"),
        ({"reboot": "never"}, "answers.reboot is 'never', must be one of reboot, poweroff"),
        ({"links": [link("bond0", "bond", ["eth9"])]}, "link bond0: 'eth9' is neither an interface nor a link"),
        (
            {"links": [link("a-very-long-bond", "bond", ["eth0"])]},
            "a-very-long-bond: the name of an interface has at most 15",
        ),
        (
            {"interfaces": [SECOND], "links": [link("v7", "vlan", ["nic0"], vlan=7)]},
            "link v7: Agama needs the name of the card under a VLAN, give it one",
        ),
    ],
)
def test_row32_what_it_cannot_do_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        changed(**values)


def test_row32_a_distro_without_a_product_and_one_of_yast_are_refused() -> None:
    with pytest.raises(ValueError, match=r"vars\.product is empty"):
        documents(installer(), machine({}))
    older = replace(of(), distro=replace(of().distro, name="sles-15", version="15.6"))
    assert ready(older) == "profile debian-12-server: Agama installs version 16 and later, sles-15 is 15"
    assert refuses(TREE) == ""
    assert refuses(Location("nfs", "h", "/x")) == "Agama's live system is fetched by HTTP or FTP, not by NFS"


def test_a_registration_code_is_shown_to_nobody() -> None:
    assert scrub_value({"registration_code": "ABC", "registrationCode": "ABC"}) == {
        "registration_code": "***", "registrationCode": "***",
    }  # fmt: skip


def altered(**sections: object) -> str:
    return json.dumps({**json.loads(text(users=[ADA])), **sections})


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("{", "no JSON: "),
        ("[]", "must be object"),
        (altered(product={}), "product: 'id' is a required property"),
        (altered(surprise=1), "('surprise' was unexpected)"),
        (altered(questions={"policy": "user"}), "questions.policy must be auto, or the installer waits for somebody"),
        (altered(root={"password": "secret"}), "root.password stands in clear: hashedPassword must be true"),
        (altered(user={"userName": "a"}), "user: 'fullName' is a required property"),
        (altered(hostname={"static": "a" * 65}), "hostname.static: maxLength is 64"),
        (altered(network={"connections": [{"id": "a"}, {"id": "a"}]}), "network.connections: a is there 2 times"),
        (altered(network={"connections": [{"id": "a", "method4": "manual"}]}), "method4 is manual and there is no address"),
        (altered(network={"connections": [{"id": "a", "vlan": {"id": 4095, "parent": "b"}}]}), "maximum is 4094"),
        (altered(network={"connections": [{"id": "a", "vlan": {"id": 1, "parent": "b"}}]}), "a: b is not known"),
        (altered(network={"connections": [{"id": "a", "macAddress": "52:54"}]}), "macAddress: does not match"),
        (altered(storage={"drives": [{"search": 7}]}), "drives[0].search: has none of the forms"),
        (altered(scripts={"pre": [{"name": "a"}]}), "scripts.pre[0]: needs content or url, and not both"),
        (altered(scripts={"pre": [{"name": "a/b", "content": "#!x"}]}), "scripts.pre[0].name: does not match"),
        (altered(scripts={"post": [{"name": "a", "content": "true"}]}), "a: the first line names no interpreter"),
    ],
)  # fmt: skip
def test_row34_the_judge_says_what_is_wrong(document: str, sentence: str) -> None:
    found = faults(document)
    assert any(sentence in one for one in found), found
    assert "secret" not in " ".join(found)


@pytest.mark.parametrize(("kind", "reports"), [
    ("pre", "provd_say started"), ("postPartitioning", "provd_say progress"), ("post", "provd_say finished"),
    ("init", "provd_post firstboot"),
])  # fmt: skip
def test_row33_scripts_are_what_a_shell_reads_and_they_report(tmp_path: Path, kind: str, reports: str) -> None:
    whole = made(users=[ADA], post_install=["echo 'a \"b\"'"], proxy="http://p", ntp="t", package_update=True)
    (script,) = whole["scripts"][kind]
    (tmp_path / "script").write_text(script["content"])
    run = subprocess.run(["bash", "-n", tmp_path / "script"], capture_output=True, text=True, check=False, timeout=20)
    assert (run.returncode, run.stderr) == (0, "")
    assert script["content"].startswith("#!/bin/bash\n")
    assert reports in script["content"]
    assert script.get("chroot", False) is (kind == "post")


def test_row33_the_proxy_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    (script,) = made(proxy="http://p")["scripts"]["post"]
    head = script["content"].partition("(provd_finish)\n")[0].replace("/etc/sysconfig/proxy", str(tmp_path / "proxy"))
    (tmp_path / "proxy").write_text('# old\nPROXY_ENABLED="no"\nHTTP_PROXY=""\nFTP_PROXY=""\n')
    (tmp_path / "script").write_text(f'{head}provd_proxy "http://10.0.0.1:3128/"\n')
    subprocess.run(["bash", tmp_path / "script"], check=True, timeout=20)
    assert (tmp_path / "proxy").read_text() == (
        '# old\nFTP_PROXY=""\nPROXY_ENABLED="yes"\nHTTP_PROXY="http://10.0.0.1:3128/"\n'
        'HTTPS_PROXY="http://10.0.0.1:3128/"\nNO_PROXY="localhost, 127.0.0.1"\n'
    )
