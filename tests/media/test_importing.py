"""``provd import``: directories, images and URLs become distros that a machine installs from."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.simulate.boot import simulate
from provd.testing.world import MACHINE, MemoryServer
from tests.fakes.iso_image import make_iso
from tests.fakes.mirror_world import MirrorRuntime
from tests.media.site import LAYOUTS, Site, tree


def test_an_image_is_served_from_inside(site: Site, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "Rocky.iso", {**LAYOUTS["rocky-9"], "BaseOS/repodata/repomd.xml": b"<repomd/>"})
    done = site.provd("import", str(image))
    assert done.exit_code == 0, done.output
    assert f"{image} is rocky-9, version 9.4, x86_64" in done.output
    told = site.distro("rocky-9")
    assert (told["kernel"], told["tree"]) == ("iso:rocky-9/images/pxeboot/vmlinuz", "iso:rocky-9")
    assert (site.root / "data/iso/rocky-9.iso").samefile(image)


def test_an_image_may_be_copied(site: Site, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "Rocky.iso", LAYOUTS["rocky-9"])
    assert site.provd("import", str(image), "--copy").exit_code == 0
    served = site.root / "data/iso/rocky-9.iso"
    assert not served.samefile(image)
    assert served.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("joliet", [True, False])
def test_images_with_joliet_or_rock_ridge_are_read(site: Site, tmp_path: Path, joliet: bool) -> None:
    image = make_iso(tmp_path / "x.iso", LAYOUTS["debian-12"], rock_ridge=not joliet, joliet=joliet)
    done = site.provd("import", str(image), "--name", "lab")
    assert done.exit_code == 0, done.output
    assert site.distro("lab")["vars"] == {"suite": "bookworm"}


def test_a_live_server_image_is_also_served_as_a_file(site: Site, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "u.iso", LAYOUTS["ubuntu-24.04"])
    assert site.provd("import", str(image)).exit_code == 0
    assert site.distro("ubuntu-24.04")["tree"] == "ubuntu-24.04/ubuntu-24.04.iso"
    assert site.problems() == []
    assert (site.root / "data/tree/ubuntu-24.04/ubuntu-24.04.iso").samefile(image)
    done = site.provd("import", str(tree(tmp_path / "unpacked", LAYOUTS["ubuntu-22.04"])))
    assert done.exit_code == 1
    assert "wants the image itself" in done.output


def test_a_directory_is_copied_with_its_boot_files(site: Site, tmp_path: Path) -> None:
    folder = tree(tmp_path / "mnt", {**LAYOUTS["alma-9"], "BaseOS/Packages/a.rpm": b"rpm"})
    done = site.provd("import", str(folder), "-o", "json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["name"], told["version"]) == ("alma-9", "9.4")
    assert (site.root / "data/tree/alma-9/BaseOS/Packages/a.rpm").read_bytes() == b"rpm"
    assert (site.root / "data/payload/alma-9/vmlinuz").read_bytes() == b"kernel"
    assert site.distro("alma-9")["tree"] == "alma-9"
    assert site.problems() == []


def test_a_directory_that_is_served_already_stays_where_it_is(site: Site) -> None:
    folder = tree(site.root / "data/tree/rocky-8", LAYOUTS["rocky-8"])
    before = site.everything()
    assert site.provd("import", str(folder)).exit_code == 0
    boot = {f"data/payload/rocky-8/{name}" for name in ("vmlinuz", "initrd.img")}
    assert site.everything() - before == boot | {"site/distros/rocky-8.toml", "site/profiles/rocky-8.toml"}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    tree(tmp_path / "www/fedora", LAYOUTS["fedora-42"])
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/fedora"
    server.shutdown()
    server.server_close()


def test_a_url_stays_the_tree_and_its_boot_files_are_fetched(site: Site, web: str) -> None:
    done = site.provd("import", f"{web}/")
    assert done.exit_code == 0, done.output
    assert site.distro("fedora-42")["tree"] == web
    assert (site.root / "data/payload/fedora-42/initrd.img").read_bytes() == b"initrd"


def test_a_dry_run_writes_nothing(site: Site, tmp_path: Path) -> None:
    folder = tree(tmp_path / "mnt", LAYOUTS["rhel-9"])
    before = site.everything()
    done = site.provd("import", str(folder), "--dry-run")
    assert (done.exit_code, site.everything()) == (0, before)
    assert f"would write {site.root}/site/distros/rhel-9.toml" in done.output


def test_what_is_not_recognised_is_explained_with_a_draft(site: Site, tmp_path: Path) -> None:
    info = b"[general]\nfamily = Rocky Linux\nversion = 12\n"
    folder = tree(tmp_path / "mnt", {**LAYOUTS["rocky-9"], ".treeinfo": info})
    before = site.everything()
    done = site.provd("import", str(folder), "--name", "mine")
    assert (done.exit_code, site.everything()) == (1, before)
    assert "near rocky-9: 2 of 3 rules are kept" in done.output
    assert "version 9 in .treeinfo is expected, it says 'version = 12'" in done.output
    assert 'installer = "kickstart"' in done.output
    assert done.output.count("COMPLETE") >= 3


def test_where_data_is_asked_for_the_near_ones_and_the_draft_are_data(site: Site, tmp_path: Path) -> None:
    info = b"[general]\nfamily = Rocky Linux\nversion = 12\n"
    folder = tree(tmp_path / "mnt", {**LAYOUTS["rocky-9"], ".treeinfo": info})
    done = site.provd("import", str(folder), "-o", "json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["medium"] == str(folder)
    assert {
        "signature": "rocky-9",
        "kept": 2,
        "missed": [{"file": ".treeinfo", "wanted": "version 9 in .treeinfo", "saw": "it says 'version = 12'"}],
    } in told["near"]
    assert 'installer = "kickstart"' in told["draft"]


def test_a_medium_that_is_near_nothing_gets_an_empty_draft(site: Site, tmp_path: Path) -> None:
    done = site.provd("import", str(tree(tmp_path / "mnt", {"readme": b"hello"})))
    assert done.exit_code == 1
    assert "nothing that media are known by" in done.output
    assert 'installer = "COMPLETE"' in done.output


def test_a_name_that_is_taken_is_refused_before_anything_is_copied(site: Site, tmp_path: Path) -> None:
    folder = tree(tmp_path / "mnt", LAYOUTS["rocky-9"])
    assert site.provd("import", str(folder)).exit_code == 0
    before = site.everything()
    done = site.provd("import", str(folder))
    assert (done.exit_code, site.everything()) == (1, before)
    assert "is there already: choose another --name" in done.output


def test_what_was_begun_is_removed_when_it_fails(site: Site, tmp_path: Path) -> None:
    folder = tree(tmp_path / "mnt", LAYOUTS["rocky-9"])
    (folder / "images/pxeboot/initrd.img").unlink()
    done = site.provd("import", str(folder))
    assert (done.exit_code, site.everything()) == (1, set())
    assert "has no file images/pxeboot/initrd.img" in done.output
    assert not (site.root / "data/payload/rocky-9").exists()


def _file(folder: Path, octets: bytes) -> str:
    path = folder / "x.iso"
    path.write_bytes(octets)
    return str(path)


BAD: dict[str, tuple[Callable[[Path], str], str]] = {
    "absent": (lambda folder: str(folder / "nowhere"), "is not there"),
    "no image": (lambda folder: _file(folder, b"no image"), "is no ISO 9660 image, or is damaged"),
    "half an image": (
        lambda folder: _file(folder, make_iso(folder / "y.iso", {"a": b"x"}).read_bytes()[:40_000]),
        "damaged",
    ),
    "another scheme": (lambda _folder: "ftp://10.0.0.1/x", "is no http or https URL"),
    "a password": (lambda _folder: "http://user:secret@10.0.0.1/x", "without a password"),
    "nobody there": (lambda _folder: "http://127.0.0.1:1/x", "cannot be reached"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_medium_that_cannot_be_read_is_one_sentence(site: Site, tmp_path: Path, case: str) -> None:
    make, sentence = BAD[case]
    done = site.provd("import", make(tmp_path))
    assert done.exit_code == 1
    assert sentence in done.output
    assert done.output.count("\n") == 1


def test_links_that_leave_the_tree_or_go_in_circles_are_no_files(site: Site, tmp_path: Path) -> None:
    folder = tree(tmp_path / "mnt", LAYOUTS["rocky-9"])
    info = folder / ".treeinfo"
    info.unlink()
    info.symlink_to(tree(tmp_path / "outside", LAYOUTS["rocky-9"]) / ".treeinfo")
    assert site.provd("import", str(folder)).exit_code == 1
    info.unlink()
    info.symlink_to(info)
    assert site.provd("import", str(folder)).exit_code == 1


def test_an_imported_image_boots_a_simulated_machine(site: Site, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "R.iso", LAYOUTS["rocky-9"])
    assert site.provd("import", str(image)).exit_code == 0
    tree(site.root / "data/payload/loaders", {"pxelinux.0": b"p" * 900, "ldlinux.c32": b"l" * 900})
    profile = site.root / "site/profiles/rocky-9.toml"
    profile.write_text(profile.read_text() + '[answers]\nroot_password_hash = "$6$x"\n')
    server = MemoryServer(site.root / "provd.toml", "10.0.0.1", "eth0")
    server.services.host.start(MirrorRuntime())
    server.services.systems.add(System("web1", "rocky-9", (Interface("eth0", Mac(MACHINE.mac)),)))
    server.turn()
    boot = simulate(server, MACHINE, "bios", seed=1)
    assert boot.outcome == "installed", boot.text()
    assert boot.started is not None
    assert boot.installed is not None
    assert boot.started.kernel == b"kernel"
    assert boot.installed.source.endswith("/iso/rocky-9")


@pytest.mark.parametrize("name", ["fedora-coreos-43", "flatcar-4459"])
@pytest.mark.parametrize("kind", ["directory", "iso"])
def test_systems_with_ignition_are_imported_with_what_their_installer_wants(
    site: Site, tmp_path: Path, name: str, kind: str
) -> None:
    medium = (
        tree(tmp_path / "mnt", LAYOUTS[name]) if kind == "directory" else make_iso(tmp_path / "m.iso", LAYOUTS[name])
    )
    done = site.provd("import", str(medium))
    assert done.exit_code == 0, done.output
    assert site.problems() == []
    distro = site.distro(name)
    start = name if kind == "directory" else f"iso:{name}"
    assert distro["tree"] == (f"{start}/images/pxeboot/rootfs.img" if name.startswith("fedora") else start)


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [("alpine-3.22", "iso", "iso:alpine-3.22"), ("alpine-3.22-netboot", "directory", "alpine-3.22-netboot")],
)
def test_alpine_is_imported_with_where_its_modules_are(
    site: Site, tmp_path: Path, name: str, kind: str, found: str
) -> None:
    medium = (
        tree(tmp_path / "mnt", LAYOUTS[name]) if kind == "directory" else make_iso(tmp_path / "m.iso", LAYOUTS[name])
    )
    done = site.provd("import", str(medium))
    assert done.exit_code == 0, done.output
    assert site.problems() == []
    distro = site.distro(name)
    assert distro["tree"] == found
    on_medium = {"repository": "apks", "modloop": "boot/modloop-lts", "flavor": "lts"}
    assert distro.get("vars", {}) == (on_medium if kind == "iso" else {})


@pytest.mark.parametrize("name", ["debian-12-arm64", "debian-12-arm64-netboot"])
def test_row_36_an_imported_medium_for_arm64_is_for_arm64(tmp_path: Path, name: str) -> None:
    site = Site(tmp_path)
    result = site.provd("import", str(tree(tmp_path / "medium", LAYOUTS[name])))
    assert result.exit_code == 0, result.output
    distro = site.distro(name)
    assert distro["arch"] == "aarch64"
    assert "/EFI/BOOT/BOOTAA64.EFI" in str(distro["efi_loaders"])
    assert site.problems() == []


@pytest.mark.parametrize(("name", "product"), [("sles-16.0", "SLES"), ("opensuse-leap-16.0", "openSUSE_Leap")])
def test_row_36_an_imported_medium_with_agama_says_product_and_repository(
    tmp_path: Path, name: str, product: str
) -> None:
    site = Site(tmp_path)
    result = site.provd("import", str(tree(tmp_path / "medium", LAYOUTS[name])))
    assert result.exit_code == 0, result.output
    distro = site.distro(name)
    assert (distro["family"], distro["installer"], distro["version"]) == ("suse", "agama", "16.0")
    assert distro["vars"] == {"product": product, "repository": "install"}
    assert site.problems() == []


def test_row_36_an_imported_full_medium_of_suse_says_product_and_modules(tmp_path: Path) -> None:
    site = Site(tmp_path)
    result = site.provd("import", str(tree(tmp_path / "medium", LAYOUTS["sles-15.6"])))
    assert result.exit_code == 0, result.output
    distro = site.distro("sles-15.6")
    assert (distro["family"], distro["installer"], distro["version"]) == ("suse", "autoyast", "15.6")
    assert distro["vars"] == {"product": "SLES", "modules": "Basesystem Server-Applications"}
    assert site.problems() == []


def test_the_command_that_simulates_reads_an_imported_image(site: Site, tmp_path: Path) -> None:
    image = make_iso(tmp_path / "R.iso", LAYOUTS["rocky-9"])
    assert site.provd("import", str(image)).exit_code == 0
    tree(site.root / "data/payload/loaders", {"pxelinux.0": b"p" * 900, "ldlinux.c32": b"l" * 900})
    profile = site.root / "site/profiles/rocky-9.toml"
    profile.write_text(profile.read_text() + '[answers]\nroot_password_hash = "$6$x"\n')
    booted = site.provd("simulate", "--profile", "rocky-9")
    assert booted.exit_code == 0, booted.output
    (site.root / "data/iso/rocky-9.iso").write_bytes(b"no image")
    refused = site.provd("simulate", "--profile", "rocky-9")
    assert refused.exit_code == 1
    assert "is no ISO 9660 image" in refused.output
