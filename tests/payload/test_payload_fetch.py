from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from provd.payload.catalogue import PAYLOADS, payload_spec
from provd.payload.errors import PayloadError
from provd.payload.fetch import fetch
from provd.payload.grub import EARLY_CONFIG, SERVER_MARK
from provd.payload.installed import installed_version
from provd.payload.record import damaged, read_record
from tests.fakes.fake_packages import PackageShelf, make_deb

MKIMAGE = b"""#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in -o) out=$2 ;; -p) prefix=$2 ;; -c) early=$2 ;; -m) memdisk=$2 ;; esac
    shift
done
{ echo "prefix=$prefix"; cat "$early"; tar -xOf "$memdisk" grub.cfg; } > "$out"
"""


@pytest.fixture
def shelf(tmp_path: Path) -> PackageShelf:
    """Packages with every file the payloads take from them."""
    files: dict[str, dict[str, bytes]] = {}
    for spec in PAYLOADS.values():
        for package in spec.packages:
            files.setdefault(package.name, {}).update({path: name.encode() for name, path in package.files.items()})
        for image in spec.images:
            modules = {f"usr/lib/grub/{image.platform}/{name}.mod": b"m" for name in image.modules}
            files.setdefault(image.modules_package, {}).update(modules)
            files.setdefault(image.tools_package, {})["usr/bin/grub-mkimage"] = MKIMAGE
    (tmp_path / "shelf").mkdir()
    return PackageShelf(
        {name: make_deb(tmp_path / "shelf", name, "3:1.0-2", content) for name, content in files.items()}
    )


class Steps:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []

    def __call__(self, text: str, share: float) -> None:
        self.seen.append((text, share))


def nowhere(tmp_path: Path) -> Path:
    """A machine on which nothing is installed."""
    (tmp_path / "nowhere").mkdir(exist_ok=True)
    return tmp_path / "nowhere"


def test_a_payload_is_complete_with_a_record(tmp_path: Path, shelf: PackageShelf) -> None:
    steps = Steps()
    record = fetch("loaders", tmp_path, steps, root=nowhere(tmp_path), source=shelf)
    folder = tmp_path / "payload/loaders"
    assert {path.name for path in folder.iterdir()} == {*payload_spec("loaders").files, "payload.json"}
    assert (folder / "shimx64.efi").read_bytes() == b"shimx64.efi"
    shim = json.loads((folder / "payload.json").read_text())["files"]["shimx64.efi"]
    expected = hashlib.sha256(b"shimx64.efi").hexdigest()
    assert shim == {"size": 11, "sha256": expected, "package": "shim-signed", "version": "3:1.0-2"}
    assert set(record.packages.values()) == {"downloaded"}
    assert read_record(folder) == record
    shares = [share for _, share in steps.seen]
    assert shares == sorted(shares)
    assert steps.seen[-1] == ("loaders is complete", 1.0)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["loaders"]


