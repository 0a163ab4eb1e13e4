"""Every shipped profile on every shipped distro of its family: rendered with awkward values, judged by the family's judge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from plugins import installer_agama, installer_autoyast, installer_ignition, installer_kickstart, installer_preseed
from plugins.installer_alpine import Alpine
from plugins.installer_autoinstall import Autoinstall, AutoinstallSettings
from plugins.installer_image import ImageInstaller, ImageSettings
from provd.config.catalogue import Catalogue
from provd.config.layers import Layer
from provd.model.system import Link
from provd.plugin.api import Installer, Interface, Location, LogSettings, Profile
from provd.testing.documents import documents
from provd.testing.samples import MAC, plan
from tests.fakes.installers import installer_of

ROOT = Path(__file__).parents[2]
HOST = "a-very-long-host-name-of-sixty-three-octets-in-its-first-label1.rack-7.example.net"
BREAKING_OUT = (
    "cat > /root/x << 'END'\n%end\n]]>\nEOF\nPROVD_NETWORK\n- {a: [\n{{ '{{' }} x\n\\\nEND\nd-i x/y string z\n"
)
"""A command with what ends a text in one of the languages that answers are written in."""
PORTABLE: Mapping[str, object] = {
    "locale": "de_DE.UTF-8",
    "keyboard": "de",
    "timezone": "America/Argentina/Buenos_Aires",
    "ntp": "10.88.0.1",
    "proxy": "http://10.88.0.1:3128",
    "packages": ["vim", "rsync"],
    "package_update": True,
    "network": "static",
    "disk": "size>=20G",
    "installed_kernel_args": "console=ttyS0,115200n8 quiet",
    "root_password_hash": "$6$salt$hash",
    "root_ssh_keys": ['ssh-ed25519 AAAA root\'s "key"'],
    "post_install": ["echo 'a \"b\" $c' > /root/ünïcode", "true # 100 %", BREAKING_OUT],
    "users": [
        {
            "name": "zoe",
            "gecos": 'Zoë O\'Neill "Z" #1',
            "groups": ["adm"],
            "sudo": True,
            "ssh_keys": ["ssh-rsa AA z@h"],
        },
        {"name": "bob", "password_hash": "$6$a.b/c$d", "shell": "/bin/sh"},
    ],
}
"""One set of answers; nothing in it belongs to one family."""


CARDS = tuple(Interface(f"eth{at}", replace(MAC, octets=bytes((*MAC.octets[:5], 0xCC + at)))) for at in range(3))
LINKS = (
    Link("br0", "bridge", ("eth2",), options={"stp": False}),
    Link("lan7", "vlan", ("bond0",), 7, vars={"prefix": 28}, address=IPv4Address("10.99.0.5")),
    Link("bond0", "bond", ("eth0", "eth1"), options={"mode": "802.3ad", "mii-monitor-interval": 100}),
)
"""What is beneath stands last; the VLAN's address is of another network."""


REFUSED: Mapping[str, tuple[str, ...]] = {"flatcar": ("packages",)}
"""Answers that a family cannot fulfil and says so in one sentence."""


@cache
def catalogue() -> Catalogue:
    return Catalogue.load([Layer("shipped", ROOT), Layer("site", ROOT / "no-such-site")])


@cache
def installers() -> Mapping[str, Installer]:
    registered = (
        *(
            installer_of(plugin.PLUGIN)
            for plugin in (
                installer_kickstart,
                installer_preseed,
                installer_autoyast,
                installer_agama,
                installer_ignition,
            )
        ),
        *Autoinstall(AutoinstallSettings()).provd_installers(),
        *Alpine(LogSettings()).provd_installers(),
        *ImageInstaller(ImageSettings()).provd_installers(),
    )
    return {one.name: one for one in registered}


