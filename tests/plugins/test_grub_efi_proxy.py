"""grub_efi where another DHCP server gives the addresses (rule P08)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from plugins.grub_efi import PLUGIN, GrubEfi, GrubSettings
from plugins.grub_efi.server_image import SERVER_MARK
from provd.payload import grub as payload_grub
from provd.plugin.api import BootFile, BootLoader, BootPlan, Content, FileRequest
from provd.testing.samples import client, payload, plan

IMAGE = b"MZ head " + SERVER_MARK + b"\nrest of the memdisk"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    data = payload(tmp_path, "shimx64.efi", "grubx64.efi", "grubx64-http.efi")
    (file,) = data.glob("payload/loaders/grubx64-http.efi")
    file.write_bytes(IMAGE)
    return file


def plugin(image: Path, **settings: object) -> GrubEfi:
    built = PLUGIN.build(GrubSettings(data_dir=str(image.parents[2]), **settings))  # type: ignore[arg-type]
    assert isinstance(built, GrubEfi)
    return built


def loader(made: GrubEfi) -> BootLoader:
    (only,) = made.provd_boot_loaders()
    return only


def proxied(arch: int = 7, port: int = 80) -> BootPlan:
    asking = replace(client(arch), labels=frozenset({"proxy"}))
    return replace(plan(arch=arch), client=asking, server="10.0.0.1", http_port=port)


@pytest.mark.parametrize(("arch", "transport"), [(7, "tftp"), (16, "http")])
def test_P08_the_unsigned_grub_gets_the_address_written_into_it(image: Path, arch: int, transport: str) -> None:
    made, wanted = plugin(image), proxied(arch, 8080)
    chosen = loader(made).select(wanted.client, wanted)
    assert chosen == BootFile("proxy/10.0.0.1-8080/grubx64-http.efi", transport)
    served = made.provd_file(FileRequest("tftp", chosen.path, "10.0.0.50", "10.0.0.1"))
    assert isinstance(served, Content)
    assert isinstance(served.body, bytes)
    assert len(served.body) == served.length == len(IMAGE)
    assert b"set provd_server=10.0.0.1:8080 #-" in served.body
    assert served.body.endswith(b"-\nrest of the memdisk")


def test_P08_each_processor_has_its_own_image(image: Path) -> None:
    folder = image.parents[1] / "loaders-arm64"
    folder.mkdir()
    (folder / "grubaa64-http.efi").write_bytes(IMAGE.replace(b"head", b"aa64"))
    made, wanted = plugin(image), proxied(11)
    assert loader(made).select(wanted.client, wanted) == BootFile("proxy/10.0.0.1-80/grubaa64-http.efi")
    bodies = []
    for name in ("grubaa64-http.efi", "grubx64-http.efi", "grubaa64-http.efi"):
        served = made.provd_file(FileRequest("tftp", f"proxy/10.0.0.1-80/{name}", "10.0.0.50", "10.0.0.1"))
        assert isinstance(served, Content)
        assert isinstance(served.body, bytes)
        bodies.append(served.body[:7])
    assert bodies == [b"MZ aa64", b"MZ head", b"MZ aa64"]


def test_P08_the_signed_chain_is_served_where_the_site_says_so(image: Path) -> None:
    wanted = proxied()
    assert loader(plugin(image, proxy_build="signed")).select(wanted.client, wanted) == BootFile("shimx64.efi")


def test_P08_an_image_of_an_older_provd_is_not_offered(image: Path) -> None:
    made, wanted = plugin(image), proxied()
    assert loader(made).select(wanted.client, wanted) is not None
    image.write_bytes(b"made by an older provd")
    assert loader(made).select(wanted.client, wanted) is None


def test_the_line_is_the_one_that_is_built_into_the_image() -> None:
    assert SERVER_MARK.decode() == payload_grub.SERVER_MARK
    assert len(b"set provd_server=255.255.255.255:65535 #") <= len(SERVER_MARK)


@pytest.mark.parametrize(
    "path", ["proxy/10.0.0.1/grubx64-http.efi", "proxy/$x-80/grubx64-http.efi", "proxy/1.1.1.1-80/x"]
)
def test_no_other_name_is_a_proxys(image: Path, path: str) -> None:
    assert plugin(image).provd_file(FileRequest("tftp", path, "10.0.0.50", "10.0.0.1")) is None
