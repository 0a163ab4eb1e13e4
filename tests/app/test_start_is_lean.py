"""What a start loads: nothing that only few servers need."""

from __future__ import annotations

import subprocess
import sys


def test_a_start_loads_no_http_client() -> None:
    """It costs some megabytes; the first request of a plugin loads it."""
    script = "import sys, provd.app.run, provd.app.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "provd.net.runtime" in loaded
    assert "twisted.web.client" not in loaded
