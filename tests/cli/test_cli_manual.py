"""A manual page for every command, which groff reads without an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from provd.cli.context import CODES
from tests.cli.test_cli_operations import ALL, ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("man") / "man1"
    told = CliRunner().invoke(ROOT, ["man", str(made)])
    assert told.exit_code == 0, told.output
    assert told.output == f"{len(ALL) + 1} pages in {made}\n"
    return made


def test_every_command_has_a_page(folder: Path) -> None:
    assert {one.name for one in folder.iterdir()} == {"provd.1", *(f"provd-{'-'.join(path)}.1" for path in ALL)}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_a_page_names_every_option_and_an_example(folder: Path, path: tuple[str, ...]) -> None:
    text = (folder / f"provd-{'-'.join(path)}.1").read_text().replace("\\-", "-")
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS", "SEE ALSO"):
        assert f".SH {heading}\n" in text
    for parameter in ALL[path].params:
        if parameter.param_type_name == "option" and not getattr(parameter, "hidden", False):
            assert all(name in text for name in parameter.opts)
    assert all(meaning in text for meaning in CODES.values())


def test_groff_reads_every_page(folder: Path) -> None:
    command = ["groff", "-man", "-Tutf8", "-ww", *map(str, sorted(folder.iterdir()))]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    # A choice of many words is one long word.
    assert [line for line in told.stderr.splitlines() if "can't break line" not in line] == []
    assert "provd system edit --name web1 --profile" in told.stdout


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = CliRunner().invoke(ROOT, ["man", str(tmp_path / "file" / "man1")])
    assert told.exit_code == 1
    assert "Not a directory" in told.stderr
