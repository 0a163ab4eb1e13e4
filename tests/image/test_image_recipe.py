from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from provd.image import requirements
from provd.image.errors import ImageError
from provd.image.packages import mirror_sources, run
from provd.image.progress import part
from provd.image.recipe import RECIPES, TEMPLATE, AptSource, find_recipe
from provd.image.requirements import DEBIAN_PACKAGES, require, tool

SOURCES = mirror_sources("http://mirror.example/debian/", "bookworm", "http://mirror.example/debian-security")


def test_sources_of_a_mirror() -> None:
    assert [source.line() for source in SOURCES] == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian bookworm-updates main",
        "deb http://mirror.example/debian-security bookworm-security main",
    ]


def test_a_recipe_is_known_by_what_it_contains() -> None:
    recipe = find_recipe("debian-12")
    key = recipe.key(SOURCES)
    assert re.fullmatch(r"[0-9a-f]{16}", key)
    assert key == find_recipe("debian-12").key(SOURCES)
    changed = [
        replace(recipe, packages=("vim",)).key(SOURCES),
        recipe.key((AptSource("http://other.example/debian", "bookworm"),)),
        find_recipe("debian-12-cloud").key(SOURCES),
    ]
    assert len({key, *changed}) == 4


def test_unknown_recipes_are_named_with_the_known_ones() -> None:
    with pytest.raises(ImageError, match="image 'debian-99' cannot be built, only debian-12, debian-12-cloud; other"):
        find_recipe("debian-99")
    assert set(RECIPES) == {recipe.name for recipe in RECIPES.values()}


def test_the_image_holds_no_address_of_a_mirror() -> None:
    for path in (item for item in TEMPLATE.rglob("*") if item.is_file()):
        assert "http" not in path.read_text(), path


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(requirements, "_SBIN", ())
    with pytest.raises(ImageError, match=r"^mmdebstrap is not installed: apt-get install mmdebstrap$"):
        tool("mmdebstrap")
    with pytest.raises(ImageError, match=r"^mmd, mcopy, zstd not installed: apt-get install mtools zstd$"):
        require("mmd", "mcopy", "zstd")


def test_every_program_has_a_package_to_install() -> None:
    assert set(requirements.PACKAGE_OF_TOOL.values()) <= set(DEBIAN_PACKAGES)


def test_a_failed_program_gives_its_last_line() -> None:
    with pytest.raises(ImageError, match=r"^unpacking: second$"):
        run(["sh", "-c", "echo first >&2; echo second >&2; exit 3"], "unpacking")


def test_progress_of_a_part_stays_inside_it() -> None:
    seen: list[tuple[str, float]] = []
    report = part(lambda text, share: seen.append((text, share)), 0.5, 0.75)
    for share in (0.0, 0.5, 2.0):
        report("x", share)
    assert seen == [("x", 0.5), ("x", 0.625), ("x", 0.75)]
