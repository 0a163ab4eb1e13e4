"""docs/writing-a-plugin.md, followed literally, in an environment with nothing but provd and pytest."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from provd.scaffold import KINDS
from tests.app.running_server import RunningServer
from tests.docs.pages import ROOT, blocks
from tests.packaging.installed import Environment, build_wheel

pytestmark = [pytest.mark.build, pytest.mark.timeout(600)]
GUIDE = ROOT / "docs" / "writing-a-plugin.md"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment.empty(tmp_path_factory.mktemp("author"))
    made.install(build_wheel(ROOT, tmp_path_factory.mktemp("wheel")), "pytest")
    return made


def shell(environment: Environment, script: str, cwd: Path, **more: str) -> str:
    """Run a block of the guide as a person would who has this environment activated."""
    path = f"{environment.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-eu", "-c", script], cwd=cwd, env={"PATH": path, "HOME": str(cwd), **more}, capture_output=True,
        text=True, check=False, timeout=400,
    )  # fmt: skip
    assert told.returncode == 0, f"{script}\n{told.stdout}\n{told.stderr}"
    return told.stdout


def test_the_first_ten_minutes(environment: Environment, tmp_path: Path) -> None:
    first, second, *_ = blocks(GUIDE, "sh")
    enabled, *_ = blocks(GUIDE, "toml")
    told = shell(environment, first, tmp_path)
    assert re.search(r"\b19 passed in ", told)
    kept = dict(line.split()[:2] for line in told.splitlines() if line.startswith(("loads", "installers_keep")))
    assert kept == {"loads": "yes", "installers_keep_their_contract": "yes"}
    (tmp_path / "server").mkdir()
    server = RunningServer(tmp_path / "server", "", str(environment.python))
    text = server.config.read_text()
    line = next(line for line in text.splitlines() if line.startswith("enabled = "))
    chosen, _, tables = enabled.partition("\n\n")
    server.config.write_text(text.replace(line, chosen) + "\n" + tables)
    server.start()
    try:
        told = shell(environment, second, tmp_path, PROVD_CONFIG=str(server.config))
        assert "acme-1-server" in told
        shown = json.loads(
            shell(environment, "provd plugin show acme -o json", tmp_path, PROVD_CONFIG=str(server.config))
        )
        assert shown["brings"] == {"installers": ["acme"]}
        assert shown["origin"] == "entry point provd-acme"
        server.stop()
    finally:
        server.stop(signal.SIGKILL)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "distro"])
def test_every_other_kind_passes_its_own_tests(kind: str, environment: Environment, tmp_path: Path) -> None:
    script = f"provd plugin new acme_{kind} --kind {kind}; cd acme_{kind}; pip install -q --editable .; pytest -q"
    assert "passed" in shell(environment, script, tmp_path)
