"""What is wrong in a catalogue's files: a table of exact messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.catalogue_site import Site, machine, shipped


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return shipped(tmp_path)


BAD = {
    "circle": (
        {"site/profiles/a": 'parent = "b"', "site/profiles/b": 'parent = "c"', "site/profiles/c": 'parent = "b"'},
        [
            "site/profiles/a.toml: parent: profiles inherit in a circle: b -> c -> b",
            "site/profiles/b.toml: parent: profiles inherit in a circle: b -> c -> b",
            "site/profiles/c.toml: parent: profiles inherit in a circle: c -> b -> c",
        ],
    ),
    "a profile that is its own parent": (
        {"site/profiles/a": 'parent = "a"'},
        ["site/profiles/a.toml: parent: profiles inherit in a circle: a -> a"],
    ),
    "unknown parent and its child": (
        {"site/profiles/a": 'parent = "debian-21"', "site/profiles/b": 'parent = "a"'},
        [
            "site/profiles/a.toml: parent: no profile has the name 'debian-21'; did you mean 'debian-12'?",
            (
                "site/profiles/b.toml: parent: no profile has the name 'debian-21', named by its ancestor a"
                "; did you mean 'debian-12'?"
            ),
        ],
    ),
    "broken parent and its descendants": (
        {"site/profiles/a": "x =", "site/profiles/b": 'parent = "a"', "site/profiles/c": 'parent = "b"'},
        [
            "site/profiles/a.toml:1: is not TOML: invalid value, column 4",
            "site/profiles/b.toml: parent: profile 'a' has an error of its own",
            "site/profiles/c.toml: parent: profile 'a', named by its ancestor b, has an error of its own",
        ],
    ),
    "broken distro and its profile": (
        {"site/distros/x": "kernel = 1", "site/profiles/a": 'distro = "x"', "site/profiles/b": 'parent = "a"'},
        [
            "site/distros/x.toml: kernel: expected a string, got an integer",
            "site/profiles/a.toml: distro: distro 'x' has an error of its own",
            "site/profiles/b.toml: distro: distro 'x' (named by its ancestor a) has an error of its own",
        ],
    ),
    "unknown distro": (
        {"site/profiles/a": 'distro = "debian12"'},
        ["site/profiles/a.toml: distro: no distro has the name 'debian12'; did you mean 'debian-12'?"],
    ),
    "unknown repo and menu of profiles without a distro": (
        {"site/profiles/a": 'repos = ["gone"]', "site/profiles/b": 'menu = "gone"', "site/profiles/c": 'parent = "b"'},
        [
            "site/profiles/a.toml: repos: no repo has the name 'gone'",
            "site/profiles/b.toml: menu: no menu has the name 'gone'",
            "site/profiles/c.toml: menu: no menu has the name 'gone'",
        ],
    ),
    "unknown CPU": (
        {"site/distros/x": 'arch = "x86-64"'},
        ["site/distros/x.toml: arch: invalid enum value 'x86-64'; known: aarch64, arm, i386, riscv64, x86_64"],
    ),
    "C20 a payload outside": (
        {"site/distros/x": 'kernel = "payload:../../etc/shadow"'},
        [
            (
                "site/distros/x.toml: kernel: 'payload:../../etc/shadow' does not name a file below the payload directory, "
                "as in payload:NAME/FILE"
            )
        ],
    ),
    "C20 a template outside": (
        {"site/profiles/a": '[templates]\n"ks.cfg" = "../../etc/shadow"'},
        [
            "site/profiles/a.toml: templates.\"ks.cfg\": '../../etc/shadow' is not a path inside the site's template folder"
        ],
    ),
    "a relative kernel": (
        {"site/distros/x": 'kernel = "linux"'},
        ["site/distros/x.toml: kernel: 'linux' is neither payload:NAME/FILE, iso:NAME/FILE nor an absolute path"],
    ),
    "a tree that is left": (
        {"site/distros/x": 'tree = "../tree"'},
        [
            "site/distros/x.toml: tree: '../tree' is neither a URL, an absolute path nor a path below tree/ of the data directory"
        ],
    ),
    "a password that is none": (
        {"site/menus/x": 'password = {text = "geheim"}'},
        ['site/menus/x.toml: password: a reference to a secret is expected, as {file = "/etc/provd/secrets/menu"}'],
    ),
    "a password that can be read once": (
        {"site/menus/x": 'password = {env = "X", once = true}'},
        ['site/menus/x.toml: password: a reference to a secret is expected, as {file = "/etc/provd/secrets/menu"}'],
    ),
    "a menu with a profile that is nowhere": (
        {"site/menus/x": '[[entry]]\nprofile = "nowhere"'},
        ["site/menus/x.toml: entry[0].profile: no profile that can be booted has the name 'nowhere'"],
    ),
    "a default that is no entry": (
        {"site/menus/x": 'default = "nowhere"'},
        ["site/menus/x.toml: default: 'nowhere' is no entry of this menu"],
    ),
    "an entry twice": (
        {"site/menus/x": '[[entry]]\nprofile = "a"\n[[entry]]\nprofile = "a"'},
        ["site/menus/x.toml: entry[1].profile: 'a' is an entry already"],
    ),
    "a title for no screen": (
        {"site/menus/x": 'title = "a\\nb"'},
        ["site/menus/x.toml: title: 'a\\nb' holds a control character"],
    ),
    "EFI program for a BIOS": (
        {"site/distros/x": '[[program]]\nfirmware = "bios"\nkind = "efi"\nfile = "/boot/x.efi"'},
        ["site/distros/x.toml: program[0]: efi cannot be booted by bios, only by uefi"],
    ),
    "floppy image for UEFI": (
        {"site/distros/x": '[[program]]\nfirmware = "uefi"\nkind = "floppy"\nfile = "/boot/x.img"'},
        ["site/distros/x.toml: program[0]: floppy cannot be booted by uefi, only by bios"],
    ),
    "image with an initrd": (
        {"site/distros/x": '[[program]]\nfirmware = "bios"\nkind = "iso"\nfile = "/x.iso"\ninitrd = ["/i"]'},
        ["site/distros/x.toml: program[0]: initrd: only a program of kind linux has initial RAM disks"],
    ),
    "program that is nowhere": (
        {"site/distros/x": '[[program]]\nfirmware = "uefi"\nkind = "efi"\nfile = "x.efi"'},
        [
            "site/distros/x.toml: program[0].file: 'x.efi' is neither payload:NAME/FILE, iso:NAME/FILE nor an absolute path"
        ],
    ),
    "kernel and programs": (
        {"site/distros/x": 'kernel = "/k"\n[[program]]\nfirmware = "uefi"\nkind = "efi"\nfile = "/x.efi"'},
        ["site/distros/x.toml: program: a distro has a kernel for all machines or programs by firmware, not both"],
    ),
    "initrd without a kernel": (
        {"site/distros/x": 'initrd = ["/boot/initrd"]'},
        ["site/distros/x.toml: initrd: there is an initrd and no kernel"],
    ),
    "a line break in a kernel argument": (
        {"site/profiles/a": 'kernel_args = ["quiet", "a\\nAPPEND b"]'},
        ["site/profiles/a.toml: kernel_args[1]: 'a\\nAPPEND b' is empty or holds a control character"],
    ),
    "a bind that is none": (
        {"site/profiles/a": '[answers]\nbind = "all"'},
        ["site/profiles/a.toml: answers.bind: 'all' is not one of lease, subnet, token-only"],
    ),
    "a secret with two places": (
        {"site/profiles/a": '[answers]\nroot.password = {file = "/x", env = "X"}'},
        [
            "site/profiles/a.toml: answers.root.password: a secret has one of the keys file, env, credential, not file and env"
        ],
    ),
    "too few attempts": (
        {"site/profiles/a": "[boot]\nmax_attempts = 0"},
        ["site/profiles/a.toml: boot.max_attempts: expected an integer >= 1"],
    ),
    "a file that is no name": (
        {"site/profiles/a b": ""},
        [
            "site/profiles/a b.toml: 'a b' is not a name: letters, digits and . _ + - are expected, a letter or digit first"
        ],
    ),
    "no MAC": (
        {"site/systems/one": '[[interface]]\nmac = "52:54"'},
        [
            (
                "site/systems/one.toml: interface[0].mac: '52:54' is not a MAC address: six pairs of hex digits are expected, "
                "as in 52:54:00:aa:bb:cc"
            )
        ],
    ),
    "a system without a card": (
        {"site/systems/one": ""},
        [
            (
                "site/systems/one.toml: nothing says which machine it is: an interface with a MAC, or uuid, client_id or "
                "circuit_id, is needed"
            )
        ],
    ),
    "no UUID": (
        {"site/systems/one": machine(1, uuid='"abc"')},
        ["site/systems/one.toml: uuid: 'abc' is not a UUID"],
    ),
    "a name that is no host name": (
        {"site/systems/web_1": machine(1)},
        ["site/systems/web_1.toml: 'web_1' is not a host name (RFC 1123), so hostname must be set"],
    ),
    "one MAC twice": (
        {"site/systems/one": machine(1), "site/systems/two": machine(1)},
        ["site/systems/two.toml: MAC 52:54:00:00:00:01 is already that of system one (site/systems/one.toml)"],
    ),
    "one address twice": (
        {
            "site/systems/one": machine(1) + 'address = "10.0.0.9"\n',
            "site/systems/two": machine(2) + 'address = "10.0.0.9"\n',
        },
        ["site/systems/two.toml: address 10.0.0.9 is already that of system one (site/systems/one.toml)"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_and_left_out(name: str, site: Site) -> None:
    files, expected = BAD[name]
    for path, text in files.items():
        site.write(path, text)
    assert site.told() == expected
    assert set(site.load().profiles) == {"debian-12"}
