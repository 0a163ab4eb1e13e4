"""Machines from the command line as TOML, page by page and part by part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.api.server import MAX_BODY
from provd.cli import system_documents
from provd.cli.main import build_cli
from tests.fakes.fake_api import Backend, TableClient


def provd(backend: Backend, *words: str) -> Result:
    cli = build_cli(lambda _path: 0, lambda _socket: TableClient(backend))
    return CliRunner().invoke(cli, list(words))


ODD = """
[system.n1]
comment = '''
[system.n9]
is in a text'''
[[system.n1.interface]]
mac = "52:54:00:00:cc:01"
[system.n2]
interface = [{mac = "52:54:00:00:cc:02"}]
[system.'n3']
comment = 'in a row'
"""


@pytest.mark.parametrize("chunk", [10, 60, 500_000])
def test_a_document_that_cannot_be_cut_is_written_anew(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend()
    monkeypatch.setattr(system_documents, "CHUNK", chunk)
    cli = build_cli(lambda _path: 0, lambda _socket: TableClient(backend))
    told = CliRunner().invoke(cli, ["system", "import", "-"], input=ODD)
    assert told.exit_code == 0, told.output
    assert [one.name for one in backend.systems.all()] == ["n1", "n2", "n3", "web1"]
    assert "[system.n9]" in backend.systems.index.by_name()["n1"].comment


def test_no_part_is_longer_than_a_request_may_be() -> None:
    """Whatever letters people use for their comments."""
    comment = "機" * 2000
    text = "".join(f'[system.n{number}]\ncomment = "{comment}"\n' for number in range(400))
    parts = list(system_documents._parts(text, "-"))
    assert "".join(parts) == text
    assert len(parts) > 5
    assert max(len(json.dumps({"toml": part})) for part in parts) < MAX_BODY


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("x = 1\n" * 9, "the document:2: is not TOML: cannot overwrite"), ("[other.a]\nb = 1\n", "nothing else")],
)
def test_a_long_document_that_is_none_is_one_sentence(
    text: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_documents, "CHUNK", 10)
    cli = build_cli(lambda _path: 0, lambda _socket: TableClient(Backend()))
    told = CliRunner().invoke(cli, ["system", "import", "-"], input=text)
    assert told.exit_code == 1
    assert sentence in told.stderr


@pytest.mark.parametrize(("page", "chunk"), [(100, 500_000), (3, 300)])
def test_machines_are_written_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int, chunk: int
) -> None:
    monkeypatch.setattr(system_documents, "PAGE", page)
    monkeypatch.setattr(system_documents, "CHUNK", chunk)
    first, second = Backend(), Backend()
    for number in range(9):
        cards = [{"mac": f"52:54:00:00:cc:{number:02x}"}]
        first.call("system.add", {"name": f"n{number}", "interfaces": cards, "profile": "web", "tags": ["é", '"']})
    file = tmp_path / "systems.toml"
    told = provd(first, "system", "export", "n*")
    assert told.exit_code == 0, told.output
    file.write_text(told.output)
    told = provd(second, "system", "import", str(file), "--dry-run")
    assert (told.exit_code, second.systems.get("n1")) == (0, None), told.output
    told = provd(second, "system", "import", str(file))
    assert told.exit_code == 0, told.output
    assert second.systems.all() == first.systems.all()
    assert provd(second, "system", "import", str(file)).exit_code == 1
    assert provd(second, "system", "import", "--replace", str(file)).exit_code == 0


GOOD = '[system.ok]\nprofile = "web"\n'


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ('[system.q1]\nprofile = "web"\nbogus = 1\n', "bad.toml: system.q1.bogus: unknown key"),
        ("[system]\nq = 1\n", "bad.toml: system.q: is not a table"),
        ("x = [", "bad.toml:1: is not TOML"),
        ("[system.ok]\n", "good.toml has a system of this name already"),
        ("[other]\nb = 1\n", "bad.toml: other: tables `[system.NAME]` are expected, and nothing else"),
        ('[system.q1]\nprofile = "nosuch"\n', "bad.toml: system q1: no profile that can be installed"),
    ],
)
@pytest.mark.parametrize("chunk", [10, 500_000])
def test_of_several_files_all_are_read_or_none_and_the_wrong_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str, sentence: str, chunk: int
) -> None:
    monkeypatch.setattr(system_documents, "CHUNK", chunk)
    backend = Backend()
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text(bad)
    told = provd(backend, "system", "import", str(tmp_path / "good.toml"), str(tmp_path / "bad.toml"))
    assert told.exit_code == 1
    assert sentence in told.stderr
    assert told.stderr.count("\n") == 1
    assert [one.name for one in backend.systems.all()] == ["web1"]


def test_several_files_are_read_together(tmp_path: Path) -> None:
    backend = Backend()
    files = [tmp_path / f"{number}.toml" for number in range(3)]
    for number, file in enumerate(files):
        file.write_text(f"[system.n{number}]\ncomment = '{number}'\n")
    told = provd(backend, "system", "import", *map(str, files), "-o", "json")
    assert json.loads(told.stdout) == {"added": ["n0", "n1", "n2"], "replaced": []}
    assert [one.comment for one in backend.systems.all() if one.comment] == ["0", "1", "2"]


def test_the_key_that_is_wrong_is_named_of_one_file_too(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[system.q1]\nbogus = 1\n")
    told = provd(Backend(), "system", "import", str(tmp_path / "bad.toml"))
    assert "bad.toml: system.q1.bogus: unknown key" in told.stderr
