"""``provd plugin new`` and ``provd plugin check``: packages that keep the rules from their first minute."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from provd.cli.main import build_cli
from provd.cli.plugins import KINDS as OFFERED
from provd.config import toml
from provd.scaffold import KINDS, ScaffoldError, write
from provd.testing import examined
from provd.testing.command import check

CLI = build_cli(lambda _config: 0, above={"plugin": (check,)})


def provd(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(CLI, ["plugin", *words])
    return result.exit_code, result.output


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_keeps_the_rules_and_parses(kind: str, tmp_path: Path) -> None:
    files = write(f"acme_{kind}", kind, tmp_path)
    assert Path(f"acme_{kind}/tests/test_acme_{kind}.py") in files
    for file in files:
        text = (tmp_path / file).read_text()
        assert "<<" not in text
        if file.suffix == ".py":
            ast.parse(text)
        if file.suffix == ".toml":
            toml.read(tmp_path / file)
    verdicts = examined(str(tmp_path / f"acme_{kind}" / f"acme_{kind}"))
    assert [f"{one.rule}: {one.text}" for one in verdicts if not one.ok] == []


def test_the_command_writes_and_says_what_to_do_next(tmp_path: Path) -> None:
    code, output = provd("new", "acme", "--kind", "trigger", "--in", str(tmp_path))
    assert code == 0
    assert "acme/pyproject.toml" in output
    assert "provd plugin check acme" in output
    assert tuple(KINDS) == OFFERED


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Acme", "cannot be a plugin's name"),
        ("a-b", "cannot be"),
        ("import", "cannot be"),
        ("pxelinux", "already"),
        ("os", "hide the Python module os"),
        ("provd", "hide the Python module provd"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str, sentence: str, tmp_path: Path) -> None:
    code, output = provd("new", name, "--kind", "loader", "--in", str(tmp_path))
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert sentence in output


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    code, output = provd("new", "acme", "--kind", "loader", "--in", str(tmp_path))
    assert code == 1
    assert "nothing was written" in output
    code, output = provd("new", "acme", "--kind", "loader", "--in", str(tmp_path / "nowhere"))
    assert (code, output.strip()) == (1, f"Error: there is no folder {tmp_path}/nowhere")
    with pytest.raises(ScaffoldError, match="no kind hat"):
        write("acme2", "hat", tmp_path)


def test_check_tells_each_rule_and_fails_where_one_is_broken(tmp_path: Path) -> None:
    write("acme", "trigger", tmp_path)
    plugin = tmp_path / "acme" / "acme"
    code, output = provd("check", str(plugin), "-o", "json")
    assert (code, {row["kept"] for row in json.loads(output)}) == (0, {True})
    file = plugin / "__init__.py"
    file.write_text(file.read_text().replace('("install.finished", "install.failed")', '("installed",)'))
    code, output = provd("check", str(plugin), "-o", "json")
    assert code == 1
    (broken,) = [row for row in json.loads(output) if not row["kept"]]
    assert broken["rule"] == "triggers_keep_their_contract"
    assert "'installed'" in broken["seen"]


def test_check_takes_settings_from_a_file(tmp_path: Path) -> None:
    write("acme", "source", tmp_path)
    (tmp_path / "provd.toml").write_text('[plugins.acme]\nbase = "ftp://x"\n')
    code, output = provd("check", str(tmp_path / "acme" / "acme"), "--settings", str(tmp_path / "provd.toml"))
    assert code == 1
    assert "an http URL is expected" in output
    (tmp_path / "provd.toml").write_text("")
    code, output = provd("check", str(tmp_path / "acme" / "acme"), "--settings", str(tmp_path / "provd.toml"))
    assert (code, output.strip()) == (1, f"Error: {tmp_path}/provd.toml has no [plugins.acme]")
    code, output = provd("check", "nope")
    assert (code, output.count("\n")) == (1, 1)
