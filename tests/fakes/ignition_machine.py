"""Machines of Fedora CoreOS and Flatcar, and the Ignition files they get."""

from __future__ import annotations

import json
from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from plugins.installer_ignition import PLUGIN
from plugins.installer_ignition.judge import judged
from provd.plugin.api import Answer, BootPlan, Installer, Location, Profile
from provd.plugin.templates import Templates
from provd.testing.documents import documents, variables
from provd.testing.samples import DISTRO, plan, profile
from tests.fakes.installers import installer_of

ADA = {
    "name": "ada",
    "gecos": 'Ada O\'L "x" \u00fc',
    "groups": ["adm"],
    "sudo": True,
    "ssh_keys": ["ssh-ed25519 AAAA a@b"],
}
BOB = {"name": "b.ob", "sudo": True, "password_hash": "$6$salt$hash", "shell": "/bin/sh"}
ROOTFS = Location("http", "10.88.0.1", "/tree/fcos/rootfs.img", 8080)
RELEASE = Location("http", "10.88.0.1", "/mirror/flatcar/amd64-usr/4459.2.1", 8080)
NM = "/etc/NetworkManager/system-connections"


def installer() -> Installer:
    return installer_of(PLUGIN)


def of(family: str, **answers: object) -> Profile:
    name = "fedora-coreos-43" if family == "coreos" else "flatcar-4459"
    distro = replace(DISTRO, name=name, family=family, version=name.rpartition("-")[2], installer="ignition")
    tree = "mirror:f/rootfs.img" if family == "coreos" else "mirror:f/amd64-usr/4459.2.1"
    return replace(profile(), distro=replace(distro, tree=tree), answers=answers)


def machine(family: str = "coreos", **answers: object) -> BootPlan:
    return plan(profile=of(family, **answers), location=ROOTFS if family == "coreos" else RELEASE)


def texts(family: str = "coreos", **answers: object) -> dict[str, str]:
    return documents(installer(), machine(family, **answers), **answers)


def made(family: str = "coreos", **answers: object) -> dict[str, Any]:
    found = json.loads(texts(family, **answers)["config.ign"])
    assert isinstance(found, dict)
    return found


def changed(family: str, **values: object) -> dict[str, str]:
    """Files of a machine whose variables are changed in these places; they pass the judge."""
    one = installer()
    assert one.templates is not None
    seen: Mapping[str, object] = {**variables(one, machine(family), {}), **values}
    templates = Templates([one.templates], clock=lambda: 0.0)
    text = one.documents["config.ign"].render(Answer(machine(family), seen, lambda name: templates.render(name, seen)))
    assert list(judged("config.ign", text)) == []
    return files(json.loads(text))


def files(config: Mapping[str, Any]) -> dict[str, str]:
    """Texts of the files by path, as Ignition writes them."""
    written = config["storage"]["files"]
    sources = {one["path"]: one.get("contents", {}).get("source") or one["append"][0]["source"] for one in written}
    return {path: unquote(source.removeprefix("data:,")) for path, source in sources.items()}


def card(name: str, mac: str, address: str = "") -> dict[str, object]:
    return {
        "name": name, "mac": mac, "address": address, "netmask": "255.255.255.0", "prefix": 24 if address else 0,
        "gateway": "10.88.0.1" if address else "", "dns": ["10.88.0.1"] if address else [], "domain": "lab.example", "vars": {},
    }  # fmt: skip


def link(name: str, kind: str, members: list[str], **more: object) -> dict[str, object]:
    return {"name": name, "kind": kind, "members": members, "vlan": 0, "address": "", "options": {}, "vars": {}, **more}


FIRST, SECOND = card("eth0", "52:54:00:aa:bb:cc", "10.88.0.133"), card("eth1", "52:54:00:aa:bb:dd")
BONDED = [
    link("bond0", "bond", ["eth0", "eth1"], options={"mode": "802.3ad", "miimon": 100}, address="10.88.0.9"),
    link("bond0.7", "vlan", ["bond0"], vlan=7, address="10.7.0.5"),
    link("br0", "bridge", ["bond0.7"], options={"stp": False}),
]


def keyfile(text: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser
