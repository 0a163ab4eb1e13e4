"""Signatures: every version is told from every other, and a near miss is explained."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from provd.media.medium import MediumError
from provd.media.recognise import Near, Recognised, recognise
from provd.plugin.errors import PluginError
from provd.plugin.signatures import read_signatures
from provd.shipped import shipped_dir
from tests.media.layouts import Files, layouts, treeinfo

SIGNATURES = [
    one
    for name in ("kickstart", "preseed", "autoinstall", "ignition", "alpine", "autoyast", "agama")
    for one in read_signatures(shipped_dir("plugins") / f"installer_{name}" / "signatures.toml", name)
]
LAYOUTS = {name: (version, files) for name, version, files in layouts()}

ENTRY = "[[signature]]\nname='x'\nfamily='x'\ninstaller='x'\nkernel='k'\nsource='s'\nversions=['1']\n"


class InMemory:
    """A medium of a dictionary."""

    where, kind = "the medium", "directory"

    def __init__(self, files: Files) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def has(self, path: str) -> bool:
        return path in self.files

    def copy(self, path: str, target: Path, told: Callable[[int], None]) -> None:
        target.write_bytes(self.files[path])
        told(len(self.files[path]))

    def close(self) -> None:
        pass


def near(files: Files) -> list[Near]:
    found = recognise(InMemory(files), SIGNATURES)
    assert isinstance(found, list)
    return found


def test_there_are_sixty_versions_and_a_layout_for_each() -> None:
    names = [one.name for one in SIGNATURES]
    assert len(names) == len(set(names)) >= 60
    assert set(names) == set(LAYOUTS)
    assert all(one.source for one in SIGNATURES)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_version_is_recognised_and_every_other_signature_refuses_it(name: str) -> None:
    version, files = LAYOUTS[name]
    found = recognise(InMemory(files), SIGNATURES)
    assert isinstance(found, Recognised), [one.signature.name for one in found]
    assert (found.signature.name, found.version) == (name, version)
    assert found.arch == ("aarch64" if "arm64" in name else "x86_64")
    others = recognise(InMemory(files), [one for one in SIGNATURES if one.name != name])
    assert isinstance(others, list)
    boot = (found.signature.kernel, *found.signature.initrd)
    assert {path for path in boot if not path.startswith("payload:debian-")} <= set(files)


def test_another_processor_is_told() -> None:
    files = {**LAYOUTS["rocky-9"][1], ".treeinfo": treeinfo("Rocky Linux", "9.4", "aarch64")}
    found = recognise(InMemory(files), SIGNATURES)
    assert isinstance(found, Recognised)
    assert found.arch == "aarch64"


def program(machine: int) -> bytes:
    """The head of a kernel that is also a program for EFI: the place of its COFF header at 0x3c, its processor there."""
    return (
        b"MZ".ljust(0x3C, b"\0")
        + (0x80).to_bytes(4, "little")
        + bytes(0x40)
        + b"PE\0\0"
        + machine.to_bytes(2, "little")
    )


@pytest.mark.parametrize(
    ("kernel", "arch"),
    [
        (program(0xAA64), "aarch64"),
        (gzip.compress(program(0xAA64), mtime=0), "aarch64"),
        (b"\0" * 56 + b"ARM\x64", "aarch64"),
        (program(0x8664), "x86_64"),
        (program(0x9999), "x86_64"),
        (b"\x1f\x8bjunk", "x86_64"),
        (b"MZ", "x86_64"),
    ],
)
@pytest.mark.parametrize(("name", "path"), [
    ("alpine-3.20", "boot/vmlinuz-lts"), ("fedora-coreos-43", "images/pxeboot/vmlinuz"),
])  # fmt: skip
def test_a_medium_that_does_not_name_its_processor_is_asked_for_its_kernel(
    name: str, path: str, kernel: bytes, arch: str
) -> None:
    found = recognise(InMemory({**LAYOUTS[name][1], path: kernel}), SIGNATURES)
    assert isinstance(found, Recognised)
    assert found.arch == arch


def test_two_distributions_in_one_directory_are_told_apart_by_nobody() -> None:
    both = {**LAYOUTS["rocky-9"][1], **LAYOUTS["ubuntu-24.04"][1]}
    with pytest.raises(MediumError, match=r"the medium is rocky-9 and ubuntu-24\.04 at once"):
        recognise(InMemory(both), SIGNATURES)


def test_an_unknown_version_names_its_neighbours_and_what_was_seen() -> None:
    found = near({**LAYOUTS["rocky-9"][1], ".treeinfo": treeinfo("Rocky Linux", "11.0")})
    assert {one.signature.name for one in found[:3]} == {"rocky-8", "rocky-9", "rocky-10"}
    (missed,) = found[0].missed
    assert missed.rule.why.startswith("version ")
    assert "11.0" in missed.saw


def test_a_desktop_image_is_not_taken_for_a_server() -> None:
    info = b'Ubuntu 24.04.2 LTS "Noble Numbat" - Release amd64 (20250215)'
    found = near({**LAYOUTS["ubuntu-24.04"][1], ".disk/info": info})
    assert found[0].signature.name.startswith("ubuntu-")
    assert "a desktop says Ubuntu" in found[0].missed[0].rule.why


def test_an_empty_medium_is_near_nothing() -> None:
    assert near({}) == []


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"x" * 200_000, b"[general]\nfamily = \nversion = \n"])
def test_strange_files_are_only_not_recognised(raw: bytes) -> None:
    assert all(one.missed for one in near({**LAYOUTS["rocky-9"][1], ".treeinfo": raw}))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("signature = 3", "Expected `array`"),
        ("[[signature]]\nname = 'x'", "missing required field"),
        ("[[signature", "signatures.toml"),
        (f"{ENTRY}rules=[{{file='f', match='('}}]", "unterminated"),
    ],
)
def test_a_wrong_file_of_signatures_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "signatures.toml").write_text(text)
    with pytest.raises(PluginError, match=re.escape(str(tmp_path))) as caught:
        read_signatures(tmp_path / "signatures.toml", "x")
    assert sentence in str(caught.value)
