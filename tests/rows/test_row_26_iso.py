"""A machine that is installed out of an ISO image: kernel, initial RAM disk and tree (rows 17, 20 and 26)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from provd.simulate.boot import FirmwareName
from tests.fakes.iso_image import make_iso
from tests.fakes.mirror_world import MirrorRuntime
from tests.fakes.simulated_server import ENABLED, SimulatedServer

KERNEL, INITRD = b"iso kernel" * 3000, b"iso initrd" * 9000
DISTRO = """\
family = "redhat"
version = "9"
installer = "kickstart"
kernel = "iso:rocky/images/pxeboot/vmlinuz"
initrd = ["iso:rocky/images/pxeboot/initrd.img"]
tree = "iso:rocky"
"""


class IsoServer(SimulatedServer):
    enabled = (*ENABLED, "source_iso")

    def __init__(self, root: Path) -> None:
        (root / "data/iso").mkdir(parents=True)
        profile = 'distro = "el9iso"\n[answers]\nroot_password_hash = "$6$x"\n'
        super().__init__(root, further={"site/distros/el9iso.toml": DISTRO, "site/profiles/iso.toml": profile})


@pytest.fixture
def server(tmp_path: Path) -> IsoServer:
    return IsoServer(tmp_path)


def _medium(server: IsoServer) -> None:
    files = {"images/pxeboot/vmlinuz": KERNEL, "images/pxeboot/initrd.img": INITRD, ".treeinfo": b"[general]\n"}
    make_iso(server.root / "data/iso/rocky.iso", files)
    server.services.host.start(MirrorRuntime())


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi"])
def test_row_17_and_20_and_26_everything_comes_out_of_the_image(server: IsoServer, firmware: FirmwareName) -> None:
    _medium(server)
    server.add(profile="iso")
    transcript = server.boot(firmware)
    assert transcript.outcome == "installed", transcript.error
    assert transcript.kernel_sha256 == hashlib.sha256(KERNEL).hexdigest()
    assert transcript.initrd_sha256 == (hashlib.sha256(INITRD).hexdigest(),)
    assert transcript.started is not None
    assert "inst.repo=http://10.88.0.1/iso/rocky" in transcript.started.command_line


def test_row_26_an_image_that_is_missing_holds_the_machine_with_the_reason(server: IsoServer) -> None:
    server.services.host.start(MirrorRuntime())
    server.add(profile="iso")
    transcript = server.boot()
    assert transcript.outcome != "installed"
    session = server.store.sessions.sessions(limit=1)[0]
    texts = " ".join(str(event.fields) for event in server.store.sessions.events(session.id))
    assert "iso:rocky/images/pxeboot/vmlinuz of el9iso is missing: there is no image 'rocky'" in texts
