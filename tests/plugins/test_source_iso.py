"""Files out of ISO images: names, links, damage, images that change, containment."""

from __future__ import annotations

import errno
import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.source_iso import SettingsOfSourceIso, SourceIso
from plugins.source_iso.index import Extent, IsoError, read_index
from provd.model.boot import Action
from provd.plugin.api import AwaitedBody, BootPlan, ClientFacts, Content, FileBody, FileRequest, NotFound
from provd.testing.runtime import run_now
from tests.fakes.iso_image import make_iso
from tests.fakes.mirror_world import MirrorRuntime

FILES = {
    "images/pxeboot/vmlinuz": b"kernel" * 1000,
    "images/pxeboot/initrd.img": b"initrd" * 2000,
    "BaseOS/Packages/a/a-very-long-package-name-1.2.3-4.el9.x86_64.rpm": b"rpm",
    "dists/bookworm/Release": b"Suite: stable\n",
    ".treeinfo": b"[general]\n",
    "empty": b"",
}
LINKS = {"dists/stable": "bookworm", "debian": ".", "up": "../etc", "round": "round", "far": "/etc/passwd"}


class World:
    def __init__(self, root: Path) -> None:
        self.plugin = SourceIso(SettingsOfSourceIso(data_dir=str(root)))
        self.plugin.start(MirrorRuntime())

    def ask(self, path: str, method: str = "GET") -> Content | NotFound:
        answer = self.plugin.provd_file(FileRequest("http", f"iso/{path}", "10.0.0.9", "10.0.0.1", method=method))
        assert answer is not None
        if isinstance(answer, Content) and isinstance(answer.body, AwaitedBody):
            return run_now(answer.body.answer())  # type: ignore[no-any-return]
        return answer

    def octets(self, path: str) -> bytes:
        answer = self.ask(path)
        assert isinstance(answer, Content), answer
        assert isinstance(answer.body, FileBody)
        with answer.body.path.open("rb") as file:
            return os.pread(file.fileno(), answer.length, answer.body.offset)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "iso").mkdir()
    return tmp_path


@pytest.fixture
def world(root: Path) -> World:
    make_iso(root / "iso/rocky.iso", FILES, links=LINKS)
    return World(root)


@pytest.mark.parametrize(("rock_ridge", "joliet"), [(True, False), (False, True), (True, True)])
def test_every_file_is_found_by_its_long_name(root: Path, rock_ridge: bool, joliet: bool) -> None:
    make_iso(root / "iso/rocky.iso", FILES, rock_ridge=rock_ridge, joliet=joliet)
    world = World(root)
    assert {name: world.octets(f"rocky/{name}") for name in FILES} == FILES


def test_without_long_names_they_are_in_lower_case(root: Path) -> None:
    make_iso(root / "iso/old.iso", {"isolinux/vmlinuz": b"k", "README": b"r"}, rock_ridge=False)
    world = World(root)
    assert (world.octets("old/isolinux/vmlinuz"), world.octets("old/readme")) == (b"k", b"r")


def test_links_inside_the_image_are_followed(world: World) -> None:
    assert world.octets("rocky/dists/stable/Release") == FILES["dists/bookworm/Release"]
    assert world.octets("rocky/debian/debian/dists/stable/Release") == FILES["dists/bookworm/Release"]


@pytest.mark.parametrize("path", ["up/passwd", "round", "far", "nothing", "images/../../x", ".treeinfo/x", "empty/.."])
def test_C20_no_name_and_no_link_leads_out_of_the_image(world: World, path: str) -> None:
    answer = world.ask(f"rocky/{path}")
    assert isinstance(answer, NotFound)


def test_what_a_file_is_told_with_it(world: World) -> None:
    answer = world.ask("rocky/images/pxeboot/initrd.img")
    assert isinstance(answer, Content)
    assert (answer.length, answer.media_type) == (12_000, "application/vnd.efi-img")
    other = world.ask("rocky/images/pxeboot/vmlinuz")
    assert isinstance(other, Content)
    assert answer.etag != other.etag


def test_a_directory_is_listed_for_people(world: World) -> None:
    answer = world.ask("rocky/images")
    assert isinstance(answer, Content)
    assert (answer.body, answer.media_type) == (b"pxeboot/\n", "text/plain; charset=utf-8")
    top = world.ask("rocky/")
    assert isinstance(top, Content)
    assert isinstance(top.body, bytes)
    assert b"images/\n" in top.body


@pytest.mark.parametrize("name", ["", "..", ".", "no-such", "rocky.iso"])
def test_there_is_no_such_image(world: World, name: str) -> None:
    assert isinstance(world.ask(f"{name}/x"), NotFound)


def test_images_can_only_be_read(world: World) -> None:
    answer = world.ask("rocky/empty", "POST")
    assert isinstance(answer, NotFound)
    assert answer.status == 405


def test_another_image_of_the_same_name_is_served_from_then_on(world: World, root: Path) -> None:
    assert world.octets("rocky/empty") == b""
    make_iso(root / "iso/new", {"empty": b"now full", "images/other": b"x"})
    (root / "iso/new").replace(root / "iso/rocky.iso")
    assert world.octets("rocky/empty") == b"now full"
    assert isinstance(world.ask("rocky/images/pxeboot/vmlinuz"), NotFound)
    (root / "iso/rocky.iso").unlink()
    assert isinstance(world.ask("rocky/empty"), NotFound)


