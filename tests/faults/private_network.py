"""Runs a module of the tests in a network namespace of its own, where only loopback is: nothing can leave it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run_alone(module: str, *arguments: object, timeout_s: float) -> dict[str, Any]:
    """Run ``python -m module arguments``; it must succeed, and its last line of output is JSON."""
    inner = f'ip link set lo up && exec "{sys.executable}" -m {module} "$@"'
    command = ["unshare", "--net", "sh", "-euc", inner, "sh", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, cwd=ROOT, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return dict(json.loads(done.stdout.splitlines()[-1]))
