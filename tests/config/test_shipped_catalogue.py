"""The distros and profiles that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.config.catalogue import Catalogue
from provd.config.layers import Layer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return Catalogue.load([Layer("shipped", ROOT), Layer("site", ROOT / "no-such-site")])


def test_nothing_is_left_out(shipped: Catalogue) -> None:
    assert shipped.problems == ()
    assert set(shipped.distros) >= {"centos-6", "debian-12", "debian-12-image", "rocky-9"}


def test_every_distro_has_two_profiles(shipped: Catalogue) -> None:
    for name, distro in shipped.distros.items():
        wanted = {name} if distro.installer == "plain" else {f"{name}-minimal", f"{name}-server"}
        assert wanted <= set(shipped.profiles)


def test_nobody_can_log_in_by_default(shipped: Catalogue) -> None:
    for profile in shipped.profiles.values():
        if profile.distro.installer == "plain":
            continue
        assert not profile.answers["users"]
        assert not profile.answers["root_password_hash"]
        assert not profile.answers["root_ssh_keys"]


def test_local_boot_ends_with_the_removable_path(shipped: Catalogue) -> None:
    for distro in shipped.distros.values():
        removable = {"x86_64": "/EFI/BOOT/BOOTX64.EFI", "aarch64": "/EFI/BOOT/BOOTAA64.EFI"}
        assert distro.efi_loaders[-1] == removable[distro.arch]


def test_trees_name_mirrors_of_the_site(shipped: Catalogue) -> None:
    trees = {name: distro.tree for name, distro in shipped.distros.items() if distro.tree}
    shown = {name: trees[name] for name in ("centos-6", "debian-12", "rocky-9")}
    assert shown == {
        "centos-6": "mirror:centos/6.10/os/x86_64",
        "debian-12": "mirror:debian",
        "rocky-9": "mirror:rocky/9/BaseOS/x86_64/os",
    }
