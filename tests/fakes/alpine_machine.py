"""A machine of Alpine: the documents it gets, and a live system whose programs only tell how they were called."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from plugins.installer_alpine import PLUGIN, Alpine
from plugins.installer_alpine.judge import judged
from provd.plugin.api import Answer, BootPlan, Installer, Location, LogSettings, Profile
from provd.plugin.templates import Templates
from provd.testing.documents import documents, variables
from provd.testing.samples import DISTRO, plan, profile

ADA = {"name": "ada", "gecos": 'Ada O\'L "x" ü', "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-ed25519 AAAA a@b"]}
BOB = {"name": "bob", "sudo": True, "password_hash": "$6$salt$hash", "shell": "/bin/bash"}
MIRROR = Location("http", "10.88.0.1", "/mirror/alpine/v3.22", 8080)
SHELL = [shutil.which("busybox") or "", "sh"] if shutil.which("busybox") else ["sh"]
CALLBACK = "http://10.88.0.1:8080/callback/T"


def plugin() -> Alpine:
    built = PLUGIN.build(LogSettings())
    assert isinstance(built, Alpine)
    return built


def installer() -> Installer:
    (only,) = plugin().provd_installers()
    return only


def alpine(**answers: object) -> Profile:
    distro = replace(DISTRO, name="alpine-3.22", family="alpine", version="3.22", installer="alpine")
    return replace(profile(), distro=replace(distro, tree="mirror:alpine/v3.22"), answers=answers)


def machine(**answers: object) -> BootPlan:
    return plan(profile=alpine(**answers), location=MIRROR)


def texts(**answers: object) -> dict[str, str]:
    return documents(installer(), machine(**answers), **answers)


def changed(**values: object) -> dict[str, str]:
    """Documents of a machine whose variables are changed in these places; they pass the judge."""
    one = installer()
    assert one.templates is not None
    seen: Mapping[str, object] = {**variables(one, machine(), {}), **values}
    templates = Templates([one.templates], clock=lambda: 0.0)
    answer = Answer(machine(), seen, lambda name: templates.render(name, seen))
    made = {name: document.render(answer) for name, document in one.documents.items()}
    assert list(judged(made)) == []
    return made


def card(name: str, mac: str, address: str = "") -> dict[str, object]:
    return {
        "name": name, "mac": mac, "address": address, "netmask": "255.255.255.0", "prefix": 24 if address else 0,
        "gateway": "10.88.0.1" if address else "", "dns": ["10.88.0.1"] if address else [], "domain": "lab.example", "vars": {},
    }  # fmt: skip


def link(name: str, kind: str, members: list[str], **more: object) -> dict[str, object]:
    return {"name": name, "kind": kind, "members": members, "vlan": 0, "address": "", "options": {}, "vars": {}, **more}


FIRST, SECOND = card("eth0", "52:54:00:aa:bb:cc", "10.88.0.133"), card("eth1", "52:54:00:aa:bb:dd")
CARDS: dict[str, object] = {"interfaces": [FIRST, SECOND], "interface": FIRST, "network": "dhcp", "links": []}
BONDED = [
    link(
        "bond0", "bond", ["eth0", "eth1"], options={"mode": "802.3ad", "mii-monitor-interval": 100}, address="10.88.0.9"
    ),
    link("bond0.7", "vlan", ["bond0"], vlan=7),
    link("br0", "bridge", ["bond0.7"], options={"stp": False, "forward-delay": 4}),
]


TELLS = ("apk", "addgroup", "chown", "rc-update", "mount", "umount", "sync", "reboot", "poweroff")
FAKES = {
    **{name: f'echo "{name} $*" >> "$LOG"' for name in TELLS},
    "setup-alpine": 'echo "setup-alpine $* on $PROVD_DISK by $PROVD_CARD" >> "$LOG"; exit "$STATUS"',
    "adduser": 'echo "adduser $*" >> "$LOG"',
    "chpasswd": 'while read -r line; do echo "chpasswd $* $line" >> "$LOG"; done',
    "chroot": 'shift; exec "$@"',
    "timeout": 'shift; exec "$@"',
    "wget": 'for last; do :; done; echo "wget $last" >> "$LOG"',
}


class Live:
    """The live system of a machine with two disks and two cards, whose programs only tell how they were called."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in (
            "bin",
            "run",
            "log",
            "mnt/etc/apk",
            "mnt/etc/network",
            "mnt/etc/local.d",
            "mnt/etc/chrony",
            "sys/class/net/lo",
        ):
            (root / name).mkdir(parents=True)
        for name in ("alpine-release", "local.d/provd.start", "apk/repositories", "hosts"):
            (root / "mnt/etc" / name).write_text("")
        for name, body in FAKES.items():
            (root / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
            (root / "bin" / name).chmod(0o755)
        for name, octets, removable, serial in (("sda", 8, 1, "usb"), ("vda", 40, 0, "ab'c"), ("vdb", 80, 0, "second")):
            place = root / "sys/devices" / name
            (place / "device").mkdir(parents=True)
            for key, value in (
                ("size", octets * 10**9 // 512),
                ("ro", 0),
                ("removable", removable),
                ("serial", serial),
            ):
                (place / key).write_text(f"{value}\n")
            (root / "sys/block").mkdir(exist_ok=True)
            (root / "sys/block" / name).symlink_to(place)
        for name, mac in (("eth0", "52:54:00:aa:bb:dd"), ("eth1", "52:54:00:aa:bb:cc")):
            (root / "sys/class/net" / name / "device").mkdir(parents=True)
            (root / "sys/class/net" / name / "address").write_text(f"{mac}\n")
        (root / "resolv.conf").write_text("nameserver 10.88.0.1\n")
        (root / "partitions").write_text(" 253 0 1 vda\n 253 1 1 vda1\n 253 2 1 vda2\n 253 16 1 vdb\n 253 17 1 vdb1\n")
        (root / "mounts").write_text("")

    def run(self, script: str, status: int = 0) -> tuple[int, list[str]]:
        places = {
            "/run/": f"{self.root}/run/", "/sys/": f"{self.root}/sys/", "/var/log/": f"{self.root}/log/",
            "/proc/partitions": f"{self.root}/partitions", "/proc/mounts": f"{self.root}/mounts",
            "cp /etc/resolv.conf": f"cp {self.root}/resolv.conf", "target=/mnt": f"target={self.root}/mnt",
        }  # fmt: skip
        for old, new in places.items():
            script = script.replace(old, new)
        log = self.root / "log/log"
        log.write_text("")
        (self.root / "log/provd.log").write_text("said\n")
        env = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "LOG": str(log), "STATUS": str(status)}
        # as in Alpine: programs of the path before what busybox has inside
        text = "sleep() { command sleep 0.01; }\n" + script
        done = subprocess.run(["dash"], input=text.encode(), env=env, capture_output=True, check=False, timeout=60)
        assert b"not found" not in done.stderr, done.stderr
        return done.returncode, log.read_text().replace(str(self.root), "").splitlines()
