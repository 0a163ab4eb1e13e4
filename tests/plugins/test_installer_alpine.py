from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.installer_alpine import kernel_args, lint, ready
from plugins.installer_alpine.interfaces import interfaces
from plugins.installer_alpine.overlay import PATH, overlay
from provd.plugin.api import Content, NotFound
from provd.testing.samples import plan, request
from tests.fakes.alpine_machine import (
    ADA,
    BOB,
    BONDED,
    CALLBACK,
    CARDS,
    FIRST,
    MIRROR,
    SHELL,
    Live,
    alpine,
    card,
    changed,
    link,
    machine,
    plugin,
    texts,
)


def test_row24_kernel_arguments() -> None:
    assert kernel_args(machine()) == [
        "ip=dhcp",
        "modules=loop,squashfs,sd-mod,usb-storage",
        "alpine_repo=http://10.88.0.1:8080/mirror/alpine/v3.22/main",
        "modloop=http://10.88.0.1:8080/mirror/alpine/v3.22/releases/x86_64/netboot/modloop-lts",
        "apkovl=http://10.88.0.1:8080/overlay/provd.apkovl.tar.gz",
        "provd.install=http://10.88.0.1:8080/answer/T/install.sh",
    ]
    known = alpine()
    medium = replace(known, distro=replace(known.distro, vars={"repository": "apks", "modloop": "boot/modloop-virt"}))
    assert kernel_args(plan(profile=medium, location=MIRROR))[2:4] == [
        "alpine_repo=http://10.88.0.1:8080/mirror/alpine/v3.22/apks",
        "modloop=http://10.88.0.1:8080/mirror/alpine/v3.22/boot/modloop-virt",
    ]


