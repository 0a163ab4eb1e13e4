"""Every value inherits from the settings over the distro and all profiles to the system; `!key` takes one away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provd.config.catalogue import Catalogue
from provd.config.errors import ConfigError
from provd.config.inherited import BootTable, Inherited
from provd.config.profiles import settings_level
from provd.config.settings import from_table
from provd.model.system import System
from tests.fakes.catalogue_site import Site, shipped

DEEP = 40
TABLES = ("answers", "vars")


def load(site: Site, before: Catalogue | None = None, **defaults: Any) -> Catalogue:
    file = site.write("provd", "")
    return Catalogue.load(site.layers, before, settings_level(Inherited(**defaults), file))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return shipped(tmp_path)


def chain(site: Site, bottom: str = "") -> str:
    """Profiles that inherit from each other; returns the name of the lowest."""
    for number in range(DEEP):
        above = f'parent = "p{number - 1}"' if number else 'distro = "mine"'
        site.write(f"site/profiles/p{number}", f"{above}\n{bottom if number == DEEP - 1 else ''}")
    return f"p{DEEP - 1}"


@pytest.mark.parametrize("table", TABLES)
def test_tables_merge_over_all_levels_and_a_mark_removes(site: Site, table: str) -> None:
    site.write("site/distros/mine", f'[{table}]\nb = "distro"\nc = "distro"\nd.x = 1\ngone1 = 1\n"!gone0" = 1\n')
    lowest = chain(site, f'[{table}]\nc = "profile"\ne = "profile"\nd.y = 2\n"!gone1" = true\n')
    defaults: dict[str, Any] = {table: {"a": "settings", "b": "settings", "gone0": 1, "gone2": 1}}
    catalogue = load(site, **defaults)
    assert catalogue.problems == ()
    profile = catalogue.resolve(System("one", lowest, **{table: {"e": "system", "!gone2": True}}))  # type: ignore[arg-type]
    assert getattr(profile, table) == {
        "a": "settings", "b": "distro", "c": "profile", "d": {"x": 1, "y": 2}, "e": "system",
    }  # fmt: skip
    origins = {key: str(origin).replace(f"{site.root}/", "") for key, origin in profile.origins.items()}
    assert origins[f"{table}.a"] == f"settings defaults (provd.toml: defaults.{table}.a)"
    assert origins[f"{table}.b"] == f"distro mine (site/distros/mine.toml: {table}.b)"
    assert origins[f"{table}.d.y"] == f"profile p39 (site/profiles/p39.toml: {table}.d.y)"
    assert origins[f"{table}.e"] == "system one"


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("installer", ("i0", "i1", "i2", "i3")),
        ("source", ("http://0/", "http://1/", "http://2/", "http://3/")),
        ("boot_loaders", (("b0",), ("b1",), ("b2", "b3"), ("b4",))),
        ("owners", (("o0",), ("o1",), ("o2",), None)),
        ("menu", ("m0", "m1", "m2", None)),
    ],
)
def test_single_values_are_those_of_the_nearest_level(site: Site, key: str, values: tuple[Any, ...]) -> None:
    def text(value: Any) -> str:
        return f"{key} = {list(value) if isinstance(value, tuple) else repr(value)}\n".replace("'", '"')

    for number in range(3):
        site.write(f"site/menus/m{number}", "")
    settings, distro, profile, system = values
    site.write("site/distros/mine", "")
    lowest = chain(site)
    one = System("one", lowest)
    catalogue = load(site, **{key: settings})
    assert getattr(catalogue.resolve(one), key) == settings
    site.write("site/distros/mine", text(distro))
    catalogue = load(site, catalogue, **{key: settings})
    assert getattr(catalogue.resolve(one), key) == distro
    site.write("site/profiles/p7", f'parent = "p6"\n{text(profile)}')
    catalogue = load(site, catalogue, **{key: settings})
    assert getattr(catalogue.resolve(one), key) == profile
    if system is not None:
        resolved = catalogue.resolve(replace(one, **{key: system}))
        assert getattr(resolved, key) == system
        assert str(resolved.origins[key]) == "system one"


def test_templates_and_loader_settings_reach_the_system(site: Site) -> None:
    site.write("site/distros/mine", '[templates]\nb = "distro.j2"\n[loader.grub_efi]\nb = 1\n')
    lowest = chain(site)
    catalogue = load(site, templates={"a": "settings.j2"}, loader={"grub_efi": {"a": 0}})
    system = System("one", lowest, templates={"c": "system.j2"}, loader={"grub_efi": {"c": 2}})
    profile = catalogue.resolve(system)
    assert profile.templates == {"a": "settings.j2", "b": "distro.j2", "c": "system.j2"}
    assert profile.loader == {"grub_efi": {"a": 0, "b": 1, "c": 2}}


def test_arguments_options_policy_and_repos_inherit_from_the_settings(site: Site) -> None:
    site.write("site/repos/r", 'url = "http://r/"\n')
    site.write("site/distros/mine", 'kernel_args = ["!quiet", "distro"]\n[options]\ntftp-server-name = "d"\n')
    lowest = chain(site)
    settings: dict[str, Any] = {
        "kernel_args": ("quiet", "first"),
        "options": {"tftp-server-name": "s", "domain-name": "s"},
        "repos": ("r",),
    }
    profile = load(site, **settings).resolve(System("one", lowest, kernel_args=("!first", "last")))
    assert profile.kernel_args == ("distro", "last")
    assert profile.options == {"tftp-server-name": "d", "domain-name": "s"}
    assert [repo.url for repo in profile.repos] == ["http://r/"]


def test_the_boot_policy_inherits_from_settings_to_distro_to_profile_to_system(site: Site) -> None:
    site.write("site/distros/mine", '[boot]\npolicy = "until-finished"\n')
    lowest = chain(site)
    settings: dict[str, Any] = {"boot": BootTable(policy="always", max_attempts=5)}
    catalogue = load(site, **settings)
    profile = catalogue.resolve(System("one", lowest))
    assert (profile.boot.policy, profile.boot.max_attempts) == ("until-finished", 5)
    assert str(profile.origins["boot.policy"]).startswith("distro mine")
    assert str(profile.origins["boot.max_attempts"]).startswith("settings")
    own = catalogue.resolve(System("one", lowest, policy="once", max_attempts=1))
    assert (own.boot.policy, own.boot.max_attempts) == ("once", 1)
    assert {str(own.origins[f"boot.{key}"]) for key in ("policy", "max_attempts")} == {"system one"}
    site.write("site/profiles/p0", 'distro = "mine"\n[boot]\npolicy = "never"\n')
    assert load(site, **settings).resolve(System("one", "p0")).boot.policy == "never"


def test_changed_defaults_change_every_profile_and_equal_ones_none(site: Site) -> None:
    site.write("site/distros/mine", "")
    lowest = chain(site)
    first = load(site, vars={"a": 1})
    same = load(site, first, vars={"a": 1})
    assert same.profiles[lowest] is first.profiles[lowest]
    assert load(site, same, vars={"a": 2}).profiles[lowest].vars == {"a": 2}
    assert same.revised({("profiles", "new"): b'parent = "p0"\n'}).profiles["new"].vars == {"a": 1}


@pytest.mark.parametrize(
    ("defaults", "key"),
    [
        ({"templates": {"x": "../x"}}, "defaults.templates.x"),
        ({"options": {"no-such": 1}}, "defaults.options.no-such"),
        ({"colour": "red"}, "defaults.colour"),
        ({"answers": {"bind": "x"}}, "defaults.answers.bind"),
    ],
)
def test_wrong_defaults_stop_the_start_with_their_key(tmp_path: Path, defaults: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_table({"defaults": defaults}, tmp_path / "provd.toml")
    assert caught.value.key == key
