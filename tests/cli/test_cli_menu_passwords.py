"""A menu whose password cannot be read: told by ``provd check``, and by ``provd simulate`` of the machine that gets none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.commands import command_line

MENU = """\
title = "Lab"
password = {file = "gone"}
[[entry]]
profile = "local-disk"
password = {env = "PROVD_NO_SUCH_NAME"}
[[entry]]
profile = "memtest86plus"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PROVD_NO_SUCH_NAME", raising=False)
    files = {
        "site/menus/boot.toml": MENU,
        "site/systems/web1.toml": 'profile = "local-disk"\npolicy = "menu"\n[[interface]]\nmac = "52:54:00:12:34:56"\n',
        "data/payload/loaders/pxelinux.0": "p" * 900,
        "data/payload/loaders/ldlinux.c32": "l" * 900,
        "provd.toml": f'data_dir = "{tmp_path}/data"\nsite_dir = "{tmp_path}/site"\nuser = ""\n'
        '[[interface]]\nname = "eth0"\n[[subnet]]\nnetwork = "10.0.0.0/24"\npool = "10.0.0.100-10.0.0.200"\n',
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "provd.toml"


def provd(config: Path, *words: str) -> Result:
    return CliRunner().invoke(command_line(), [*words, "--config", str(config)])


def test_check_tells_passwords_of_menus_that_cannot_be_read(config: Path) -> None:
    rows = json.loads(provd(config, "check", "-o", "json").output)
    told = {row["text"]: row["level"] for row in rows if "menu boot" in row["text"]}
    gone = config.parent / "site/menus/gone"
    assert {text.removesuffix(": No such file or directory"): level for text, level in told.items()} == {
        f"menu boot: password: secret file {gone} cannot be read": "warning",
        "menu boot: entry local-disk: password: environment variable PROVD_NO_SUCH_NAME is not set here": "info",
    }


def test_a_simulated_machine_is_told_why_it_sees_no_menu(config: Path) -> None:
    done = provd(config, "simulate", "--mac", "52:54:00:12:34:56")
    assert done.exit_code == 1
    assert "provd: the password of menu boot cannot be had: secret file " in done.output
