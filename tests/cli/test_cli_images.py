"""`provd image`: what it finds, what it refuses, without building anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def provd(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with a configuration whose data lies in ``folder``."""
    config = folder / "provd.toml"
    config.write_text('data_dir = "data"\n')
    command = [sys.executable, "-m", "provd", "--config", str(config), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_list_of_no_images_is_an_empty_list(tmp_path: Path) -> None:
    done = provd(tmp_path, "image", "disks", "-o", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty"), (b"not an image" * 100, "not a disk image"), (bytes(1 << 20), "partition table")],
    ids=["empty", "text", "zeros"],
)
def test_a_file_that_is_no_image_is_refused_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "file.raw").write_bytes(content)
    done = provd(tmp_path, "image", "import", str(tmp_path / "file.raw"))
    assert done.returncode == 1
    assert sentence in done.stderr.splitlines()[-1], done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data" / "image" / "file").exists()


def test_an_unknown_recipe_names_the_known_ones(tmp_path: Path) -> None:
    done = provd(tmp_path, "image", "build", "nosuch")
    assert done.returncode == 1
    assert "debian-12" in done.stderr


@pytest.mark.parametrize("command", ["build", "import"])
def test_a_directory_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path, command: str) -> None:
    """As an ordinary user's, who may not write to the service's."""
    (tmp_path / "data").touch()
    (tmp_path / "file.raw").write_bytes(bytes(510) + b"\x55\xaa" + bytes(1 << 20))
    done = provd(tmp_path, "image", command, "debian-12" if command == "build" else str(tmp_path / "file.raw"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"Error: {tmp_path}/data/image: Not a directory" in done.stderr
