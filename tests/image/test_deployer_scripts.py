from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provd.image.deployer.initramfs import SCRIPTS

TOKEN = "T0KEN"


def shell(script: str, *names: str, folder: Path) -> str:
    """Run shell text after the named scripts of the deployer, with stand-ins for what only the machine has."""
    stand_ins = 'say() { echo "say: $*"; }\ndie() { echo "die: $*"; exit 1; }\nkernel_argument() { :; }\n'
    sources = "".join(f". '{SCRIPTS / name}'\n" for name in names)
    done = subprocess.run(
        ["sh", "-c", stand_ins + sources + script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("path", sorted(SCRIPTS.iterdir()), ids=lambda path: path.name)
def test_scripts_parse(path: Path) -> None:
    assert subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False).stderr == ""


def test_answers_are_read_and_never_evaluated(tmp_path: Path) -> None:
    (tmp_path / "answer").write_text(
        "# a comment\n\nIMAGE_URL=http://10.0.0.1/image/debian-12/\nTARGET_DISK=size>=1G serial=$(touch evil)`touch evil`\n"
        f"CALLBACK_URL=http://10.0.0.1/callback/{TOKEN}/\nREBOOT=poweroff\nNEW_KEY={TOKEN}\nFAILURE_WAIT_S=45"
    )
    out = shell(
        'ANSWER=answer; load_saved_answer; echo "$IMAGE_URL|$TARGET_DISK|$REBOOT|$ON_FAILURE|$FAILURE_WAIT_S"',
        "answer.sh",
        folder=tmp_path,
    )
    assert out == (
        "say: the answer document has a key this deployer does not know: NEW_KEY\n"
        "http://10.0.0.1/image/debian-12|size>=1G serial=$(touch evil)`touch evil`|poweroff|reboot|45\n"
    )
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(("value", "seconds"), [("0", "10"), ("", "300"), ("soon", "300"), ("9000", "9000")])
def test_a_machine_never_fails_in_a_fast_circle(tmp_path: Path, value: str, seconds: str) -> None:
    (tmp_path / "answer").write_text(f"FAILURE_WAIT_S={value}\n")
    out = shell('ANSWER=answer; load_saved_answer; echo "$FAILURE_WAIT_S"', "answer.sh", folder=tmp_path)
    assert out == f"{seconds}\n"


@pytest.mark.parametrize(
    ("text", "octets"), [("512", 512), ("3K", 3000), ("20M", 20_000_000), ("100G", 100_000_000_000), ("2T", 2 * 10**12)]
)
def test_sizes(tmp_path: Path, text: str, octets: int) -> None:
    assert shell(f"octets {text}", "disk.sh", folder=tmp_path) == f"{octets}\n"


DISKS = """
all_disks() { printf '/pci/2/ata1 sda\\n/pci/1/nvme nvme0n1\\n/pci/3/usb1 sdb\\n'; }
disk_size() { case $1 in sda) echo 9000000000 ;; nvme0n1) echo 5000000 ;; sdb) echo 64000000000 ;; esac; }
disk_serial() { case $1 in sda) echo ' S3RIAL ' ;; sdb) echo STICK ;; esac; }
disk_model() { echo model; }
readlink() { case $2 in *sdb) echo /devices/pci/usb1/1-1/sdb ;; *) echo "/devices/pci/${2##*/}" ;; esac; }
cat() { case $1 in */removable) echo 0 ;; */logical_block_size) echo 512 ;; esac; }
RAW_SIZE=1000000000
"""


@pytest.mark.parametrize(
    ("wanted", "last"),
    [
        ("", "say: writing to /dev/sda: 9000 MB, model"),
        ("/dev/sdb", "say: writing to /dev/sdb: 64000 MB, model"),
        ("name=sd* size>=10G", "say: writing to /dev/sdb: 64000 MB, model"),
        ("serial=S3RIAL", "say: writing to /dev/sda: 9000 MB, model"),
        ("path=*usb1*", "say: writing to /dev/sdb: 64000 MB, model"),
        ("size<=10G", "say: writing to /dev/sda: 9000 MB, model"),
        ("name=nvme*", "die: disk too small: the image needs 1006291456 octets, the largest candidate has 5000000"),
        (
            "serial=OTHER",
            "die: no disk matches 'serial=OTHER'; there are: sda (9000 MB) nvme0n1 (5 MB) sdb (64000 MB) ",
        ),
        ("colour=red", "die: TARGET_DISK has a condition this deployer does not know: colour=red"),
    ],
)
def test_the_disk_that_is_chosen(tmp_path: Path, wanted: str, last: str) -> None:
    out = shell(f"{DISKS}\nTARGET_DISK='{wanted}'\nchoose_disk", "disk.sh", folder=tmp_path)
    assert out.rstrip("\n").splitlines()[-1] == last


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("wget: server returned error: HTTP/1.1 404 Not Found", "HTTP 404 Not Found"),
        ("wget: can't connect to remote host (10.0.0.1): Connection refused", "cannot connect: Connection refused"),
        ("wget: bad address 'provd.example'", "the server name cannot be resolved"),
        ("wget: connection closed prematurely", "the connection broke off"),
        (f"wget: something new about http://10.0.0.1/answer/{TOKEN}/deploy.conf", ""),
    ],
)
def test_reasons_never_show_the_url(tmp_path: Path, error: str, reason: str) -> None:
    (tmp_path / "http.err").write_text(f"Connecting to 10.0.0.1 (10.0.0.1:80)\n{error}\n")
    text = (SCRIPTS / "http.sh").read_text().replace("/run/http.err", "http.err")
    (tmp_path / "http.sh").write_text(text)
    assert shell(". ./http.sh; http_reason", folder=tmp_path).strip() == reason


@pytest.mark.parametrize("bad", ["/dev/sda", "/dev/sda2"])
def test_a_disk_that_did_not_keep_what_was_written_is_no_success(tmp_path: Path, bad: str) -> None:
    """What the kernel could not write out later is told by fsync alone (fsync(2)); sync(1) is silent."""
    text = (SCRIPTS / "disk.sh").read_text().replace("/run/", f"{tmp_path}/")
    (tmp_path / "disk.sh").write_text(text)
    fakes = (
        'sync() { :; }\nblockdev() { :; }\nDISK=/dev/sda PARTITION=/dev/sda2\ndd() { case "$*" in *fsync*) ;; *) return 0 ;; esac;'
        f' case "$*" in *"of={bad} "*) echo "dd: {bad}: Input/output error" >&2; return 1 ;; esac; }}\n'
    )
    out = shell(f". ./disk.sh\n{fakes}flush_disk\necho finished", folder=tmp_path)
    assert out == f"die: writing to {bad} failed at the end: dd: {bad}: Input/output error\n"
    install = (SCRIPTS / "init").read_text().partition("\ninstall() {")[2].partition("\n}")[0]
    assert install.index("write_seed") < install.index("flush_disk")
