"""What an import refuses before it begins, so that nobody's files are written over or removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.iso_image import make_iso
from tests.media.site import LAYOUTS, Site, tree


@pytest.mark.parametrize("there", ["data/tree/rocky-9/kept", "data/payload/rocky-9/vmlinuz"])
def test_what_is_there_already_is_neither_written_over_nor_removed(site: Site, tmp_path: Path, there: str) -> None:
    kept = site.root / there
    kept.parent.mkdir(parents=True)
    kept.write_text("somebody's")
    done = site.provd("import", str(tree(tmp_path / "mnt", LAYOUTS["rocky-9"])))
    assert (done.exit_code, site.everything()) == (1, {there})
    assert "is there already: choose another --name" in done.output
    assert kept.read_text() == "somebody's"


def test_another_image_of_the_name_stays(site: Site, tmp_path: Path) -> None:
    kept = site.root / "data/iso/rocky-9.iso"
    kept.parent.mkdir(parents=True)
    kept.write_text("somebody's")
    done = site.provd("import", str(make_iso(tmp_path / "R.iso", LAYOUTS["rocky-9"])))
    assert (done.exit_code, kept.read_text()) == (1, "somebody's")
    assert site.everything() == {"data/iso/rocky-9.iso"}


@pytest.mark.parametrize("name", ["../../out", "a/b", "A b", ".", "x\ny", "-x", "x" * 65])
def test_a_name_that_is_none_is_refused(site: Site, tmp_path: Path, name: str) -> None:
    image = make_iso(tmp_path / "R.iso", LAYOUTS["rocky-9"])
    done = site.provd("import", str(image), f"--name={name}")
    assert (done.exit_code, site.everything()) == (1, set())
    assert done.output.count("\n") == 1
    assert "letters, digits" in done.output


def _out(folder: Path) -> None:
    (folder / "Packages").symlink_to("../outside")


def _absolute(folder: Path) -> None:
    (folder / "Packages").symlink_to(folder / "images")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize(
    ("spoil", "sentence"), [(_out, "leaves the tree"), (_absolute, "leaves the tree"), (_pipe, "is neither a file")]
)
def test_a_tree_that_reaches_outside_is_not_copied(
    site: Site, tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    folder = tree(tmp_path / "mnt", LAYOUTS["rocky-9"])
    tree(tmp_path / "outside", {"secret": b"secret"})
    spoil(folder)
    done = site.provd("import", str(folder))
    assert (done.exit_code, site.everything()) == (1, set())
    assert sentence in done.output
    assert done.output.count("\n") == 1


def test_a_link_inside_of_the_tree_is_copied_as_a_link(site: Site, tmp_path: Path) -> None:
    folder = tree(tmp_path / "mnt", LAYOUTS["debian-12"])
    (folder / "debian").symlink_to(".")
    assert site.provd("import", str(folder), "--name", "lab").exit_code == 0
    assert (site.root / "data/tree/lab/debian").readlink() == Path()


def test_a_tree_is_not_copied_into_itself(site: Site) -> None:
    folder = tree(site.root / "data", LAYOUTS["rocky-9"])
    before = site.everything()
    done = site.provd("import", str(folder))
    assert (done.exit_code, site.everything()) == (1, before)
    assert "which is inside of it" in done.output
