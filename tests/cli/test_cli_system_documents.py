"""Machines from the command line as TOML, page by page and part by part."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.cli import system_documents
from provd.cli.main import build_cli
from tests.fakes.fake_api import Backend, TableClient


def provd(backend: Backend, *words: str) -> Result:
    cli = build_cli(lambda _path: 0, lambda _socket: TableClient(backend))
    return CliRunner().invoke(cli, list(words))


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
