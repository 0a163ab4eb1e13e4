"""``provd check`` of a distro and a profile that somebody wrote by hand: each wrong name is told before a machine boots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from provd.commands import command_line
from tests.fakes.iso_image import make_iso

DISTRO = """\
family = "debian"
version = "12"
installer = "preseed"
kernel = "payload:own/linux"
tree = "http://MIRROR/debian"
[vars]
suite = "bookworm"
"""


def remarks(root: Path, distro: str, profile: str = "") -> list[str]:
    """What check says of the profile ``x``."""
    for name in ("payload/own/linux", "templates/preseed/own.cfg", "iso"):
        path = root / ("site" if name.startswith("templates") else "data") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(exist_ok=True) if name == "iso" else path.write_text("x")
    make_iso(root / "data/iso/own.iso", {"linux": b"kernel"})
    for kind, text in (("distros", distro), ("profiles", f'distro = "x"\n{profile}')):
        (root / "site" / kind).mkdir(parents=True, exist_ok=True)
        (root / "site" / kind / "x.toml").write_text(text)
    (root / "provd.toml").write_text(f'data_dir = "{root}/data"\nsite_dir = "{root}/site"\n')
    told = CliRunner().invoke(command_line(), ["check", "-o", "json", "--config", str(root / "provd.toml")])
    rows = [row["text"] for row in json.loads(told.output)]
    return [text.removeprefix("profile x: ") for text in rows if text.startswith("profile x: ")]


@pytest.mark.parametrize(
    "profile", ["", '[templates]\n"preseed.cfg" = "own.cfg"', 'boot_loaders = ["grub_efi"]', 'source = "mirror:debian"']
)
def test_what_is_right_is_not_told(tmp_path: Path, profile: str) -> None:
    assert remarks(tmp_path, DISTRO, profile) == []
    assert remarks(tmp_path, DISTRO.replace("payload:own/linux", "iso:own/linux"), profile) == []


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ('"preseed"', '"presed"', "no enabled plugin brings its installer 'presed'; did you mean 'preseed'?"),
        ('installer = "preseed"\n', "", "distro x names no installer; there are agama, alpine, "),
        (
            '"debian"',
            '"debain"',
            "installer preseed does not install the family 'debain' of distro x; did you mean 'debian'?",
        ),
        (
            "payload:own",
            "paylod:own",
            "distro x: no enabled plugin gives 'paylod:own/linux'; a file of this disk is payload:",
        ),
        ("payload:own/linux", "iso:own/linus", "distro x: iso:own/linus: image own has no linus"),
        ("payload:own/linux", "iso:none/linux", "distro x: iso:none/linux: there is no image 'none'"),
        ("http:", "htp:", "no enabled plugin resolves its install source 'htp://MIRROR/debian'; did you mean 'http'?"),
    ],
)
def test_a_wrong_name_in_a_distro_is_told(tmp_path: Path, right: str, wrong: str, sentence: str) -> None:
    (told,) = remarks(tmp_path, DISTRO.replace(right, wrong, 1))
    assert told.startswith(sentence), told


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        ('boot_loaders = ["grub_eif"]', "boot_loaders: no enabled plugin brings 'grub_eif'; did you mean 'grub_efi'?"),
        (
            "[loader.pxelinx]\ntimeout_s = 1",
            "loader.pxelinx: no enabled plugin brings this loader; did you mean 'pxelinux'?",
        ),
        (
            '[loader.pxelinux]\ntrasport = "tftp"',
            "loader.pxelinux.trasport: unknown key; did you mean 'transport'?",
        ),
        (
            '[loader.grub_efi]\nbuild = "https"',
            "loader.grub_efi.build: invalid enum value 'https'; known: http, signed",
        ),
        (
            '[templates]\n"preseed.cgf" = "own.cfg"',
            "templates: installer preseed has no document 'preseed.cgf'; did you mean 'preseed.cfg'?",
        ),
        (
            '[templates]\n"preseed.cfg" = "gone.cfg"',
            "templates: preseed.cfg is to be made of gone.cfg, which is not in ",
        ),
        (
            '[[answers.repositories]]\nname = "own"\nurl = "http://MIRROR/own"',
            "answers.repositories: the installer preseed has no place for it; others have: agama, alpine, ",
        ),
        (
            '[answers]\nexternal = "http://MIRROR/x.cfg"',
            "answers.external: the installer preseed has no place for it; others have: agama, alpine, ",
        ),
        (
            "[answers]\ntimezon = 1",
            "answers.timezon: the installer preseed reads no answer of this name; did you mean ",
        ),
    ],
)
def test_a_wrong_name_in_a_profile_is_told(tmp_path: Path, profile: str, sentence: str) -> None:
    (told,) = remarks(tmp_path, DISTRO, profile)
    assert told.startswith(sentence), told
