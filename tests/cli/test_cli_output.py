"""What commands print: each format holds the same, and NO_COLOR means none."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from click.testing import CliRunner, Result

from provd.cli import listings, tables
from provd.cli.main import build_cli
from provd.cli.output import show
from tests.fakes.fake_api import Backend, TableClient


@pytest.fixture
def backend() -> Backend:
    return Backend()


def provd(backend: Backend, *words: str) -> Result:
    return CliRunner().invoke(
        build_cli(lambda _path: 0, lambda _socket: TableClient(backend)), ["--socket", "x", *words]
    )


def add(backend: Backend, count: int) -> None:
    for number in range(count):
        cards = [{"mac": f"52:54:00:01:{number >> 8:02x}:{number & 255:02x}"}]
        backend.call("system.add", {"name": f"n{number:04}", "interfaces": cards, "profile": "web"})


def test_every_format_of_a_list_holds_the_same(backend: Backend) -> None:
    wanted = json.loads(provd(backend, "system", "list", "-o", "json").output)
    lines = [json.loads(line) for line in provd(backend, "system", "list", "-o", "ndjson").output.splitlines()]
    text = provd(backend, "system", "list", "-o", "toml").output
    assert wanted == lines
    read = tomlkit.parse(text).unwrap()["system"]
    assert read == [{key: value for key, value in row.items() if value is not None} for row in wanted]


def test_tables_of_toml_are_named_by_the_noun_whoever_prints_them(backend: Backend) -> None:
    assert provd(backend, "lease", "list", "-o", "toml").output.startswith("[[lease]]\n")


def test_every_format_of_an_object_holds_the_same(backend: Backend) -> None:
    wanted = json.loads(provd(backend, "system", "show", "web1", "-o", "json").output)
    (line,) = provd(backend, "system", "show", "web1", "-o", "ndjson").output.splitlines()
    assert json.loads(line) == wanted
    assert tomlkit.parse(provd(backend, "system", "show", "web1", "-o", "toml").output).unwrap()["name"] == "web1"


@pytest.mark.parametrize(("page", "limit"), [(3, 0), (3, 7), (4, 8), (1000, 0)])
def test_a_list_is_read_page_by_page(backend: Backend, monkeypatch: pytest.MonkeyPatch, page: int, limit: int) -> None:
    monkeypatch.setattr(listings, "PAGE", page)
    add(backend, 11)
    for output in ("json", "ndjson"):
        told = provd(backend, "system", "list", "-o", output, *(["--limit", str(limit)] if limit else [])).output
        rows = json.loads(told) if output == "json" else [json.loads(line) for line in told.splitlines()]
        names = [row["name"] for row in rows]
        assert names == [f"n{number:04}" for number in range(11)][: limit or None] + (["web1"] if not limit else [])


def test_report_shows_everything_about_every_object(backend: Backend) -> None:
    add(backend, 2)
    told = provd(backend, "system", "report").output
    assert told.count("kernel args") == 3
    assert "n0001" in provd(backend, "system", "report", "--name", "n0001").output
    (row,) = json.loads(provd(backend, "system", "report", "n0001", "-o", "json").output)
    assert row == json.loads(provd(backend, "system", "show", "n0001", "-o", "json").output)


def test_many_rows_are_columns_without_rich(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": f"n{number}", "ok": number % 2 == 0} for number in range(tables.MANY + 1)]
    show(rows, "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "ok"]
    assert lines[-1].split() == [f"n{tables.MANY}", "yes"]
    assert len(lines) == tables.MANY + 2


def test_an_object_with_much_in_it_is_laid_out(capsys: pytest.CaptureFixture[str]) -> None:
    show({"name": "web", "origins": {f"key{number}": f"file{number}" for number in range(5)}}, "table")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["name", "web"]
    assert lines[2] == ["origins:"]
    assert lines[3] == ["key0", "file0"]
    show([{f"c{number}": number for number in range(20)}] * 2, "table")
    assert ["c19", "19"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_csv_holds_lists_as_words_and_truth_in_lower_case(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"macs": ["a", "b"], "netboot": True, "vars": {"a": 1}}], "csv")
    assert capsys.readouterr().out.splitlines()[1] == 'a b,true,"{""a"": 1}"'


def test_a_change_is_shown_as_its_difference(capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "applied": False, "objects": {"profile web": "r2", "profile old": "", "profile same": "r3"}, "systems": ["web1"],
        "files": {"web.toml": "--- web.toml\n+++ web.toml\n@@ -1 +1 @@\n-a = 1\n+a = 2\n", "old.toml": "", "same.toml": ""},
    }  # fmt: skip
    show(told, "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:] == [
        "-a = 1", "+a = 2", "would change: profile web, revision r2", "would change: profile old, removed",
        "unchanged: profile same, revision r3",
        "would change: system web1",
    ]  # fmt: skip


def test_a_long_text_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show({"name": "own.j2", "content": "line one\n  line two\n"}, "table")
    assert capsys.readouterr().out.endswith("\ncontent:\nline one\n  line two\n")


def _at_terminal(tmp_path: Path, environment: dict[str, str]) -> str:
    """What `provd image disks` or the list of payloads prints where standard output is a terminal."""
    main, other = pty.openpty()
    config = tmp_path / "provd.toml"
    config.write_text('data_dir = "data"\n')
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    command = [sys.executable, "-m", "provd", "fetch", "--config", str(config)]
    try:
        subprocess.run(command, stdout=other, check=True, timeout=60, env={**kept, "TERM": "xterm", **environment})
    finally:
        os.close(other)
    found = io.BytesIO()
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        found.write(part)
    os.close(main)
    return found.getvalue().decode()


def test_no_color_means_no_escape_sequence(tmp_path: Path) -> None:
    assert "\x1b[" in _at_terminal(tmp_path, {})
    plain = _at_terminal(tmp_path, {"NO_COLOR": "1"})
    assert "\x1b[" not in plain
    assert "debian-12" in plain


def test_csv_of_an_object_is_wrong_usage(backend: Backend) -> None:
    told = provd(backend, "system", "show", "web1", "-o", "csv")
    assert told.exit_code == 2
    assert "csv is for lists" in told.stderr


def test_what_is_waited_for_goes_to_standard_error_only(backend: Backend) -> None:
    told: Any = provd(backend, "system", "list", "-o", "json")
    assert told.stderr == ""


EVIL = "a\x1b[31mx\x07\u202ey\x9b"


def test_no_text_of_others_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"name": "web", "comment": EVIL, "list": [EVIL], "table": {EVIL: EVIL}}] * 2, "table")
    show({"name": EVIL, "long": f"one\n{EVIL}\n", EVIL: 1}, "table")
    show([{"comment": EVIL}] * 3000, "table")
    told = {"applied": True, "objects": {}, "files": {"x": f"+{EVIL}\n"}, "systems_removed": ["web1"]}
    show(told, "table")
    text = capsys.readouterr().out
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert "a\\x1b[31mx\\x07\\u202ey\\x9b" in text
    assert "changed: system web1, removed" in text


def test_rows_of_several_shapes_have_all_their_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"operation": "profile.add"}, {"name": "web1", "macs": ["52:54"]}], "table")
    assert capsys.readouterr().out.splitlines()[0].split() == ["operation", "name", "macs"]


def test_a_very_long_cell_is_cut_in_a_list_only(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"comment": "x" * 5000}], "table")
    assert "... (5000 characters)" in capsys.readouterr().out.replace("\n", "")
    show({"comment": "x" * 5000}, "table")
    assert capsys.readouterr().out.count("x") == 5000
