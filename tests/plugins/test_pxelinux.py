from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from plugins.pxelinux import PLUGIN, Pxelinux, PxelinuxSettings, is_config
from provd.plugin.api import Action, BootLoader, BootPlan, Content, Interface, Mac, NotFound, quoted_argument
from provd.testing.samples import MAC, UUID, client, payload, plan, profile, request

INSTALL_BY_HTTP = """\
DEFAULT provd
PROMPT 0
LABEL provd
  KERNEL http://10.88.0.1:8080/boot/debian-12/0a1b2c3d/linux
  INITRD http://10.88.0.1:8080/boot/debian-12/0a1b2c3d/initrd.gz
  APPEND console=ttyS0 url=http://10.88.0.1:8080/answer/T/preseed.cfg
  IPAPPEND 2
"""
LOCAL = "DEFAULT local\nPROMPT 0\nLABEL local\n  LOCALBOOT -1\n"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return payload(tmp_path, "pxelinux.0", "lpxelinux.0", "ldlinux.c32")


def loader(data_dir: Path, **settings: object) -> BootLoader:
    built = PLUGIN.build(PxelinuxSettings(data_dir=str(data_dir), **settings))  # type: ignore[arg-type]
    assert isinstance(built, Pxelinux)
    (only,) = built.provd_boot_loaders()
    return only


def text(answer: Content | NotFound) -> str:
    assert isinstance(answer, Content), answer
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def config(data_dir: Path, name: str, of: BootPlan | None, **settings: object) -> Content | NotFound:
    return loader(data_dir, **settings).config(request(f"pxelinux.cfg/{name}"), of)


def test_row15_bios_gets_lpxelinux(data_dir: Path) -> None:
    first = loader(data_dir).select(client(0), plan())
    assert first is not None
    assert (first.path, first.transport) == ("lpxelinux.0", "tftp")


def test_ipxe_rom_of_a_bios_machine_gets_it_too(data_dir: Path) -> None:
    first = loader(data_dir).select(client(0, ipxe=True), plan())
    assert first is not None
    assert first.path == "lpxelinux.0"


@pytest.mark.parametrize("arch", [7, 9, 11, 16])
def test_uefi_gets_nothing(data_dir: Path, arch: int) -> None:
    assert loader(data_dir).select(client(arch), plan(arch=arch)) is None


def test_without_payload_nothing_is_offered(tmp_path: Path) -> None:
    assert loader(tmp_path).select(client(0), plan()) is None


def test_installer_payload_serves_where_loaders_were_not_fetched(tmp_path: Path) -> None:
    payload(tmp_path, "pxelinux.0", "ldlinux.c32", folder="debian-12")
    only = loader(tmp_path)
    first = only.select(client(0), plan())
    assert first is not None
    assert first.path == "pxelinux.0"
    assert set(only.files()) == {"pxelinux.0", "ldlinux.c32"}
    assert "KERNEL boot/debian-12/" in text(config(tmp_path, "default", plan()))


def test_row18_configuration_of_an_install(data_dir: Path) -> None:
    answer = config(data_dir, "01-52-54-00-aa-bb-cc", plan())
    assert text(answer) == INSTALL_BY_HTTP
    assert isinstance(answer, Content)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["vmlinuz-6.1.0", "bzImage.bin", "kernel.img", "kernel.BS"])
def test_a_kernel_is_started_as_one_whatever_its_name_ends_with(data_dir: Path, name: str) -> None:
    """By KERNEL, syslinux takes a name that ends in .0 for a network boot program, .bin and .bs for a boot sector."""
    of = replace(plan(), kernel=f"boot/debian-12/0a1b2c3d/{name}")
    answer = text(config(data_dir, "default", of))
    assert f"  LINUX http://10.88.0.1:8080/boot/debian-12/0a1b2c3d/{name}\n" in answer


def test_tftp_is_a_profile_setting(data_dir: Path) -> None:
    by_tftp = plan(profile=profile({"pxelinux": {"transport": "tftp"}}))
    first = loader(data_dir).select(client(0), by_tftp)
    assert first is not None
    assert first.path == "pxelinux.0"
    assert "  KERNEL boot/debian-12/0a1b2c3d/linux\n" in text(config(data_dir, "default", by_tftp))


