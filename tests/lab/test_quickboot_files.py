"""The quick boot's archive and the reading of its console."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from provd.lab.errors import LabError
from provd.lab.quickboot import build_initrd, parse_report

CONSOLE = """\
EFI stub: UEFI Secure Boot is enabled.
quickboot: started, kernel 6.1.0, up 2.65 s
quickboot: Secure boot enabled
quickboot: card eth0 52:54:00:77:00:01
quickboot: address 10.77.0.199 router 10.77.0.1 dns 10.77.0.1 name web1 bootfile none
quickboot: fetched 5 bytes sha256 2cf24dba
quickboot: posted
quickboot: end: complete
"""


def test_a_report_has_what_the_machine_printed() -> None:
    report = parse_report(CONSOLE)
    assert (report.address, report.boot_file, report.fetched_sha256) == ("10.77.0.199", "none", "2cf24dba")
    assert (report.posted, report.secure_boot, report.end) == (True, True, "complete")
    assert report.fields["name"] == "web1"


def test_a_disabled_secure_boot_is_not_enabled() -> None:
    assert not parse_report("quickboot: Secure boot disabled\nquickboot: end: complete\n").secure_boot


def test_a_machine_that_never_ended_has_no_report() -> None:
    with pytest.raises(LabError, match="quickboot did not end; it printed: nothing"):
        parse_report("Booting from Hard Disk...\n")


def test_equal_content_gives_equal_archives_and_order_is_kept() -> None:
    modules = {"virtio_ring.ko": b"ring", "virtio.ko": b"virtio"}
    archive = build_initrd(b"busybox", modules)
    assert archive == build_initrd(b"busybox", modules)
    content = gzip.decompress(archive)
    assert content.startswith(b"070701")
    assert b"virtio_ring.ko\nvirtio.ko\n" in content


@pytest.mark.parametrize("script", ["quickboot_init.sh", "quickboot_dhcp.sh"])
def test_scripts_are_shell(script: str) -> None:
    path = Path(__file__).parents[2] / "provd/lab" / script
    subprocess.run(["sh", "-n", str(path)], check=True)