@pytest.mark.parametrize("octets", [b"", b"no image" * 9000, bytes(40_000)])
def test_what_is_no_image_is_told_in_one_sentence(root: Path, octets: bytes) -> None:
    (root / "iso/bad.iso").write_bytes(octets)
    make_iso(root / "iso/good.iso", FILES)
    world = World(root)
    answer = world.ask("bad/x")
    assert isinstance(answer, NotFound)
    assert answer.status == 500
    assert answer.reason.startswith("image bad: ")
    assert "\n" not in answer.reason
    # It is not read again and again, and the other image is served.
    assert world.ask("bad/x") == answer
    assert world.octets("good/empty") == b""


@pytest.mark.parametrize("why", [errno.EACCES, errno.EMFILE])
def test_an_image_that_could_not_be_read_is_tried_again(root: Path, monkeypatch: pytest.MonkeyPatch, why: int) -> None:
    def refuses(*_arguments: Any) -> None:
        raise OSError(why, os.strerror(why))

    make_iso(root / "iso/rocky.iso", FILES)
    with monkeypatch.context() as first:
        first.setattr(Path, "open", refuses)
        world = World(root)
        refused = world.ask("rocky/.treeinfo")
        assert isinstance(refused, NotFound)
        assert refused.reason.endswith(f"rocky.iso cannot be read: {os.strerror(why)}")
    # chmod(2) changes neither octets nor time of the image.
    assert world.octets("rocky/.treeinfo") == FILES[".treeinfo"]


def test_an_image_that_ends_too_early_is_told(root: Path) -> None:
    path = make_iso(root / "iso/cut.iso", {"big": bytes(1_000_000)})
    with path.open("r+b") as file:
        file.truncate(200_000)
    answer = World(root).ask("cut/big")
    assert isinstance(answer, NotFound)
    assert "image cut: " in answer.reason


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 30))
def test_damage_is_an_IsoError_or_an_image(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path_factory.mktemp("iso") / "x.iso"
    octets = bytearray(_SMALL)
    for _ in range(chance.choice((1, 8, 100))):
        octets[chance.randrange(32_768, len(octets))] = chance.randrange(256)
    path.write_bytes(octets)
    with suppress(IsoError):
        read_index(path).find("a/b/c")


def _small() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return make_iso(Path(folder) / "x.iso", {"a/b/c": b"c" * 3000, "d": b"d"}, links={"e": "d"}).read_bytes()


_SMALL = _small()


def in_parts(path: Path, first: bytes, second: bytes, said: int) -> Path:
    """An image whose file ``boot/part`` has two directory records, as one of 4 GiB and more has (ECMA-119, 6.5.1).

    The first record says that its part has ``said`` octets.
    """
    octets = bytearray(make_iso(path, {"boot/part": first, "boot/qart": second}, rock_ridge=False).read_bytes())
    # ECMA-119, 9.1: data length (both byte orders), file flags and identifier of a directory record
    record = octets.index(b"PART;1") - 33
    octets[record + 10 : record + 18] = said.to_bytes(4, "little") + said.to_bytes(4, "big")
    octets[record + 25] |= 0x80
    at = octets.index(b"QART;1")
    octets[at : at + 6] = b"PART;1"
    path.write_bytes(octets)
    return path


def test_a_file_of_many_parts_is_one(tmp_path: Path) -> None:
    first, second = b"a" * 4096, b"b" * 100
    image = in_parts(tmp_path / "big.iso", first, second, len(first))
    index = read_index(image)
    found = index.find("boot/part")
    assert isinstance(found, Extent)
    assert image.read_bytes()[found.offset : found.offset + found.length] == first + second
    assert index.files == 1


def test_parts_that_do_not_lie_end_to_end_are_refused(tmp_path: Path) -> None:
    image = in_parts(tmp_path / "big.iso", b"a" * 4096, b"b" * 100, said=2048)
    with pytest.raises(IsoError, match=r"big\.iso has the file part in pieces that do not lie one behind the other"):
        read_index(image)


def test_resolve_and_kernels(world: World) -> None:
    plan: Any = BootPlan(Action.INSTALL, "", ClientFacts.__new__(ClientFacts), server="10.0.0.1", http_port=8080)
    location = world.plugin.resolve("iso:rocky/BaseOS", plan)
    assert location is not None
    assert (location.host, location.path, location.port) == ("10.0.0.1", "/iso/rocky/BaseOS", 8080)
    assert world.plugin.resolve("iso:other", plan) is None
    assert world.plugin.resolve("iso:rocky/../x", plan) is None
    kernel = world.plugin.file("iso:rocky/images/pxeboot/vmlinuz")
    assert isinstance(kernel, Content)
    assert kernel.length == 6000
    assert isinstance(world.plugin.file("iso:rocky/no"), NotFound)


def test_where_no_service_runs_an_image_is_read_when_it_is_asked_for(root: Path) -> None:
    make_iso(root / "iso/rocky.iso", FILES)
    (root / "iso/junk.iso").write_bytes(b"junk")
    plugin = SourceIso(SettingsOfSourceIso(data_dir=str(root)))
    assert isinstance(plugin.file("iso:rocky/images/pxeboot/vmlinuz"), Content)
    answer = plugin.file("iso:junk/images/pxeboot/vmlinuz")
    assert isinstance(answer, NotFound)
    assert "image junk: " in answer.reason


@pytest.mark.parametrize("images", [{"a/b": "/x"}, {"": "/x"}, {"..": "/x"}, {"a": "relative.iso"}])
def test_settings_are_names_and_absolute_paths(images: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="images"):
        SettingsOfSourceIso(images=images)
