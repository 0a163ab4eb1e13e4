"""Secrets of a whole boot appear in the answer file and nowhere else (security rows C18 and C25)."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer
from tests.app.test_boots import LOADERS, MAC, api, boot

HASH = "$6$canary$0123456789abcdef"
DISTRO = """\
family = "redhat"
version = "9"
installer = "kickstart"
tree = "http://192.0.2.1/tree"
kernel = "payload:loaders/vmlinuz"
initrd = ["payload:loaders/initrd.img"]
"""
PROFILE = """\
parent = "base"
distro = "tiny"

[answers]
root_password_hash = {{file = "{file}"}}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    loaders = tmp_path / "data" / "payload" / "loaders"
    loaders.mkdir(parents=True)
    for name in (*LOADERS, "vmlinuz", "initrd.img"):
        (loaders / name).write_bytes(name.encode() * 300)
    secret = tmp_path / "root-hash"
    secret.write_text(HASH)
    secret.chmod(0o600)
    (tmp_path / "site" / "distros" / "tiny.toml").write_text(DISTRO)
    (tmp_path / "site" / "profiles" / "tiny.toml").write_text(PROFILE.format(file=secret))
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def test_c18_a_secret_and_a_token_are_in_the_answer_and_nowhere_else(server: RunningServer) -> None:
    client = api(server)
    client.call("system.add", {"name": "web1", "profile": "tiny", "interfaces": [{"mac": MAC.hex(":")}]})
    seen = boot(server)
    assert seen.installed is not None, seen.text()
    assert any(HASH in text for text in seen.installed.documents.values())
    token = seen.installed.callback.rpartition("/")[2]
    assert len(token) > 20

    asked = [("trace", {"system": "web1"}), ("explain", {"system": "web1"}), ("profile.show", {"name": "tiny"}),
             ("system.show", {"name": "web1"}), ("boots", {}), ("lease.list", {}), ("status", {})]  # fmt: skip
    answers = {name: json.dumps(client.call(name, arguments)) for name, arguments in asked}
    assert server.stop() == 0
    data = server.folder / "data"
    files = {path.name: path.read_bytes().decode("latin-1") for path in data.glob("provd.db*")}
    told = {**answers, **files, "log": server.text()}
    assert {name for name, text in told.items() if HASH in text} == set()
    assert {name for name, text in told.items() if token in text} == set()
