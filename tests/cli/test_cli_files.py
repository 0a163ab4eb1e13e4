"""Files that commands leave behind: who may read them, and whether they can be written at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import provd.image.importer
import provd.media.medium
import provd.payload.fetch
from provd.cli.main import build_cli
from provd.commands import command_line
from provd.image.errors import ImageError
from provd.media.medium import MediumError
from tests.cli.recording import RecordingClient
from tests.cli.test_cli_operations import OPERATIONS


@pytest.fixture
def strict() -> Iterator[None]:
    """The umask of a hardened machine's root."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    ("words", "module", "name", "error"),
    [
        (["fetch", "loaders"], provd.payload.fetch, "fetch", None),
        (["image", "import", "FILE"], provd.image.importer, "import_image", ImageError("no")),
        (["import", "FILE"], provd.media.medium, "open_medium", MediumError("no")),
    ],
)
def test_what_machines_boot_can_be_read_by_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], module: Any, name: str, error: Exception | None
) -> None:
    (tmp_path / "provd.toml").write_text(f'data_dir = "{tmp_path}/data"\n')
    (tmp_path / "FILE").write_text("x")
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "made"

    def make(*_: object, **__: object) -> object:
        made.write_text("x")
        if error is not None:
            raise error
        return SimpleNamespace(files={})

    monkeypatch.setattr(module, name, make)
    CliRunner().invoke(command_line(), [*words, "--config", str(tmp_path / "provd.toml")])
    assert made.stat().st_mode & 0o777 == 0o644


def test_a_recording_that_could_not_be_kept_does_not_begin(tmp_path: Path) -> None:
    client = RecordingClient(OPERATIONS)
    cli = build_cli(lambda _path: 0, lambda _socket: client)
    told = CliRunner().invoke(cli, ["--socket", "/x", "record", "web1", str(tmp_path / "none" / "x.pcapng")])
    assert client.calls == []
    assert (told.exit_code, told.stderr) == (1, f"Error: {tmp_path}/none is no directory that can be written to\n")
