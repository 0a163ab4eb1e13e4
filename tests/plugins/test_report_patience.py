"""The end of an installation is reported for minutes: a host of provd that restarts meanwhile is no second install."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from provd.image.deployer.initramfs import SCRIPTS
from provd.testing.documents import documents
from tests.fakes.alpine_machine import changed
from tests.fakes.ignition_machine import files, texts
from tests.plugins import test_installer_kickstart as red_hat
from tests.plugins import test_installer_preseed as debian


def functions(family: str) -> str:
    """The shell functions with which a family reports."""
    if family == "deployer":
        return f'CALLBACK_URL=http://x\n{(SCRIPTS / "http.sh").read_text()}\nprovd_say() {{ post "$@"; }}\n'
    if family == "preseed":
        return documents(debian.installer(), debian.machine())["report.sh"]
    text, end = {
        "bash": (red_hat.script(red_hat.kickstart(), "onerror"), "\nprovd_say failed"),
        "alpine": (changed()["install.sh"], "\n# provd_disk"),
        "ignition": (files(json.loads(texts()["live.ign"]))["/etc/provd/install.bash"], "\n# provd_disk"),
    }[family]
    return text[: text.index(end)]


@pytest.mark.parametrize("family", ["bash", "preseed", "alpine", "ignition", "deployer"])
@pytest.mark.parametrize(("name", "least"), [("finished", 200), ("started", 10)])
def test_how_long_a_report_is_tried(tmp_path: Path, family: str, name: str, least: int) -> None:
    fakes = f"""
provd_post() {{ echo post >> {tmp_path}/told; return 1; }}
timeout() {{ echo post >> {tmp_path}/told; return 1; }}
sleep() {{ echo "$1" >> {tmp_path}/slept; }}
say() {{ :; }}
"""
    # Not one after the other: the folder may itself lie in one of these places.
    text = re.sub("/tmp/(?=provd)|/run/", f"{tmp_path}/", functions(family)) + fakes
    shell = "bash" if family in {"bash", "ignition"} else "sh"
    run = subprocess.run([shell, "-c", f"{text}\nprovd_say {name} ok"], check=False, timeout=20, cwd=tmp_path)
    assert run.returncode == 1
    slept = sum(int(line) for line in (tmp_path / "slept").read_text().split())
    assert least <= slept <= (400 if name == "finished" else 40)