def test_own_grub_has_its_prefix_and_finds_the_server_itself(tmp_path: Path, shelf: PackageShelf) -> None:
    fetch("loaders", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    image = (tmp_path / "payload/loaders/grubx64-http.efi").read_text()
    assert image.startswith(f"prefix=/grub\nset prefix=(memdisk)\nnormal (memdisk)/grub.cfg\n{SERVER_MARK}\nif [ -n")
    assert "net_get_dhcp_option provd_hex ${card}:dhcp 54 hex" in image
    assert '\nconfigfile "(tftp,$net_default_server)/grub/grub.cfg"\n' in image


def test_loaders_of_another_architecture_come_from_its_packages(tmp_path: Path, shelf: PackageShelf) -> None:
    record = fetch("loaders-arm64", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    assert shelf.foreign == {"arm64"}
    assert set(record.packages) == {
        *("grub-common", "grub-efi-arm64-bin:arm64", "grub-efi-arm64-signed:arm64", "shim-signed:arm64"),
    }
    folder = tmp_path / "payload/loaders-arm64"
    assert (folder / "grubaa64-http.efi").read_text().startswith("prefix=/grub\n")
    assert (folder / "shimaa64.efi").read_bytes() == b"shimaa64.efi"
    assert record.files["shimaa64.efi"].package == "shim-signed:arm64"


def test_grub_reads_the_early_configuration(tmp_path: Path) -> None:
    file = tmp_path / "grub.cfg"
    file.write_text(EARLY_CONFIG)
    run = subprocess.run(["grub-script-check", file], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_an_image_of_an_older_provd_is_made_again(tmp_path: Path, shelf: PackageShelf) -> None:
    fetch("loaders", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    shelf.asked.clear()
    fetch("loaders", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    assert shelf.asked == []
    record = tmp_path / "payload/loaders/payload.json"
    table = json.loads(record.read_text())
    table["files"]["grubx64-http.efi"]["version"] = "2.06-13+deb12u2"
    record.write_text(json.dumps(table))
    fetch("loaders", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    assert shelf.asked != []


def test_a_complete_payload_is_not_fetched_again(tmp_path: Path, shelf: PackageShelf) -> None:
    fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    shelf.asked.clear()
    fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    assert shelf.asked == []
    fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf, refresh=True)
    assert shelf.asked == ["debian-installer-12-netboot-amd64"]


def test_a_damaged_payload_is_repaired(tmp_path: Path, shelf: PackageShelf) -> None:
    record = fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    folder = tmp_path / "payload/debian-12"
    (folder / "linux").write_bytes(b"LINUX")
    (folder / "initrd.gz").unlink()
    assert set(damaged(folder, record)) == {"linux", "initrd.gz"}
    fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    assert damaged(folder, record) == ()


def test_a_failed_fetch_leaves_what_was_there(tmp_path: Path, shelf: PackageShelf) -> None:
    fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=shelf)
    with pytest.raises(PayloadError, match="Unable to locate package debian-installer-12-netboot-amd64"):
        fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=PackageShelf({}), refresh=True)
    assert (tmp_path / "payload/debian-12/linux").read_bytes() == b"linux"
    assert [path.name for path in (tmp_path / "payload").iterdir()] == ["debian-12"]


def test_a_package_without_the_file(tmp_path: Path, shelf: PackageShelf) -> None:
    (tmp_path / "other").mkdir()
    name = "debian-installer-12-netboot-amd64"
    thin = PackageShelf({name: make_deb(tmp_path / "other", name, "1", {"usr/share/doc/x": b""})})
    with pytest.raises(PayloadError, match=f"package {name} 1 does not hold usr/lib/debian-installer/"):
        fetch("debian-12", tmp_path, Steps(), root=nowhere(tmp_path), source=thin)
    assert list((tmp_path / "payload").iterdir()) == []


def test_unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        PayloadError, match="there is no payload 'debian12'; known are debian-12, debian-12-arm64, grub-rescue"
    ):
        fetch("debian12", tmp_path, Steps())


def test_a_directory_that_cannot_be_written(tmp_path: Path, shelf: PackageShelf) -> None:
    (tmp_path / "payload").write_text("in the way")
    with pytest.raises(PayloadError, match="payload cannot be written: "):
        fetch("debian-12", tmp_path, Steps(), source=shelf)


def test_a_record_that_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text("{}")
    with pytest.raises(PayloadError, match="not a payload record"):
        read_record(tmp_path)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with one package installed by dpkg."""
    root = tmp_path / "machine"
    for folder in ("info", "updates", "triggers"):
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    for file in ("status", "available"):
        (root / "var/lib/dpkg" / file).touch()
    deb = make_deb(tmp_path, "pxelinux", "3:6.04-1", {"usr/lib/PXELINUX/pxelinux.0": b"pxelinux.0"})
    status = "Package: pxelinux\nStatus: install ok installed\nVersion: 3:6.04-1\nArchitecture: all\n"
    status += "Maintainer: Test <t@example.org>\nDescription: x\n\n"
    (root / "var/lib/dpkg/status").write_text(status)
    subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    md5 = hashlib.md5(b"pxelinux.0").hexdigest()
    (root / "var/lib/dpkg/info/pxelinux.md5sums").write_text(f"{md5}  usr/lib/PXELINUX/pxelinux.0\n")
    listed = "/.\n/usr\n/usr/lib\n/usr/lib/PXELINUX\n/usr/lib/PXELINUX/pxelinux.0\n"
    (root / "var/lib/dpkg/info/pxelinux.list").write_text(listed)
    return root


def test_an_installed_package_is_recognised(machine: Path) -> None:
    assert installed_version("pxelinux", ["usr/lib/PXELINUX/pxelinux.0"], machine) == "3:6.04-1"
    assert installed_version("pxelinux", ["usr/lib/PXELINUX/lpxelinux.0"], machine) == ""
    assert installed_version("shim-signed", ["usr/lib/PXELINUX/pxelinux.0"], machine) == ""


def test_a_changed_file_of_an_installed_package_is_not_used(machine: Path) -> None:
    (machine / "usr/lib/PXELINUX/pxelinux.0").write_bytes(b"something else")
    assert installed_version("pxelinux", ["usr/lib/PXELINUX/pxelinux.0"], machine) == ""


def test_installed_files_are_copied_and_the_rest_downloaded(tmp_path: Path, machine: Path, shelf: PackageShelf) -> None:
    (machine / "usr/lib/PXELINUX/lpxelinux.0").write_bytes(b"lpxelinux.0")
    record = fetch("loaders", tmp_path, Steps(), root=machine, source=shelf)
    assert record.packages["pxelinux"] == "installed"
    assert record.files["pxelinux.0"].version == "3:6.04-1"
    assert "pxelinux" not in shelf.asked
    assert "shim-signed" in shelf.asked


@pytest.mark.build
def test_loaders_from_signed_packages(tmp_path: Path) -> None:
    """The real thing, from the machine's own apt sources."""
    record = fetch("loaders", tmp_path, Steps(), root=nowhere(tmp_path))
    folder = tmp_path / "payload/loaders"
    for name in ("shimx64.efi", "grubx64.efi", "grubx64-http.efi"):
        assert (folder / name).read_bytes()[:2] == b"MZ"
    assert set(record.packages.values()) == {"downloaded"}