def distinct(distro: str) -> list[Profile]:
    """Shipped profiles of the distro's installer, moved to it; one for each set of answers, since a judge takes a second."""
    known = catalogue()
    moved = {
        str(sorted(profile.answers.items())): replace(profile, distro=known.distros[distro])
        for profile in known.profiles.values()
        if profile.distro.installer == known.distros[distro].installer
    }
    return list(moved.values())


def moved(profile: Profile, answers: Mapping[str, object]) -> Profile:
    """The profile with these answers over its own, and a source."""
    return replace(profile, source="http://10.88.0.1/x.img", answers={**profile.answers, **answers})


def judged(profile: Profile, answers: Mapping[str, object], **of_system: object) -> list[str]:
    """What the judge of this profile's installer says about its documents."""
    installer = installers()[profile.distro.installer]
    whole = replace(profile, answers={**profile.answers, **answers})
    made = plan(profile=whole, location=Location("http", "10.88.0.1", "/mirror/x y", 8080))
    assert made.system is not None
    named = replace(made, system=replace(made.system, hostname=HOST, **of_system))  # type: ignore[arg-type]
    texts = documents(installer, named, **whole.answers)
    assert HOST.partition(".")[0] in "".join(texts.values())
    return [f"{finding.level}: {finding.document}: {finding.text}" for finding in installer.lint(texts, whole)]


INSTALLED = sorted(name for name, distro in catalogue().distros.items() if distro.installer != "plain")


@pytest.mark.parametrize("distro", INSTALLED)
def test_row34_one_set_of_answers_passes_the_judge_of_every_distro(distro: str) -> None:
    """The move between families is the distro's line alone."""
    profile = replace(catalogue().profiles[f"{distro}-minimal"], name="site", answers={})
    refused = REFUSED.get(profile.distro.family, ())
    for key in refused:
        with pytest.raises(ValueError, match=rf"^profile site: {distro} .*answers\.{key} must be empty; [^.]*$"):
            judged(profile, PORTABLE)
        assert f"answers.{key} must be empty" in installers()[profile.distro.installer].ready(moved(profile, PORTABLE))
    assert judged(profile, {key: value for key, value in PORTABLE.items() if key not in refused}) == []


@pytest.mark.parametrize("distro", INSTALLED)
def test_one_network_passes_the_judge_of_every_distro(distro: str) -> None:
    """A bond with a VLAN on it, and a bridge; older Kickstart has no words for them and says so in one sentence."""
    profile = replace(catalogue().profiles[f"{distro}-minimal"], name="site", answers={})
    answers = {"network": "static", "root_ssh_keys": ["ssh-ed25519 AAAA k"]}
    if distro == "centos-6":
        with pytest.raises(ValueError, match=r"^link br0: Kickstart of version 6 has no place for a bridge$"):
            judged(profile, answers, interfaces=CARDS, links=LINKS)
        return
    assert judged(profile, answers, interfaces=CARDS, links=LINKS) == []


@pytest.mark.parametrize("distro", INSTALLED)
def test_row34_shipped_profiles_pass_on_every_distro_of_their_family(distro: str) -> None:
    way_in = {"root_ssh_keys": ["ssh-ed25519 AAAA k"]}
    assert {profile.name: judged(profile, way_in) for profile in distinct(distro)} == {
        profile.name: [] for profile in distinct(distro)
    }


@pytest.mark.parametrize("distro", ["alpine-3.22", "fedora-coreos-43", "flatcar-4459"])
def test_row34_a_shipped_profile_of_another_family_moves_or_is_refused_in_one_sentence(distro: str) -> None:
    known = catalogue()
    for profile in known.profiles.values():
        there = replace(profile, distro=known.distros[distro], installer="")
        sentence = installers()[there.distro.installer].ready(moved(there, {}))
        if not sentence:
            assert judged(there, {"root_ssh_keys": ["ssh-ed25519 AAAA k"]}) == []
            continue
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            judged(there, {})
        assert re.fullmatch(rf"profile {profile.name}: {distro} has [^.]+\.packages[^.]*", sentence), sentence
        assert profile.answers["packages"]
