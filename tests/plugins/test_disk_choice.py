"""Which disk an installer takes, told by the kernel's own tree of devices; the same rule in every family."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from provd.image.deployer.initramfs import SCRIPTS
from provd.testing.documents import documents
from tests.fakes.alpine_machine import changed
from tests.plugins import test_installer_agama as agama
from tests.plugins import test_installer_kickstart as red_hat
from tests.plugins import test_installer_preseed as debian

DISKS = {
    "pci0/0000:00:14.0/usb1/1-1/block/sda": (0, 0, 3_900_000_000),
    "pci0/0000:00:14.0/usb1/1-2/block/sdb": (1, 0, 250_000_000),
    "pci0/0000:00:1d.0/nvme/nvme0/nvme0c0n1": (0, 1, 900_000_000),
    "pci0/0000:00:1f.0/ata1/block/sdc": (0, 0, 600_000_000),
    "virtual/nvme-subsystem/nvme-subsys0/nvme0n1": (0, 0, 900_000_000),
}
"""Whether a disk is removable or hidden, and its sectors: a USB disk, a stick, one of the paths to an NVMe disk of
several (which has no device), a fixed disk, and that NVMe disk."""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with ``block``, as ``/sys/block`` is."""
    (tmp_path / "block").mkdir()
    for place, (removable, hidden, sectors) in DISKS.items():
        folder = tmp_path / "devices" / place
        (folder / "device").mkdir(parents=True)
        (folder / "queue").mkdir()
        files = {"removable": removable, "hidden": hidden, "size": sectors, "ro": 0, "queue/logical_block_size": 512}
        for name, value in files.items():
            (folder / name).write_text(f"{value}\n")
        (tmp_path / "block" / folder.name).symlink_to(folder)
    return tmp_path


def run(text: str, machine: Path, shell: str = "bash") -> str:
    file = machine / "choice"
    file.write_text(text.replace("/sys/block", f"{machine}/block"))
    done = subprocess.run([shell, file], capture_output=True, text=True, check=False, timeout=20)
    assert done.stderr == ""
    return done.stdout.strip()


def bash(machine: Path, wanted: str) -> str:
    """Of Kickstart, autoinstall, AutoYaST, Agama and Ignition."""
    text = red_hat.script(red_hat.kickstart(disk=wanted), "pre")
    return run(text[text.index("# provd_disk") : text.index("disk=$(provd_disk)")] + "\nprovd_disk\n", machine)


def alpine(machine: Path, wanted: str) -> str:
    text = changed(disk=wanted)["install.sh"]
    return run(text[text.index("# provd_disk") : text.index("# provd_keys")] + "\nprovd_disk\n", machine, "sh")


def preseed(machine: Path, wanted: str) -> str:
    # what has no device is no disk for list-devices
    listed = " ".join(f"/dev/{Path(place).name}" for place in sorted(DISKS) if not DISKS[place][1])
    fakes = f'list-devices() {{ printf "%s\\n" {listed}; }}\nprovd_say() {{ :; }}\n'
    fakes += 'debconf-set() { [ "$1" != partman-auto/disk ] || echo "${2#/dev/}"; }\n'
    text = documents(debian.installer(), debian.machine(), disk=wanted)["report.sh"]
    return run(f"{text}\n{fakes}provd_disk\n", machine)


def deployer(machine: Path, wanted: str) -> str:
    fakes = 'say() { :; }\ndie() { echo "$*"; exit 1; }\nRAW_SIZE=1000000000\n'
    script = (SCRIPTS / "disk.sh").read_text().replace("-ge 30", "-ge 0")
    chosen = run(f"{fakes}{script}\nTARGET_DISK='{wanted}'\nchoose_disk\necho $DISK\n", machine, "sh")
    return chosen.removeprefix("/dev/") if chosen.startswith("/dev/") else ""


@pytest.mark.parametrize("family", [bash, alpine, preseed, deployer])
@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("", "sdc"),
        ("size>=100G", "sdc"),
        ("size<=200G", ""),
        ("size>=400G", "nvme0n1"),
        ("name=nvme*", "nvme0n1"),
        ("name=sda", "sda"),
        ("size>=100G  path=*/1-2/*", "sdb"),
    ],
)
def test_what_somebody_may_have_plugged_in_is_only_taken_by_its_name_or_place(
    machine: Path, family: Callable[[Path, str], str], wanted: str, chosen: str
) -> None:
    assert family(machine, wanted) == chosen


def test_agama_finds_its_disk_itself_so_one_on_usb_is_no_failure(machine: Path) -> None:
    """A report of failure would end the installation for provd, and Agama would go on."""
    start = next(one["content"] for one in agama.made(disk="size>=1T")["scripts"]["pre"] if "start" in one["name"])
    text = start[start.index("# provd_disk") : start.index("# Uploads")]
    said = 'provd_say() { echo "$*"; }\n'
    assert run(said + text, machine) == ""
    for disk in (machine / "block").iterdir():
        (disk / "ro").write_text("1\n")
    text = text.replace("wanted='size>=1T'", "wanted=''")
    assert run(said + text, machine) == "failed no disk fulfils: any disk"
