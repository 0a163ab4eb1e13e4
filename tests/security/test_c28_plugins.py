"""Which code runs in the service, and where it came from."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer
from tests.packaging.installed import PLUGIN, ROOT

TRAP = 'from pathlib import Path\n\nPath(__file__).with_suffix(".ran").touch()\nraise RuntimeError("imported")\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    for name, source in (("mine", PLUGIN.replace("NAME", "mine")), ("trap", TRAP)):
        (folder / f"{name}.py").write_text(source)
        (folder / f"{name}.py").chmod(0o644)
    return folder


@pytest.fixture
def server(tmp_path: Path, folder: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    text = running.config.read_text()
    running.config.write_text(text.replace("enabled = [", f'plugin_dirs = ["{folder}"]\nenabled = ["mine", '))
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def plugin_list(server: RunningServer, output: str) -> str:
    command = [sys.executable, "-m", "provd", "--config", str(server.config), "plugin", "list", "-o", output]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_c28_every_plugin_is_listed_with_origin_and_hash_and_only_enabled_ones_run(
    server: RunningServer, folder: Path
) -> None:
    rows = {row["name"]: row for row in json.loads(plugin_list(server, "json"))}
    assert [name for name, row in rows.items() if row["enabled"]][:3] == ["mine", "relay", "pxelinux"]
    for name in ("mine", "trap"):
        assert rows[name]["origin"] == str(folder)
        assert rows[name]["sha256"] == hashlib.sha256((folder / f"{name}.py").read_bytes()).hexdigest()
    assert rows["pxelinux"]["origin"] == "shipped"
    assert not rows["trap"]["enabled"]
    assert not (folder / "trap.ran").exists()


def test_c28_the_table_for_people_shows_origin_and_hash(server: RunningServer, folder: Path) -> None:
    table = plugin_list(server, "table")
    digest = hashlib.sha256((folder / "mine.py").read_bytes()).hexdigest()
    (line,) = [line for line in table.splitlines() if line.split()[:1] == ["mine"]]
    assert {str(folder), digest[:16]} <= set(line.split())