def test_row16_search_order_of_pxelinux(data_dir: Path) -> None:
    """Each name of the search order gives this machine its configuration, and another machine's name nothing."""
    address = "0A580085"
    order = [UUID, f"01-{str(MAC).replace(':', '-')}", *(address[:digits] for digits in range(8, 0, -1)), "default"]
    assert len(order) == 11
    for name in order:
        assert is_config(f"pxelinux.cfg/{name}")
        assert text(config(data_dir, name, plan())) == INSTALL_BY_HTTP, name


def test_uuid_as_it_lies_in_the_packet_means_the_machine(data_dir: Path) -> None:
    assert text(config(data_dir, "00008888-0000-0040-8000-525400aabbcc", plan())) == INSTALL_BY_HTTP


@pytest.mark.parametrize("name", ["01-52-54-00-00-00-99", "0A580086", "0B", "11111111-0000-4000-8000-525400aabbcc"])
def test_names_of_other_machines_are_expected_misses(data_dir: Path, name: str) -> None:
    answer = config(data_dir, name, plan())
    assert isinstance(answer, NotFound)
    assert answer.expected


@pytest.mark.parametrize(
    "path", ["pxelinux.cfg/", "pxelinux.cfg/graphics.cfg", "default", "boot/default", "pxelinux.0"]
)
def test_other_paths_are_not_configurations(path: str) -> None:
    assert not is_config(path)


def test_unknown_peer_boots_its_own_disk(data_dir: Path) -> None:
    assert text(config(data_dir, "default", None)) == LOCAL
    miss = config(data_dir, "0A580085", None)
    assert isinstance(miss, NotFound)
    assert miss.expected


def test_local_boot(data_dir: Path) -> None:
    assert text(config(data_dir, "default", plan(Action.LOCAL))) == LOCAL
    assert loader(data_dir).local_boot(plan(Action.LOCAL)) == LOCAL
    quirk = plan(Action.LOCAL, profile=profile({"pxelinux": {"localboot": 0}}))
    assert "LOCALBOOT 0\n" in text(config(data_dir, "default", quirk))


def test_hold_says_why_and_then_boots_the_disk(data_dir: Path) -> None:
    held = plan(Action.HOLD, reason="3 boots without\nfinish — see `provd trace web1`")
    assert text(config(data_dir, "default", held, serial="0 115200")) == (
        "SERIAL 0 115200\n"
        "SAY provd holds this machine: 3 boots without finish see `provd trace web1`\n"
        "SAY It starts from its own disk.\n"
        "DEFAULT local\nPROMPT 1\nTIMEOUT 100\nTOTALTIMEOUT 100\nLABEL local\n  LOCALBOOT -1\n"
    )


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("quiet", "quiet"),
        ("a=b c", 'a="b c"'),
        ("two words", '"two words"'),
        ('a="b c"', 'a="b c"'),
        ("a=$x;y'z", "a=$x;y'z"),
        ("a=b=c d", 'a="b=c d"'),
    ],
)
def test_row19_quoting_of_the_append_line(argument: str, line: str) -> None:
    assert quoted_argument(argument) == line


@pytest.mark.parametrize(
    ("argument", "rule"),
    [("a=b\nLABEL x", "control character"), ('a="b', "unpaired double quote")],
)
def test_arguments_that_no_quoting_carries(data_dir: Path, argument: str, rule: str) -> None:
    answer = config(data_dir, "default", plan(kernel_args=(argument,)))
    assert isinstance(answer, NotFound)
    assert answer.status == 500
    assert rule in answer.reason


def test_a_command_line_that_linux_would_cut_is_refused(data_dir: Path) -> None:
    fits, too_long = plan(kernel_args=("a=" + "x" * 1850,)), plan(kernel_args=("a=" + "x" * 1950,))
    assert isinstance(config(data_dir, "default", fits), Content)
    answer = config(data_dir, "default", too_long)
    assert isinstance(answer, NotFound)
    assert "the command line has 2106 characters, Linux reads 2047" in answer.reason


def test_interfaces_of_the_system_mean_the_machine(data_dir: Path) -> None:
    other = plan(client=client(0))
    assert other.system is not None
    second = Mac.parse("52:54:00:00:00:02")
    system = replace(other.system, interfaces=(*other.system.interfaces, Interface("eth1", second)))
    assert isinstance(config(data_dir, "01-52-54-00-00-00-02", replace(other, system=system)), Content)
