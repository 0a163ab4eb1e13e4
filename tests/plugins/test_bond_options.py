"""Options of a bond by the kernel's names and by netplan's come to the same in every family, in the words it reads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from provd.model.system import Link
from provd.plugin.api import Location
from provd.testing.documents import documents
from provd.testing.samples import plan
from tests.plugins.test_shipped_answers import CARDS, catalogue, installers

KERNEL: dict[str, object] = {"mode": 1, "miimon": 50, "updelay": 100, "primary": "eth1", "primary_reselect": "better"}
NETPLAN: dict[str, object] = {
    "mode": "active-backup", "mii-monitor-interval": 50, "up-delay": 100, "primary": "eth1",
    "primary-reselect-policy": "better",
}  # fmt: skip
TEAM = r"miimon=50 updelay=100 primary=eth1 primary_reselect=better"
WORDS = {
    "rocky-9": r"--bondopts=mode=active-backup,miimon=50,updelay=100,primary=@[0-9a-f:]+@,primary_reselect=better",
    "debian-12": r"type bond mode active-backup miimon 50 updelay 100 primary @[0-9a-f:]+@ primary_reselect better\n",
    "ubuntu-24.04": r'"mii-monitor-interval": 50,\s+"up-delay": 100,\s+"primary": "eth1",\s+"primary-reselect-policy"',
    "sles-15": rf"mode=active-backup {TEAM}<",
    "sles-16": rf'"options": "{TEAM}"',
    "alpine-3.22": r"bond-miimon 50\n\s+bond-updelay 100\n\s+bond-primary @?[0-9a-f:]+@?\n\s+bond-primary_reselect better",
    "fedora-coreos-43": r"mode%3Dactive-backup%0Amiimon%3D50%0Aupdelay%3D100%0Aprimary%3Deth1%0Aprimary_reselect%3Dbetter",
    "flatcar-4459": r"MIIMonitorSec%3D50ms%0AUpDelaySec%3D100ms%0APrimaryReselectPolicy%3Dbetter",
    "debian-12-image": r'"mii-monitor-interval": 50, "up-delay": 100, "primary": "nic1", "primary-reselect-policy": "bet',
}


def rendered(distro: str, options: dict[str, object]) -> str:
    """Every document of a machine with a bond of two cards, as one text."""
    profile = replace(catalogue().profiles[f"{distro}-minimal"], name="site")
    made = plan(profile=profile, location=Location("http", "10.88.0.1", "/mirror/x", 8080))
    assert made.system is not None
    links = (Link("bond0", "bond", ("eth0", "eth1"), options=options),)
    bonded = replace(made, system=replace(made.system, interfaces=CARDS, links=links))
    return "\n".join(documents(installers()[profile.distro.installer], bonded, **profile.answers).values())


@pytest.mark.parametrize("distro", WORDS)
def test_both_languages_come_to_the_words_of_the_family(distro: str) -> None:
    text = rendered(distro, KERNEL)
    assert text == rendered(distro, NETPLAN)
    assert re.search(WORDS[distro], text), text


def test_the_primary_member_is_said_at_the_card_where_networkd_wants_it() -> None:
    text = rendered("flatcar-4459", KERNEL)
    assert text.count("PrimarySlave%3Dtrue") == 1


@pytest.mark.parametrize("distro", WORDS)
@pytest.mark.parametrize("kind", ["bond", "bridge"])
def test_an_option_that_is_none_is_refused_by_every_family(distro: str, kind: str) -> None:
    profile = replace(catalogue().profiles[f"{distro}-minimal"], name="site")
    made = plan(profile=profile, location=Location("http", "10.88.0.1", "/mirror/x", 8080))
    assert made.system is not None
    odd = replace(made.system, interfaces=CARDS, links=(Link("b0", kind, ("eth0",), options={"colour": 1}),))
    with pytest.raises(ValueError, match=f"^link b0: option 'colour' of a {kind} is not "):
        documents(installers()[profile.distro.installer], replace(made, system=odd), **profile.answers)
