"""The plain part of the suite really runs without root (row 40)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.parts import PARTS, PLAIN, plain_user

PROGRAM = """
import json, os, subprocess, sys
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
child = subprocess.run([sys.executable, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
print(json.dumps([os.geteuid(), int(status["CapEff"], 16), sys.version, child.stdout.strip()]))
"""


def test_row_40_the_plain_part_has_no_root_and_no_capability(tmp_path: Path) -> None:
    told = subprocess.run(
        [*plain_user(), sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60, cwd="/"
    )
    user, capabilities, version, childs = json.loads(told.stdout)
    assert user != 0
    assert capabilities == 0
    assert version == childs == sys.version


def test_row_40_the_plain_part_leaves_out_only_what_says_why() -> None:
    (unit,) = [part for part in PARTS if part.as_plain_user]
    assert PLAIN == "not netns and not qemu and not build"
    assert PLAIN in unit.commands[0]
    assert not [word for word in unit.commands[0] if word.startswith(("-k", "--deselect"))]
    assert os.environ.get("PYTEST_ADDOPTS", "") == ""
