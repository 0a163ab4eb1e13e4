"""The page about installer families: its tables and examples are what ships."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plugins.installer_ignition import PLUGIN
from provd.config.catalogue import Catalogue
from provd.config.layers import Layer
from provd.config.systems import check_systems
from provd.core.link_addresses import lost_address
from provd.testing.documents import documents
from provd.testing.samples import plan
from tests.docs.pages import ROOT, blocks
from tests.fakes.installers import installer_of

PAGE = ROOT / "docs" / "families.md"


def test_its_toml_is_a_profile_that_passes_the_judge(tmp_path: Path) -> None:
    head, bonded, ignition = blocks(PAGE, "toml")
    (tmp_path / "profiles").mkdir()
    text = f'{head}\n[answers]\nroot_ssh_keys = ["ssh-ed25519 AAAA k"]\n{ignition}'
    (tmp_path / "profiles/site.toml").write_text(text)
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems/db1.toml").write_text(f'profile = "site"\nanswers.network = "static"\n{bonded}')
    catalogue = Catalogue.load([Layer("shipped", ROOT), Layer("site", tmp_path)])
    assert catalogue.problems == ()
    assert check_systems(tuple(catalogue.systems.values()), catalogue.profiles, None) == ()
    system = catalogue.systems["db1"]
    assert lost_address(system, "static") == ""
    assert lost_address(replace(system, links=(replace(system.links[0], address=None),)), "static")
    profile = catalogue.profiles["site"]
    installer = installer_of(PLUGIN)
    made = documents(installer, replace(plan(), profile=profile), **profile.answers)
    assert '"/dev/disk/by-partlabel/var"' in made["config.ign"]
    assert list(installer.lint(made, profile)) == []


def test_its_table_names_every_distro_of_its_families_that_ships() -> None:
    rows: dict[str, str] = {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("| `") and "installer_" in line:
            family = line.split("`")[1]
            rows[family] = rows.get(family, "") + line
    catalogue = Catalogue.load([Layer("shipped", ROOT)])
    ships = {family: {d.version for d in catalogue.distros.values() if d.family == family} for family in rows}
    for family, versions in ships.items():
        assert versions
        assert all(version in rows[family] for version in versions), family