def test_the_overlay_is_an_archive_that_starts_one_script_and_holds_no_secret() -> None:
    served = plugin().provd_file(request(PATH, protocol="http"))
    assert isinstance(served, Content)
    assert isinstance(served.body, bytes)
    assert served.body == overlay()
    with tarfile.open(fileobj=io.BytesIO(served.body), mode="r:gz") as archive:
        assert {one.name: oct(one.mode) for one in archive if one.isfile()} == {
            "etc/.default_boot_services": "0o644", "etc/local.d/provd.start": "0o755",
        }  # fmt: skip
        assert archive.getmember("etc/runlevels/default/local").linkname == "/etc/init.d/local"
        assert all((one.uid, one.gid, one.mtime) == (0, 0, 0) for one in archive)
        names = archive.getnames()
        assert all(name.rpartition("/")[0] in names[: names.index(name)] for name in names if "/" in name)
        start = archive.extractfile("etc/local.d/provd.start")
        assert start is not None
        run = subprocess.run([*SHELL, "-n"], input=start.read(), capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert plugin().provd_file(request("overlay/other")) is None
    refused = plugin().provd_file(replace(request(PATH, protocol="http"), method="POST"))
    assert isinstance(refused, NotFound)
    assert refused.status == 405


def test_an_installed_system_that_keeps_the_start_script_does_nothing(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(overlay()), mode="r:gz") as archive:
        file = archive.extractfile("etc/local.d/provd.start")
        assert file is not None
        text = file.read().decode()
    (tmp_path / "cmdline").write_text("root=UUID=1 quiet")
    script = text.replace("/proc/cmdline", f"{tmp_path}/cmdline").replace("/var/log", str(tmp_path))
    run = subprocess.run(SHELL, input=script.encode(), check=False, env={"PATH": "/bin:/usr/bin"})
    assert run.returncode == 0
    assert not (tmp_path / "provd.log").exists()


def sourced(text: str) -> dict[str, str]:
    """The answer file as setup-alpine reads it."""
    keys = ("KEYMAPOPTS", "HOSTNAMEOPTS", "INTERFACESOPTS", "DNSOPTS", "TIMEZONEOPTS", "PROXYOPTS", "APKREPOSOPTS",
            "USEROPTS", "SSHDOPTS", "NTPOPTS", "KERNELOPTS", "ERASE_DISKS", "DISKOPTS")  # fmt: skip
    told = "\n".join(f'printf "%s\\0" "${key}"' for key in keys)
    env = {"PATH": "/bin:/usr/bin", "PROVD_DISK": "/dev/vda", "PROVD_CARD": "eth3"}
    run = subprocess.run(SHELL, input=f"{text}\n{told}".encode(), capture_output=True, check=True, env=env)
    return dict(zip(keys, run.stdout.decode().split("\0"), strict=False))


def test_row25_the_answer_file_says_what_was_asked_for() -> None:
    found = sourced(changed(
        interface=FIRST, keyboard="de de-nodeadkeys", timezone="Europe/Berlin", proxy="http://u:p'$x@10.88.0.1:3128",
        installed_kernel_args="console=ttyS0,115200n8",
    )["answers"])  # fmt: skip
    assert found["KEYMAPOPTS"] == "de de-nodeadkeys"
    assert found["HOSTNAMEOPTS"] == "-n web1"
    assert found["INTERFACESOPTS"] == "auto lo\niface lo inet loopback\n\nauto eth3\niface eth3 inet dhcp\n"
    assert found["DNSOPTS"] == "-d lab.example -n 10.88.0.1"
    assert found["TIMEZONEOPTS"] == "-z Europe/Berlin"
    assert found["PROXYOPTS"] == "http://u:p'$x@10.88.0.1:3128"
    tree = "http://10.88.0.1:8080/mirror/alpine/v3.22"
    assert found["APKREPOSOPTS"] == f"{tree}/main {tree}/community"
    assert found["KERNELOPTS"] == "quiet console=ttyS0,115200n8"
    assert (found["ERASE_DISKS"], found["DISKOPTS"]) == ("/dev/vda", "-m sys -k lts /dev/vda")
    short = sourced(texts()["answers"])
    assert (short["KEYMAPOPTS"], short["PROXYOPTS"], short["KERNELOPTS"]) == ("us us", "none", "quiet")


def test_a_long_host_name_is_cut_to_its_first_label() -> None:
    made = changed(hostname="x" * 63 + ".lab.example")
    assert sourced(made["answers"])["HOSTNAMEOPTS"] == f"-n {'x' * 63}"
    assert f"{'x' * 63}.lab.example {'x' * 63} >> " in made["install.sh"]


def test_a_card_by_dhcp_and_one_that_does_not_boot() -> None:
    assert interfaces(CARDS) == (
        "auto lo\niface lo inet loopback\n\n"
        "auto @52:54:00:aa:bb:cc@\niface @52:54:00:aa:bb:cc@ inet dhcp\n\n"
        "auto @52:54:00:aa:bb:dd@\niface @52:54:00:aa:bb:dd@ inet dhcp"
    )


def test_a_static_network_writes_the_leased_address_down() -> None:
    text = interfaces({**CARDS, "interfaces": [FIRST], "network": "static"})
    assert text.endswith("inet static\n    address 10.88.0.133/24\n    gateway 10.88.0.1")
    script = changed(interfaces=[FIRST], interface=FIRST, network="static")["install.sh"]
    assert "printf '%s\\n' 'search lab.example' 'nameserver 10.88.0.1' > \"$target/etc/resolv.conf\"" in script


def test_a_bridge_on_a_vlan_on_a_bond() -> None:
    stanzas = interfaces({**CARDS, "links": BONDED}).split("\n\n")
    assert stanzas[1:] == [
        "auto @52:54:00:aa:bb:cc@\niface @52:54:00:aa:bb:cc@ inet manual",
        "auto @52:54:00:aa:bb:dd@\niface @52:54:00:aa:bb:dd@ inet manual",
        (
            "auto bond0\niface bond0 inet static\n    address 10.88.0.9/24\n    gateway 10.88.0.1\n"
            "    bond-members @52:54:00:aa:bb:cc@ @52:54:00:aa:bb:dd@\n    bond-mode 802.3ad\n    bond-miimon 100"
        ),
        "auto bond0.7\niface bond0.7 inet manual\n    vlan-id 7\n    vlan-raw-device bond0",
        "auto br0\niface br0 inet dhcp\n    bridge-ports bond0.7\n    bridge-stp no\n    bridge-fd 400",
    ]
    script = changed(**{**CARDS, "links": BONDED})["install.sh"]
    assert 'chroot "$target" apk add ifupdown-ng ifupdown-ng-iproute2 iproute2' in script


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"links": [link("bond1", "bond", ["eth9"])]}, "link bond1: 'eth9' is neither an interface nor a link of this system"),
        ({"links": [link("a-very-long-bond", "bond", ["eth0"])]}, "link a-very-long-bond: the name of an interface has at most 15 octets"),
        ({"network": "manual"}, "answers.network is 'manual', must be one of dhcp, static"),
        ({"reboot": "halt"}, "answers.reboot is 'halt', must be one of reboot, poweroff"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        changed(**{**CARDS, **values})


def test_a_group_of_packages_from_another_family_is_refused_in_one_sentence() -> None:
    said = "profile debian-12-server: alpine-3.22 has packages only, and '@standard' in answers.packages is a group"
    assert ready(alpine(packages=["vim", "@standard"])) == said
    with pytest.raises(ValueError, match=f"^{said}$"):
        texts(packages=["@standard"])


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tmp_path / "live")


