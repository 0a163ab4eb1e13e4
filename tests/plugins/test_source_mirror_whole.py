"""Whole suites and repositories fetched before machines ask: what belongs to them, how much it is, what goes wrong."""

from __future__ import annotations

import gzip
import hashlib
import lzma
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provd.model.content import Content
from provd.plugin.api import HttpStream
from tests.fakes.mirror_world import DATE, FakeStream, MirrorRuntime, World

BASE = "http://MIRROR/debian/"


@dataclass
class ArchiveRuntime(MirrorRuntime):
    """An upstream that has files; what it lacks is 404."""

    files: dict[str, bytes] = field(default_factory=dict)
    slow: dict[str, FakeStream] = field(default_factory=dict)

    async def http_stream(self, method: str, url: str, **options: Any) -> HttpStream:
        headers: Mapping[str, str] = options.get("headers") or {}
        self.asked.append((url, dict(headers)))
        self.methods.append(method)
        path = url.removeprefix(BASE)
        if path in self.slow:
            return self.slow[path]
        octets = self.files.get(path)
        if octets is None:
            return FakeStream(404)
        if headers.get("If-Modified-Since") == DATE:
            return FakeStream(304)
        answer = FakeStream(200, length=len(octets))
        return answer if method == "HEAD" else answer.give(octets, b"")

    def paths(self) -> list[str]:
        return [url.removeprefix(BASE) for url, _ in self.asked]


def _sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


