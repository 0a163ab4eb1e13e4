"""What ships fits together: the default list of plugins, the distros and the profiles."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from provd.config.catalogue import Catalogue
from provd.config.layers import Layer, layers
from provd.config.schema import DEFAULT_PLUGINS
from provd.model.system import System
from provd.shipped import shipped_root

ROOT = Path(__file__).parents[2]


def test_every_plugin_of_the_default_list_ships() -> None:
    folder = ROOT / "plugins"
    ships = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert set(DEFAULT_PLUGINS) <= ships


def test_what_ships_is_found_from_a_checkout() -> None:
    assert shipped_root() == ROOT


def test_shipped_distros_and_profiles_have_no_fault() -> None:
    catalogue = Catalogue.load(layers((), str(ROOT / "nowhere")))
    assert catalogue.problems == ()
    assert catalogue.profiles
    for name in catalogue.profiles:
        assert catalogue.resolve(System("one", name)).origins["distro"].level == "profile"


def test_an_installed_package_brings_objects_without_being_run(tmp_path: Path) -> None:
    """The entry point's package is only located; importing it would raise."""
    package = tmp_path / "example_objects"
    (package / "distros").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    (package / "distros" / "example-1.toml").write_text('family = "debian"\n')
    (package / "profiles").mkdir()
    (package / "profiles" / "example-1.toml").write_text('distro = "example-1"\n')
    information = tmp_path / "example_objects-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: example-objects\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[provd.catalogue]\nexample = example_objects\n")
    program = (
        "from provd.config.catalogue import Catalogue; from provd.config.layers import layers;"
        "found = layers((), '/nowhere'); c = Catalogue.load(found);"
        "print([layer.name for layer in found], 'example-1' in c.profiles, c.problems)"
    )
    paths = os.pathsep.join((str(tmp_path), str(ROOT), *filter(None, sys.path)))
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == "['shipped', 'package example', 'site'] True ()\n"


def test_the_shipped_layer_can_be_another_directory(tmp_path: Path) -> None:
    assert layers((), "/site", tmp_path)[0] == Layer("shipped", tmp_path)