def test_row36_the_script_installs_finishes_and_reports(live: Live, tmp_path: Path) -> None:
    reached = tmp_path / "ünï reached"
    script = changed(
        **{**CARDS, "users": [ADA, BOB], "root_ssh_keys": ["ssh-ed25519 R"], "packages": ["vim"], "package_update": True},
        ntp="10.88.0.1", repositories=[{"name": "own", "url": "http://MIRROR/own"}],
        post_install=[f"echo 'a \"b\" $c' > '{reached}'"], hostname="web1.lab.example",
    )["install.sh"]  # fmt: skip
    code, log = live.run(script)
    assert code == 0, log
    reports = [line for line in log if CALLBACK in line and not line.endswith(("/log", "/progress"))]
    assert reports == [f"wget {CALLBACK}/started", f"wget {CALLBACK}/finished"]
    assert "wget http://10.88.0.1:8080/answer/T/answers" in log
    assert "setup-alpine -e -f /run/provd.answers on /dev/vda by eth1" in log
    assert log[-1] == "reboot "
    assert f"wget {CALLBACK}/log" in log
    assert (live.root / "run/provd.sent").read_text() == f"{len('said') + 1}\n"
    assert "apk add doas bash vim" in log
    assert "apk upgrade" in log
    assert [line for line in log if line.startswith("chpasswd")] == [
        "chpasswd -e root:*", "chpasswd -e ada:*", "chpasswd -e bob:$6$salt$hash",
    ]  # fmt: skip
    assert f"adduser -D -s /bin/ash -g {ADA['gecos']} ada" in log
    assert reached.read_text() == 'a "b" $c\n'
    etc = live.root / "mnt/etc"
    assert (etc / "network/interfaces").read_text() == (
        "auto lo\niface lo inet loopback\n\nauto eth1\niface eth1 inet dhcp\n\nauto eth0\niface eth0 inet dhcp\n\n"
    )
    assert (etc / "doas.d/90-provd-ada.conf").read_text() == "permit nopass ada\n"
    assert (etc / "doas.d/90-provd-bob.conf").read_text() == "permit persist bob\n"
    assert (etc / "apk/repositories").read_text() == "http://MIRROR/own\n"
    assert (etc / "chrony/chrony.conf").read_text().startswith("server 10.88.0.1 iburst\n")
    assert (etc / "hosts").read_text() == "127.0.1.1\tweb1.lab.example web1\n"
    assert (live.root / "mnt/home/ada/.ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA a@b\n"
    assert (live.root / "mnt/root/.ssh/authorized_keys").read_text() == "ssh-ed25519 R\n"
    assert not (etc / "local.d/provd.start").exists()
    first = (etc / "local.d/provd-firstboot.start").read_text()
    assert f'{CALLBACK}/"$1"' in first
    assert subprocess.run([*SHELL, "-n"], input=first.encode(), check=False).returncode == 0


@pytest.mark.parametrize(
    ("disk", "found"),
    [
        ("", "/dev/vda"), ("size>=50G", "/dev/vdb"), ("size<=50G name=vd*", "/dev/vda"), ("serial=ab'c", "/dev/vda"),
        ("serial=second", "/dev/vdb"), ("name=sd*", "/dev/sda"), ("/dev/vdb", "/dev/vdb"), ("path=*/vdb", "/dev/vdb"),
    ],
)  # fmt: skip
def test_the_disk_that_fulfils_every_condition_is_chosen(live: Live, disk: str, found: str) -> None:
    _, log = live.run(changed(**CARDS, disk=disk)["install.sh"])
    assert [line.split()[5] for line in log if line.startswith("setup-alpine")] == [found]


@pytest.mark.parametrize(
    ("values", "status", "said"),
    [
        ({"disk": "size>=5T"}, 0, "no disk fulfils: size>=5T"),
        ({}, 3, "setup-alpine ended with status 3"),
        ({"post_install": ["false", "echo never"]}, 0, "the end of the installation failed with status 1"),
    ],
)
def test_what_fails_is_told_and_nothing_restarts(live: Live, values: dict[str, object], status: int, said: str) -> None:
    code, log = live.run(changed(**CARDS, **values)["install.sh"], status)
    assert code == 1
    assert log[-1] == f"wget {CALLBACK}/failed"
    assert (live.root / "run/provd.failed").read_text() == f"{said}\n"
    assert "reboot " not in log


def test_a_paragraph_about_a_card_that_is_not_there_goes(live: Live) -> None:
    third = card("eth2", "52:54:00:00:00:01")
    code, _ = live.run(changed(**{**CARDS, "interfaces": [FIRST, third]})["install.sh"])
    assert code == 0
    text = (live.root / "mnt/etc/network/interfaces").read_text()
    assert "eth1" in text
    assert "@" not in text


def test_row35_an_answer_file_elsewhere_is_used_untouched() -> None:
    assert "'http://MIRROR/a b'" in texts(external="http://MIRROR/a b")["install.sh"]


@pytest.mark.parametrize(
    ("document", "old", "new", "said"),
    [
        ("answers", "KEYMAPOPTS=", "# ", "KEYMAPOPTS is missing, so setup-alpine would ask"),
        ("answers", "USEROPTS=none", "USERS=none", "USERS is no key of setup-alpine"),
        ("answers", "-m sys", "-m data", "DISKOPTS has no -m sys, so nothing would be installed"),
        ("answers", "export ERASE_DISKS", "#", "ERASE_DISKS is missing, so setup-alpine would ask"),
        ("install.sh", "provd_finish() {", "provd_finish() { if", "the shell says: "),
    ],
)
def test_row34_the_judge_sees_what_is_wrong(document: str, old: str, new: str, said: str) -> None:
    made = texts()
    wrong = {**made, document: made[document].replace(old, new)}
    (finding,) = lint(wrong, alpine(users=[ADA]))
    assert (finding.level, finding.document) == ("error", document)
    assert finding.text.startswith(said)


def test_row34_the_judge_wants_a_way_in_and_ready_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = lint(texts(), alpine())
    assert "nobody can log in" in finding.text
    assert ready(alpine()) == ""
    assert "has no install source" in ready(replace(alpine(), distro=replace(alpine().distro, tree="")))
    monkeypatch.setattr("plugins.installer_alpine.judge.shutil.which", lambda _name: None)
    assert {one.text for one in lint(texts(), alpine(users=[ADA]))} == {"not judged: there is no shell here"}