class Archive:
    """Files of an apt archive and of an rpm repository, and a mirror of both."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.world = World(root, **settings)
        self.runtime = ArchiveRuntime()
        self.world.runtime = self.runtime
        self.world.plugin.start(self.runtime)
        self.files = self.runtime.files

    def suite(self, packages: Mapping[str, Mapping[str, bytes]], *, by_hash: bool = True) -> None:
        """``dists/s``: by index (as in ``main/binary-amd64/Packages``), packages by path."""
        listed: dict[str, bytes] = {}
        for index, files in packages.items():
            self.files.update(files)
            text = "\n".join(
                f"Package: x\nFilename: {path}\nSize: {len(octets)}\nSHA256: {_sha256(octets)}\n"
                for path, octets in files.items()
            ).encode()
            listed |= {index: text, f"{index}.gz": gzip.compress(text), f"{index}.xz": lzma.compress(text)}
        lines = [f" {_sha256(octets)} {len(octets)} {name}" for name, octets in listed.items()]
        head = ["Origin: x", "Components: main contrib", "Architectures: amd64 arm64"]
        head += ["Acquire-By-Hash: yes"] * by_hash
        self.files["dists/s/InRelease"] = "\n".join([*head, "SHA256:", *lines, ""]).encode()
        for name, octets in listed.items():
            if name.endswith((".gz", ".xz")):  # archives list the plain index and do not have it
                self.files[f"dists/s/{name}"] = octets
                folder = name.rpartition("/")[0]
                self.files[f"dists/s/{folder}/by-hash/SHA256/{_sha256(octets)}"] = octets

    def repository(self, base: str, packages: Mapping[str, bytes], checksum: str = "sha256") -> None:
        """``base``: a repository of rpm packages with an installer beside it."""
        entries = "".join(
            f'<package type="rpm"><name>x</name><checksum type="{checksum}" pkgid="YES">{_sha256(octets)}</checksum>'
            f'<size package="{len(octets)}" installed="999999" archive="9"/><location href="{path}"/></package>'
            for path, octets in packages.items()
        )
        primary = gzip.compress(f'<metadata packages="{len(packages)}">{entries}</metadata>'.encode(), mtime=0)
        indexes = {"primary": primary, "filelists": b"filelists"}
        repomd = "<repomd><revision>1</revision>"
        for kind, octets in indexes.items():
            name = f"repodata/{_sha256(octets)}-{kind}.xml.gz"
            self.files[base + name] = octets
            repomd += f'<data type="{kind}"><checksum type="sha256">{_sha256(octets)}</checksum>'
            repomd += f'<open-size>7777</open-size><size>{len(octets)}</size><location href="{name}"/></data>'
        self.files[f"{base}repodata/repomd.xml"] = (repomd + "</repomd>").encode()
        self.files |= {base + path: octets for path, octets in packages.items()}

    def prefetch(self, **order: Any) -> dict[str, Any]:
        told: dict[str, Any] = self.world.run("mirror.prefetch", name="deb", **{"wait": True, **order})
        return told

    def missing(self, *left_out: str) -> set[str]:
        """What upstream has and the mirror does not."""
        kept = self.world.root / "mirror/deb/tree"
        return {path for path in self.files if not (kept / path).is_file()} - set(left_out)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


SUITE = {
    "main/binary-amd64/Packages": {"pool/a.deb": b"a" * 1000, "pool/b.deb": b"b" * 2000},
    "main/binary-all/Packages": {"pool/all.deb": b"c" * 10},
    "main/debian-installer/binary-amd64/Packages": {"pool/u.udeb": b"u" * 300},
    "main/binary-arm64/Packages": {"pool/arm.deb": b"arm"},
    "contrib/binary-amd64/Packages": {"pool/contrib.deb": b"contrib"},
}


def test_a_suite_is_fetched_whole_and_nothing_else_is(archive: Archive) -> None:
    archive.suite(SUITE)
    told = archive.prefetch(suites=("s",))
    assert (told["phase"], told["failed"], told["failures"]) == ("done", 0, [])
    assert told["done"] == told["total"]
    assert told["bytes_done"] == told["bytes_total"] >= 3310
    left = archive.missing()
    assert {path for path in left if path.startswith("pool")} == {"pool/arm.deb", "pool/contrib.deb"}
    fetched = {path for path in archive.runtime.paths() if path.startswith("dists")}
    assert not [path for path in fetched if "arm64" in path or "contrib" in path or path.endswith((".gz", "Packages"))]
    # apt asks for an index by its digest, debootstrap by its name
    assert {path.rpartition("/")[0].removeprefix("dists/s/") for path in fetched if "by-hash" in path} == {
        f"{index.rpartition('/')[0]}/by-hash/SHA256" for index in SUITE if "main" in index and "arm64" not in index
    }
    assert {"dists/s/Release", "dists/s/Release.gpg"} <= fetched, "what is optional is tried"


def test_further_components_and_architectures_are_named(archive: Archive) -> None:
    archive.suite(SUITE, by_hash=False)
    told = archive.prefetch(suites=("s",), components=("main", "contrib"), archs=("amd64", "arm64"))
    assert (told["failed"], {path for path in archive.missing() if path.startswith("pool")}) == (0, set())
    assert not [path for path in archive.runtime.paths() if "by-hash" in path]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"components": ("mian",)}, "dists/s/InRelease has no component 'mian', but main, contrib"),
        ({"archs": ("x86_64",)}, "dists/s/InRelease has no architecture 'x86_64', but amd64, arm64"),
        ({"suites": ("t",)}, "mirror deb: upstream has no dists/t/InRelease"),
        ({"repos": ("el/9",)}, "mirror deb: upstream has no el/9/repodata/repomd.xml"),
        ({"repos": ("el/../../x",)}, "is not the path of a file"),
    ],
)
def test_what_upstream_does_not_have_is_told(archive: Archive, order: dict[str, Any], told: str) -> None:
    archive.suite(SUITE)
    got = archive.prefetch(**{"suites": ("s",), **order})
    assert (got["phase"], got["failed"]) == ("done", 1)
    assert told in got["failures"][0]
    assert not [path for path in archive.runtime.paths() if path.startswith("pool")]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({}, "nothing is named"),
        ({"suites": ("../x",)}, "suites: '../x' is no suite"),
        ({"suites": ("s",), "components": ()}, "components: at least one"),
        ({"suites": ("s",), "archs": ("a b",)}, "archs: 'a b' is none"),
    ],
)
def test_orders_that_cannot_be_meant(archive: Archive, order: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        archive.prefetch(**order)


def test_a_dry_run_fetches_indexes_alone_and_tells_the_size(archive: Archive) -> None:
    archive.suite(SUITE, by_hash=False)
    told = archive.prefetch(suites=("s",), dry_run=True, wait=False)
    assert (told["phase"], told["dry_run"], told["failed"]) == ("done", True, 0)
    indexes = 3 * 1 + 1
    assert told["total"] == 4 + indexes + 2
    assert told["bytes_total"] - told["bytes_done"] == 3310
    assert not [path for path in archive.runtime.paths() if path.startswith("pool")]
    archive.prefetch(suites=("s",))
    again = archive.prefetch(suites=("s",), dry_run=True)
    assert again["bytes_total"] == again["bytes_done"]


def test_the_second_time_only_indexes_are_asked_for(archive: Archive) -> None:
    archive.suite(SUITE)
    archive.prefetch(suites=("s",))
    archive.world.now += 1000
    before = len(archive.runtime.asked)
    assert archive.prefetch(suites=("s",))["failed"] == 0
    assert not [path for path in archive.runtime.paths()[before:] if "pool" in path or "by-hash" in path]


def _with_installer(archive: Archive) -> None:
    archive.repository("9/os/", {"Packages/a.rpm": b"a" * 500, "Packages/b.rpm": b"b" * 700})
    beside = {"images/install.img": b"stage2" * 100, "images/pxeboot/vmlinuz": b"kernel", "images/boot.iso": b"medium"}
    lines = "".join(f"{name} = sha256:00\n" for name in (*beside, "repodata/repomd.xml", "images/absent.img"))
    archive.files["9/os/.treeinfo"] = f"[general]\nname = x%y\n[checksums]\n{lines}".encode()
    archive.files |= {f"9/os/{name}": octets for name, octets in beside.items()}


def test_a_repository_is_fetched_whole_with_its_installer(archive: Archive) -> None:
    _with_installer(archive)
    archive.repository("8/os/", {"Packages/c.rpm": b"c"})
    told = archive.prefetch(repos=("9/os",))
    assert told["failures"] == ["mirror deb: upstream has no 9/os/images/absent.img"]
    assert {path for path in archive.missing() if path.startswith("9/")} == {"9/os/images/boot.iso"}
    assert not [path for path in archive.runtime.paths() if path.startswith("8/")]
    assert told["bytes_done"] == told["bytes_total"] > 1800


def test_the_size_of_the_installer_is_asked_for_and_told_first(archive: Archive) -> None:
    _with_installer(archive)
    told = archive.prefetch(repos=("9/os",), dry_run=True)
    assert told["bytes_total"] - told["bytes_done"] == 1200 + len(b"filelists") + 600 + len(b"kernel")
    asked = zip(archive.runtime.methods, archive.runtime.paths(), strict=True)
    assert {path for method, path in asked if method == "HEAD"} == {
        f"9/os/images/{name}" for name in ("install.img", "pxeboot/vmlinuz", "absent.img")
    }


@pytest.mark.parametrize("octets", [b"[checksums", b"\xff\x00", b"x" * (2 << 20), b"a = b"])
def test_a_treeinfo_that_is_none_is_told(archive: Archive, octets: bytes) -> None:
    archive.repository("", {"a.rpm": b"a"})
    archive.files[".treeinfo"] = octets
    told = archive.prefetch(repos=("",))
    assert told["failures"][0].startswith(".treeinfo: it ")


def test_sizes_of_rpm_packages_are_those_of_the_files_and_other_checksums_are_no_hindrance(archive: Archive) -> None:
    archive.repository("", {"a.rpm": b"a" * 5000}, checksum="sha512")
    told = archive.prefetch(repos=("/",), dry_run=True)
    assert told["bytes_total"] - told["bytes_done"] == 5000 + len(b"filelists")


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("primary", b"no gzip"),
        ("primary", gzip.compress(b"<metadata><package>", mtime=0)),
        ("primary", gzip.compress(b"<metadata/>", mtime=0)[:10] + b"\x07" * 20),
    ],
)
def test_an_index_that_is_damaged_is_told(archive: Archive, name: str, octets: bytes) -> None:
    archive.repository("", {"a.rpm": b"a"})
    path = f"repodata/{name}.xml.gz"
    archive.files[path] = octets
    archive.files["repodata/repomd.xml"] = (
        f'<repomd><data type="primary"><size>7</size><location href="{path}"/></data></repomd>'.encode()
    )
    told = archive.prefetch(repos=("",))
    assert (told["failed"], told["total"]) == (1, 0)
    assert told["failures"][0].startswith(f"{path}: ")


def test_more_than_the_mirror_may_keep_is_refused_before_it_begins(tmp_path: Path) -> None:
    archive = Archive(tmp_path, max_mb=1)
    archive.suite({"main/binary-amd64/Packages": {"pool/a.deb": b"a" * 600_000, "pool/b.deb": b"b" * 600_000}})
    told = archive.prefetch(suites=("s",))
    assert "but max_mb of the mirror is 1" in told["failures"][0]
    assert not [path for path in archive.runtime.paths() if path.startswith("pool")]


def test_more_than_the_disk_has_is_refused_before_it_begins(archive: Archive) -> None:
    archive.suite(SUITE)
    octets = archive.files["dists/s/main/binary-amd64/Packages.xz"]
    text = lzma.decompress(octets).replace(b"Size: 1000", b"Size: 9000000000000000")
    packed = lzma.compress(text)
    archive.files["dists/s/main/binary-amd64/Packages.xz"] = packed
    told = archive.prefetch(suites=("s",))
    assert "but the disk has" in told["failures"][0]


def test_it_is_told_how_far_it_is_and_can_be_stopped(archive: Archive) -> None:
    archive.suite(SUITE, by_hash=False)
    stream = archive.runtime.slow["pool/b.deb"] = FakeStream(200, length=2000)
    archive.prefetch(suites=("s",), wait=False)
    stream.give(b"b" * 1500)
    told = archive.world.run("mirror.prefetched", name="deb")
    assert (told["phase"], told["total"] - told["done"]) == ("files", 1)
    assert told["bytes_total"] - told["bytes_done"] == 500
    with pytest.raises(ValueError, match="prefetches already"):
        archive.prefetch(paths=("x",))
    assert archive.world.run("mirror.cancel", name="deb", dry_run=True)["phase"] == "files"
    assert archive.world.run("mirror.cancel", name="deb")["phase"] == "stopped"
    assert archive.prefetch(paths=("pool/a.deb",))["phase"] == "done"


def test_without_a_prefetch_there_is_nothing_to_tell(archive: Archive) -> None:
    for operation in ("mirror.prefetched", "mirror.cancel"):
        with pytest.raises(ValueError, match="nothing was prefetched since provd started"):
            archive.world.run(operation, name="deb")


def test_what_was_prefetched_installs_with_upstream_gone(archive: Archive) -> None:
    archive.suite(SUITE)
    archive.prefetch(suites=("s",))
    archive.runtime.files = {}
    for path in ("pool/a.deb", "pool/u.udeb", "dists/s/main/binary-amd64/Packages.xz"):
        assert isinstance(archive.world.answer(f"mirror/deb/{path}"), Content)
