"""`provd rehearse` with UEFI firmware: a profile is installed through shim and GRUB, and starts from its own disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.conftest import cache, installable
from tests.system.test_rehearsal import folder, rehearse

__all__ = ["cache", "folder", "installable"]

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(1500)]


@pytest.mark.parametrize("firmware", ["uefi"])
def test_an_image_profile_installs_with_uefi_firmware(folder: Path, firmware: str) -> None:
    done = rehearse(folder, "mine", "--firmware", firmware, "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["installed"], told["why"]) == (True, "profile mine installs")
    install, local = told["boots"][:2]
    kinds = [row["kind"] for row in install["events"]]
    assert kinds.index("kernel.fetched") < kinds.index("answer.served") < kinds.index("install.finished")
    assert (install["loader"], install["outcome"], local["action"]) == ("grub_efi", "finished", "local")
    assert (install["findings"], local["findings"]) == ([], [])
