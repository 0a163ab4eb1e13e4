"""What a start loads: nothing that only few servers need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provd.cli.context import DEFAULT_SOCKET, Context, local_client
from provd.config.schema import ServerConfig
from provd.config.settings import load


def test_a_start_loads_no_http_client() -> None:
    """It costs some megabytes; the first request of a plugin loads it."""
    script = "import sys, provd.app.run, provd.app.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "provd.net.runtime" in loaded
    assert "twisted.web.client" not in loaded


def loaded_by(*words: str) -> set[str]:
    script = f"import sys; sys.argv = {['provd', *words]!r}\ntry:\n import provd.__main__ as m; m.main()\nfinally:\n print('\\n' + ' '.join(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return set(told.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--help"], ["system", "edit", "--help"], ["system", "list", "--socket", "/none"]])
def test_a_command_loads_little(words: list[str]) -> None:
    """No service, no schema of the configuration, nothing for tables: the command line answers at once."""
    loaded = loaded_by(*words)
    assert "provd.cli.dynamic" in loaded
    slow = {"twisted", "msgspec", "rich", "jinja2", "pluggy", "tomlkit", "provd.config.settings", "provd.service"}
    assert loaded & slow == set()


def test_the_default_socket_is_the_configured_one() -> None:
    assert ServerConfig().socket == DEFAULT_SOCKET


def test_a_configured_socket_is_found_without_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "provd.toml"
    for text in ('user = ""', 'socket = "run/s"', 'socket = "/abs/s"'):
        file.write_text(text)
        context = Context(str(file), "", lambda _path: 0, local_client)
        assert context.socket_path() == load(file).socket
