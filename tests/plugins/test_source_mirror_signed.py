"""The package mirror against signed indexes: real keys and gpgv(1), an archive made here."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.fakes.archive_key import Signer, give, trusting, whole
from tests.fakes.mirror_world import DEB, PACKAGES, RELEASE, FakeStream, World, have, kept, refused, unfinished

ROOT = "mirror/deb/"
OCTETS = b"a package"
INDEX = lzma.compress(
    f"Package: a\nFilename: {DEB.removeprefix(ROOT)}\nSize: 9\nSHA256: {sha256(OCTETS).hexdigest()}\n\n"
    f"Package: b\nSHA256: {'0' * 64}\nFilename: pool/b.deb\n".encode()
)


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    made = Signer()
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path, signer: Signer) -> World:
    return trusting(tmp_path, signer)


def release(**digests: bytes) -> str:
    lines = [f" {sha256(octets).hexdigest()} {len(octets)} {name}" for name, octets in digests.items()]
    return "Origin: Here\nMD5Sum:\n 0 1 main/x\nSHA256:\n" + "\n".join(lines) + "\nSHA512:\n 1 1 main/y\n"


LISTED: dict[str, bytes] = {"main/binary-amd64/Packages.xz": INDEX}


def test_signature_index_and_package_agree(world: World, signer: Signer) -> None:
    have(world, RELEASE, signer.sign(release(**LISTED)))
    have(world, PACKAGES, INDEX)
    have(world, DEB, OCTETS)
    assert (world.status()["errors"], unfinished(world)) == (0, [])


def test_a_changed_package_is_not_kept(world: World, signer: Signer) -> None:
    have(world, RELEASE, signer.sign(release(**LISTED)))
    have(world, PACKAGES, INDEX)
    give(world, b"A package")
    assert whole(world, DEB) is None
    assert "its SHA-256 is" in world.status()["last_error"]
    assert not kept(world, DEB).exists()
    give(world, OCTETS)
    assert whole(world, DEB) == OCTETS


def test_a_package_that_no_index_lists_is_refused(world: World) -> None:
    give(world, OCTETS)
    assert whole(world, DEB) is None
    assert "no signed index" in world.status()["last_error"]


def test_a_changed_index_is_not_kept(world: World, signer: Signer) -> None:
    have(world, RELEASE, signer.sign(release(**LISTED)))
    give(world, lzma.compress(b"Package: evil\n"))
    assert whole(world, PACKAGES) is None
    assert not kept(world, PACKAGES).exists()


def test_text_outside_the_signature_promises_nothing(world: World, signer: Signer) -> None:
    evil = lzma.compress(b"Package: evil\n")
    outside = release(**{"main/binary-amd64/Packages.xz": evil}).encode()
    give(world, outside + b"\n" + signer.sign(release(**LISTED)))
    whole(world, RELEASE)
    give(world, evil)
    assert whole(world, PACKAGES) is None


@pytest.mark.parametrize("change", ["changed", "another key", "unsigned"])
def test_an_index_that_is_not_signed_so_is_refused(world: World, signer: Signer, change: str) -> None:
    text = signer.sign(release(**LISTED))
    if change == "changed":
        text = text.replace(b"Origin: Here", b"Origin: Gone")
    elif change == "unsigned":
        text = release(**LISTED).encode()
    else:
        other = Signer()
        text = other.sign(release(**LISTED))
        other.close()
    give(world, text)
    assert whole(world, RELEASE) is None
    assert "signed it" in world.status()["last_error"]
    assert (kept(world, RELEASE).exists(), unfinished(world)) == (False, [])


def test_the_mirror_fetches_the_signed_index_itself(world: World, signer: Signer) -> None:
    give(world, INDEX, signer.sign(release(**LISTED)))
    assert whole(world, PACKAGES) == INDEX
    assert kept(world, RELEASE).exists()


def test_without_a_signed_index_nothing_of_the_suite_is_kept(world: World) -> None:
    give(world, INDEX)
    world.runtime.streams.append(FakeStream(404))
    assert whole(world, PACKAGES) is None
    assert "there is no signed index of dists/bookworm" in world.status()["last_error"]


def test_a_file_by_hash_must_be_in_the_signed_index(world: World, signer: Signer) -> None:
    have(world, RELEASE, signer.sign(release(**LISTED)))
    here = PACKAGES.rpartition("/")[0] + "/by-hash/SHA256/"
    have(world, here + sha256(INDEX).hexdigest(), INDEX)
    have(world, DEB, OCTETS)
    give(world, b"evil")
    assert whole(world, here + sha256(b"evil").hexdigest()) is None
    assert "does not name it" in world.status()["last_error"]


def test_an_index_that_cannot_be_unpacked_is_told(world: World, signer: Signer) -> None:
    have(world, RELEASE, signer.sign(release(**{"main/binary-amd64/Packages.xz": b"no xz"})))
    give(world, b"no xz")
    assert whole(world, PACKAGES) is None
    assert "cannot be unpacked" in world.status()["last_error"]


def test_with_upstream_gone_what_was_verified_is_served(world: World, signer: Signer) -> None:
    have(world, RELEASE, signer.sign(release(**LISTED)))
    have(world, PACKAGES, INDEX)
    have(world, DEB, OCTETS)
    world.now = 10_000.0
    world.runtime.streams += [ConnectionError("gone")] * 4
    assert [whole(world, path) for path in (PACKAGES, DEB)] == [INDEX, OCTETS]
    assert refused(world.answer("mirror/deb/pool/b.deb")).status == 502
