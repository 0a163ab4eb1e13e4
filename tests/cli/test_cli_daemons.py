"""``provd daemon``: what plugins want beside provd, its configuration, and becoming it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.cli.main import build_cli

CONFIG = """\
data_dir = "data"
site_dir = "site"
enabled = ["source_nfs"]
[plugins.source_nfs]
program = "{program}"
state_dir = "{folder}/state"
[plugins.source_nfs.exports]
rocky-9 = "/srv/rocky-9"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    program = tmp_path / "ganesha"
    program.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    program.chmod(0o755)
    path = tmp_path / "provd.toml"
    path.write_text(CONFIG.format(program=program, folder=tmp_path))
    return path


def provd(*words: str) -> Result:
    return CliRunner().invoke(build_cli(lambda _path: 0), ["daemon", *words])


def test_what_plugins_want_is_listed(config: Path) -> None:
    [row] = json.loads(provd("list", "--config", str(config), "-o", "json").output)
    assert (row["name"], row["program"]) == ("nfs", str(config.parent / "ganesha"))
    assert "read only" in row["summary"]


def test_the_configuration_is_printed_or_written(config: Path) -> None:
    printed = provd("config", "nfs", "--config", str(config)).output
    assert printed.startswith("# ganesha.conf\nNFS_CORE_PARAM {\n")
    folder = config.parent / "run"
    assert provd("config", "nfs", "--write", "--folder", str(folder), "--config", str(config)).output == ""
    assert printed.endswith((folder / "ganesha.conf").read_text())
    assert (config.parent / "state").is_dir()
    assert [path.name for path in folder.iterdir()] == ["ganesha.conf"]


def test_it_becomes_the_program(config: Path) -> None:
    folder = config.parent / "run"
    words = ["daemon", "run", "nfs", "--config", str(config), "--folder", str(folder)]
    done = subprocess.run([sys.executable, "-m", "provd", *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == f"-F -L STDERR -f {folder}/ganesha.conf -p {folder}/ganesha.pid\n"


@pytest.mark.parametrize(
    ("words", "change", "sentence"),
    [
        (["run", "smb"], "", "no enabled plugin wants a daemon 'smb' with its settings; known: nfs"),
        (["run", "nfs"], "ganesha", "/none: No such file or directory"),
    ],
)
def test_what_cannot_be_is_one_sentence(config: Path, words: list[str], change: str, sentence: str) -> None:
    text = config.read_text()
    if change:
        text = text.replace(f"{config.parent}/ganesha", "/none")
    config.write_text(text)
    done = provd(*words, "--config", str(config), "--folder", str(config.parent / "run"))
    assert done.exit_code == 1
    assert sentence in done.output
    assert done.output.count("\n") == 1


def test_a_plugin_that_is_off_is_told_and_brings_no_daemon(config: Path) -> None:
    config.write_text(config.read_text().replace('["source_nfs"]', '["source_smb"]'))
    done = provd("list", "--config", str(config))
    assert done.exit_code == 0
    assert "provd: plugin source_smb: it is enabled, but nobody provides it" in done.output
    assert "nfs  " not in done.output


@pytest.mark.parametrize("words", [["migrate", "cobbler", "."], ["demo"], ["daemon", "list"]])
def test_what_works_on_this_machine_is_refused_with_a_server(words: list[str]) -> None:
    done = CliRunner().invoke(build_cli(lambda _path: 0), ["--server", "prod", *words])
    assert done.exit_code == 2
    assert "works on this machine; it cannot be done at --server prod" in done.output
