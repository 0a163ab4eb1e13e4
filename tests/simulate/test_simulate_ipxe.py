"""iPXE's scripts as the simulated loader runs them, and whole boots through the plugin ``ipxe``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provd.simulate.boot import FirmwareName
from provd.simulate.ipxe_script import Fetch, IpxeEnd, IpxeScript, IpxeScriptError, settings_of
from provd.testing.world import MACHINE, SAMPLE_FILES, SERVER, World

ENABLED = [
    "client_classes",
    "relay",
    "ipxe",
    "pxelinux",
    "grub_efi",
    "source_http",
    "installer_preseed",
    "install_callbacks",
]
FILES = {
    **SAMPLE_FILES,
    "data/payload/ipxe/undionly.kpxe": b"bios",
    "data/payload/ipxe/snponly.efi": b"efi",
    "site/distros/deb.toml": 'family = "debian"\ninstaller = "preseed"\nkernel = "payload:sample/linux"\n'
    'initrd = ["payload:sample/initrd"]\ntree = "http://10.88.0.9/debian"\n[vars]\nsuite = "bookworm"\n',
    "site/profiles/web.toml": 'distro = "deb"\nkernel_args = ["quiet", "greeting=hello there"]\n',
    "site/profiles/odd.toml": 'distro = "deb"\nkernel_args = ["x=${net0/mac}"]\n',
    "site/profiles/san.toml": 'distro = "deb"\n[loader.ipxe]\nlocal_boot = "sanboot"\n',
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, enabled=ENABLED, files=FILES)


def run(text: str, there: Callable[[str], bool] = lambda _url: True, *, efi: bool = False) -> tuple[IpxeEnd, list[str]]:
    script = IpxeScript(
        "http://10.0.0.1/ipxe/a.ipxe", dict(settings_of(b"\x52\x54\0\0\0\1", "10.0.0.9", "10.0.0.1", efi=efi))
    )
    asked: list[str] = []
    running, ok = script.run(text), None
    while True:
        try:
            wanted = running.send(ok)  # type: ignore[arg-type]
        except StopIteration as end:
            return end.value, asked
        assert isinstance(wanted, Fetch)
        asked.append(wanted.url)
        ok = there(wanted.url)


def test_a_kernel_with_its_arguments_and_images_is_booted() -> None:
    end, asked = run("#!ipxe\nkernel linux a=1 mac=${net0/mac:hexhyp}\ninitrd --name i /x/initrd\nboot || shell\n")
    assert asked == ["http://10.0.0.1/ipxe/linux", "http://10.0.0.1/x/initrd"]
    assert (end.kind, end.command_line) == ("boot", "a=1 mac=52-54-00-00-00-01")
    assert (end.kernel, end.initrd) == (asked[0], (asked[1],))


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("kernel x || goto failed\nboot\n:failed\necho not there\nreboot", "stopped", ("not there",)),
        ("iseq ${platform} efi && goto efi ||\nexit 0\n:efi\nreboot", "local", ()),
        ("isset ${nothing} || echo none\nisset ${ip} && echo ${ip}\nexit", "local", ("none", "10.0.0.9")),
        ("set a b c\necho ${a}\nsanboot --drive 0x80", "local", ("b c",)),
        ("kernel x", "stopped", ("line 2 failed: kernel x",)),
        ("", "local", ()),
    ],
)
def test_operators_labels_and_settings(text: str, kind: str, said: tuple[str, ...]) -> None:
    end, _ = run("#!ipxe\n" + text, lambda _url: False)
    assert (end.kind, end.said) == (kind, said)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kernel x", "the first line is not #!ipxe"),
        ("#!ipxe\ngoto nowhere", "line 2: there is no label nowhere"),
        ("#!ipxe\n:a\ngoto a", "does not end"),
        ("#!ipxe\nfly", "line 2: fly is no command"),
        ("#!ipxe\nkernel --name x", "line 2: kernel names no file"),
    ],
)
def test_a_script_that_cannot_be_run_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(IpxeScriptError, match=sentence):
        run(text)


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-ipxe"])
def test_a_machine_installs_once_through_ipxe(world: World, firmware: FirmwareName) -> None:
    world.add()
    boot = world.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.boot_file == ("snponly.efi" if firmware == "x64-uefi" else "ipxe/boot.ipxe")
    assert boot.started is not None
    words = boot.started.command_line.split()
    assert words[0] == "initrd=initrd0"
    assert words[-1] == f"BOOTIF=01-{MACHINE.mac.hex('-')}"
    assert '"hello there"' in boot.started.command_line or 'greeting="hello there"' in boot.started.command_line
    assert boot.installed is not None
    assert boot.installed.reported["finished"] == 200
    assert world.boot(firmware, seed=2).outcome == "local"


def test_ipxe_is_never_handed_to_ipxe(world: World) -> None:
    world.add()
    world.boot("x64-uefi-ipxe")
    assert not [path for path in world.files_asked if path.endswith(("kpxe", ".efi"))]


def test_http_boot_is_left_to_others(world: World) -> None:
    world.add()
    assert world.boot("x64-uefi-http").boot_file.endswith("grubx64-http.efi")


def test_an_argument_that_ipxe_would_change_is_refused(world: World) -> None:
    world.add(profile="odd")
    boot = world.boot("bios")
    assert boot.outcome == "failed"
    assert "config" in boot.error or "ipxe" in boot.error.lower()


def test_what_follows_a_word_with_a_hash_is_a_comment() -> None:
    """iPXE's ``command_terminator`` ends a line at the first word that begins so."""
    end, asked = run("#!ipxe\nkernel linux a=1 b#2 #c || goto nowhere\nboot\n")
    assert (end.command_line, asked) == ("a=1 b#2", ["http://10.0.0.1/ipxe/linux"])


def test_an_argument_that_ipxe_takes_for_a_comment_is_refused(tmp_path: Path) -> None:
    files = {**FILES, "site/profiles/odd.toml": 'distro = "deb"\nkernel_args = ["quiet", "#x"]\n'}
    world = World(tmp_path, enabled=ENABLED, files=files)
    world.add(profile="odd")
    boot = world.boot("bios")
    assert boot.outcome == "failed"


def test_a_held_machine_is_told_why_and_boots_its_disk(world: World) -> None:
    world.add()
    for seed in range(2):
        from provd.simulate.boot import simulate

        simulate(world, MACHINE, "bios", seed=seed, reports=())
        world.turn()
    boot = world.boot("bios", seed=9)
    assert boot.outcome == "local"
    assert boot.started is not None
    assert any(line.startswith("provd holds this machine") for line in boot.started.said)


def test_a_profile_may_start_the_disk_by_ipxe_itself(world: World) -> None:
    world.add(profile="san")
    world.boot("bios")
    assert world.boot("bios", seed=2).outcome == "local"
    from provd.simulate.actions import TftpGet

    script = world.tftp(TftpGet(SERVER, "ipxe/boot.ipxe", source="10.88.0.100")).body.decode()
    assert "sanboot --no-describe --drive 0x80 || exit 0" in script


def test_a_stranger_gets_a_script_that_boots_its_disk(world: World) -> None:
    from provd.simulate.actions import TftpGet

    script = world.tftp(TftpGet(SERVER, "ipxe/boot.ipxe", source="10.88.0.77")).body.decode()
    assert script.startswith("#!ipxe\n")
    assert "kernel" not in script
