"""What `provd check` says of the machine it runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.cli.machine_remarks import machine_remarks
from provd.cli.preflight import preflight
from provd.config.settings import load


def told(tmp_path: Path, text: str) -> list[str]:
    config = tmp_path / "provd.toml"
    config.write_text(text)
    return list(machine_remarks(load(config)))


def test_a_user_that_is_not_there_is_told(tmp_path: Path) -> None:
    (sentence,) = told(tmp_path, f'user = "nobody-of-this-name"\ndata_dir = "{tmp_path}"\n')
    assert sentence.startswith("user 'nobody-of-this-name' does not exist on this machine")


def test_a_user_that_is_there_and_a_directory_that_can_be_made_are_not(tmp_path: Path) -> None:
    assert told(tmp_path, f'user = "root"\ndata_dir = "{tmp_path}/new/data"\n') == []
    assert told(tmp_path, f'user = ""\ndata_dir = "{tmp_path}"\n') == []


@pytest.mark.parametrize("below", ["", "/data"])
def test_a_file_in_the_place_of_the_directory_is_told(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    (sentence,) = told(tmp_path, f'user = ""\ndata_dir = "{tmp_path}/file{below}"\n')
    assert sentence == f"data_dir {tmp_path}/file{below} cannot be a directory here: {tmp_path}/file is none"


def test_check_tells_both(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = tmp_path / "provd.toml"
    config.write_text(f'user = "nobody-of-this-name"\ndata_dir = "{tmp_path}/file"\nsite_dir = "{tmp_path}/site"\n')
    said = [remark for remark in preflight(config) if remark.level == "warning"]
    assert {"user", "data_dir"} <= {remark.text.split()[0] for remark in said}
