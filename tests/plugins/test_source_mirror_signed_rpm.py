"""The package mirror against signed repositories of rpm packages: real keys and gpgv(1), metadata made here."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from tests.fakes.archive_key import Signer, give, trusting, whole
from tests.fakes.mirror_world import FakeStream, World, kept, refused, unfinished

BASE = "mirror/deb/9/BaseOS/x86_64/os/"
ROOT = f"{BASE}repodata/repomd.xml"
RPM = f"{BASE}Packages/b/bash-5.1.rpm"
OCTETS = b"a package"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.compress,
    "": bytes,
}


def primary(**packages: bytes) -> bytes:
    rows = "".join(
        f'<package type="rpm"><name>{name}</name><checksum type="sha256" pkgid="YES">{sha256(octets).hexdigest()}'
        f'</checksum><location href="Packages/b/{name}-5.1.rpm"/><format><file>/bin/{name}</file></format></package>'
        for name, octets in packages.items()
    )
    return f'<?xml version="1.0"?><metadata xmlns="urn:x" packages="1">{rows}</metadata>'.encode()


def index_of(packed: bytes, suffix: str = ".gz") -> str:
    return f"{BASE}repodata/{sha256(packed).hexdigest()}-primary.xml{suffix}"


def repomd(*paths: tuple[str, bytes], kind: str = "sha256") -> bytes:
    rows = "".join(
        f'<data type="primary"><checksum type="{kind}">{sha256(octets).hexdigest()}</checksum>'
        f'<open-checksum type="sha256">{"0" * 64}</open-checksum><location href="{path.removeprefix(BASE)}"/></data>'
        for path, octets in paths
    )
    return f'<?xml version="1.0"?><repomd xmlns="urn:x"><revision>1</revision>{rows}</repomd>'.encode()


PACKED = gzip.compress(primary(bash=OCTETS), mtime=0)
INDEX = index_of(PACKED)
LIST = repomd((INDEX, PACKED))


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    made = Signer()
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path, signer: Signer) -> World:
    return trusting(tmp_path, signer)


def have(world: World, path: str, octets: bytes, *further: bytes) -> None:
    """Ask for a file that upstream has, and for what the mirror asks for by itself."""
    give(world, octets, *further)
    assert whole(world, path) == octets


def asked(world: World) -> list[str]:
    return [url.rpartition("/")[2] for url, _ in world.runtime.asked]


def test_signature_index_and_package_agree(world: World, signer: Signer) -> None:
    have(world, ROOT, LIST, signer.detached(LIST))
    have(world, INDEX, PACKED)
    have(world, RPM, OCTETS)
    assert (world.status()["errors"], unfinished(world)) == (0, [])
    assert asked(world)[:2] == ["repomd.xml", "repomd.xml.asc"]


@pytest.mark.parametrize("suffix", list(PACKERS))
def test_every_compression_of_an_index_is_read(world: World, signer: Signer, suffix: str) -> None:
    packed = PACKERS[suffix](primary(bash=OCTETS))
    index = index_of(packed, suffix)
    text = repomd((index, packed))
    have(world, ROOT, text, signer.detached(text))
    have(world, index, packed)
    have(world, RPM, OCTETS)
    give(world, b"another")
    assert whole(world, f"{BASE}Packages/b/zsh-5.1.rpm") is None


def test_a_changed_package_is_not_kept(world: World, signer: Signer) -> None:
    have(world, ROOT, LIST, signer.detached(LIST))
    have(world, INDEX, PACKED)
    give(world, b"A package")
    assert whole(world, RPM) is None
    assert "its SHA-256 is" in world.status()["last_error"]
    assert not kept(world, RPM).exists()
    have(world, RPM, OCTETS)


def test_a_package_alone_makes_the_mirror_learn_its_repository(world: World, signer: Signer) -> None:
    give(world, OCTETS)
    world.runtime.streams += [FakeStream(404), FakeStream(404)]
    give(world, LIST, signer.detached(LIST), PACKED)
    assert whole(world, RPM) == OCTETS
    assert asked(world) == [
        "bash-5.1.rpm", "repomd.xml", "repomd.xml", "repomd.xml", "repomd.xml.asc", INDEX.rpartition("/")[2],
    ]  # fmt: skip


def test_a_package_that_no_repository_lists_is_refused(world: World, signer: Signer) -> None:
    have(world, ROOT, LIST, signer.detached(LIST))
    have(world, INDEX, PACKED)
    give(world, OCTETS)
    assert whole(world, f"{BASE}Packages/b/evil-1.rpm") is None
    assert "no signed index of a repository above it lists it" in world.status()["last_error"]


def test_a_package_where_no_repository_is_is_refused(world: World) -> None:
    give(world, OCTETS)
    world.runtime.streams += [FakeStream(404)] * 7
    assert whole(world, RPM) is None


@pytest.mark.parametrize("change", ["changed", "another key", "no signature"])
def test_a_list_that_is_not_signed_so_is_refused(world: World, signer: Signer, change: str) -> None:
    signature = signer.detached(LIST)
    if change == "another key":
        other = Signer()
        signature = other.detached(LIST)
        other.close()
    give(world, LIST.replace(b"<revision>1", b"<revision>2") if change == "changed" else LIST)
    if change == "no signature":
        world.runtime.streams.append(FakeStream(404))
    else:
        give(world, signature)
    assert whole(world, ROOT) is None
    told = "there is no signature of it" if change == "no signature" else "signed it"
    assert told in world.status()["last_error"]
    assert (kept(world, ROOT).exists(), unfinished(world)) == (False, [])
    assert refused(world.answer(f"{BASE}repodata/../x")).status == 403


def test_a_new_list_is_checked_by_its_new_signature_and_brings_new_packages(world: World, signer: Signer) -> None:
    have(world, ROOT, LIST, signer.detached(LIST))
    have(world, INDEX, PACKED)
    new = gzip.compress(primary(bash=OCTETS, zsh=b"zsh"), mtime=0)
    text = repomd((index_of(new), new))
    world.now = 10_000.0
    have(world, ROOT, text, signer.detached(text))
    give(world, b"zsh", new)
    assert whole(world, f"{BASE}Packages/b/zsh-5.1.rpm") == b"zsh"


def test_a_changed_index_is_not_kept(world: World, signer: Signer) -> None:
    plain = f"{BASE}repodata/primary.xml.gz"
    text = repomd((plain, PACKED))
    have(world, ROOT, text, signer.detached(text))
    give(world, gzip.compress(primary(evil=b"evil")))
    assert whole(world, plain) is None
    assert not kept(world, plain).exists()
    have(world, plain, PACKED)


@pytest.mark.parametrize(
    ("text", "packed", "sentence"),
    [
        (b"no xml", PACKED, "repomd.xml is no XML"),
        (repomd((INDEX, PACKED), kind="sha512"), PACKED, "repodata/repomd.xml promises no SHA-256 for it"),
        (b'<!DOCTYPE repomd [<!ENTITY a "b">]><repomd>&a;</repomd>', PACKED, "it has a document type"),
        (None, b"no gzip", "Not a gzipped file"),
        (None, PACKED[:10] + b"\x07" + PACKED[11:], "cannot be unpacked"),
        (None, gzip.compress(b"<metadata><package>", mtime=0), "-primary.xml.gz is no XML"),
    ],
)
def test_what_cannot_be_read_is_told(
    world: World, signer: Signer, text: bytes | None, packed: bytes, sentence: str
) -> None:
    index = index_of(packed)
    text = text or repomd((index, packed))
    give(world, text, signer.detached(text))
    if whole(world, ROOT) is not None:
        give(world, packed)
        assert whole(world, index) is None
    assert sentence in world.status()["last_error"]


def test_with_upstream_gone_what_was_verified_is_served(world: World, signer: Signer) -> None:
    have(world, ROOT, LIST, signer.detached(LIST))
    have(world, INDEX, PACKED)
    have(world, RPM, OCTETS)
    world.now = 10_000.0
    world.runtime.streams += [ConnectionError("gone")] * 4
    assert [whole(world, path) for path in (ROOT, INDEX, RPM)] == [LIST, PACKED, OCTETS]
