from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.grub_efi import PLUGIN, GrubEfi, GrubSettings, is_config
from plugins.grub_efi.words import argument, quoted
from provd.plugin.api import Action, BootLoader, BootPlan, Content, NotFound
from provd.testing.samples import DISTRO, client, payload, plan, profile, request

SIGNED = """\
echo 'Loading the kernel ...'
if linux '/boot/debian-12/0a1b2c3d/linux' 'console=ttyS0' 'url=http://10.88.0.1:8080/answer/T/preseed.cfg' \
'BOOTIF=01-52-54-00-aa-bb-cc'; then
  echo 'Loading the initial RAM disk ...'
  if initrd '/boot/debian-12/0a1b2c3d/initrd.gz'; then
    boot
  fi
fi
echo 'The kernel could not be loaded; trying again.'
sleep 10
reboot
"""
LOCAL = """\
set provd_root="$root"
function provd_chain {
  if search --no-floppy --file --set=root "$1"; then
    echo "Starting $1 from $root"
    if chainloader "$1"; then boot; fi
  fi
  set root="$provd_root"
}
provd_chain '/EFI/debian/shimx64.efi'
provd_chain '/EFI/BOOT/BOOTX64.EFI'
echo 'No boot loader was found on any disk.'
sleep 10
exit
"""
HTTP = {"grub_efi": {"build": "http"}}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    payload(tmp_path, "shimaa64.efi", "grubaa64.efi", "grubaa64-http.efi", folder="loaders-arm64")
    return payload(tmp_path, "shimx64.efi", "grubx64.efi", "grubx64-http.efi")


def plugin(data_dir: Path, **settings: object) -> GrubEfi:
    built = PLUGIN.build(GrubSettings(data_dir=str(data_dir), **settings))  # type: ignore[arg-type]
    assert isinstance(built, GrubEfi)
    return built


def loader(data_dir: Path, **settings: object) -> BootLoader:
    (only,) = plugin(data_dir, **settings).provd_boot_loaders()
    return only


def config(data_dir: Path, of: BootPlan | None, path: str = "grub/grub.cfg") -> Content | NotFound:
    return loader(data_dir).config(request(path), of)


def text(answer: Content | NotFound) -> str:
    assert isinstance(answer, Content), answer
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


@pytest.mark.parametrize(
    ("arch", "ipxe", "build", "path", "transport"),
    [
        (7, False, "signed", "shimx64.efi", "tftp"),
        (9, False, "signed", "shimx64.efi", "tftp"),
        (7, True, "signed", "grubx64.efi", "tftp"),
        (7, False, "http", "grubx64-http.efi", "tftp"),
        (7, True, "http", "grubx64-http.efi", "tftp"),
        (16, False, "signed", "grubx64-http.efi", "http"),
        (11, False, "signed", "shimaa64.efi", "tftp"),
        (11, False, "http", "grubaa64-http.efi", "tftp"),
        (19, False, "signed", "grubaa64-http.efi", "http"),
    ],
)
def test_row15_first_file_by_firmware_and_build(
    data_dir: Path, arch: int, ipxe: bool, build: str, path: str, transport: str
) -> None:
    first = loader(data_dir, build=build).select(client(arch, ipxe=ipxe), plan(arch=arch))
    assert first is not None
    assert (first.path, first.transport) == (path, transport)


@pytest.mark.parametrize("arch", [0, 6, 10, 15, 18, 27, 28])
def test_other_machines_get_nothing(data_dir: Path, arch: int) -> None:
    assert loader(data_dir).select(client(arch), plan(arch=arch)) is None


def test_shim_is_not_offered_without_the_grub_it_loads(tmp_path: Path) -> None:
    payload(tmp_path, "shimx64.efi")
    assert loader(tmp_path).select(client(7), plan(arch=7)) is None


def test_build_is_a_profile_setting(data_dir: Path) -> None:
    first = loader(data_dir).select(client(7), plan(arch=7, profile=profile(HTTP)))
    assert first is not None
    assert first.path == "grubx64-http.efi"


def test_install_by_tftp_under_the_signed_grub(data_dir: Path) -> None:
    answer = config(data_dir, plan(arch=7))
    assert text(answer) == SIGNED
    assert isinstance(answer, Content)
    assert answer.headers["Cache-Control"] == "no-store"


def test_install_by_http_under_the_other(data_dir: Path) -> None:
    said = text(config(data_dir, plan(arch=7, profile=profile(HTTP))))
    assert "linux '(http,10.88.0.1:8080)/boot/debian-12/0a1b2c3d/linux' " in said
    assert "initrd '(http,10.88.0.1:8080)/boot/debian-12/0a1b2c3d/initrd.gz'" in said
    port_80 = text(config(data_dir, plan(arch=16, http_port=80)))
    assert "linux '(http,10.88.0.1)/boot/debian-12/0a1b2c3d/linux' " in port_80


def test_configuration_by_hardware_address_after_http_boot(data_dir: Path) -> None:
    assert "linux" in text(config(data_dir, plan(arch=16), "grub/52:54:00:aa:bb:cc/grub.cfg"))
    other = config(data_dir, plan(arch=16), "grub/52:54:00:00:00:01/grub.cfg")
    assert isinstance(other, NotFound)
    assert other.expected


def test_local_boot_tries_every_loader_of_the_distro(data_dir: Path) -> None:
    assert text(config(data_dir, plan(Action.LOCAL, arch=7))) == LOCAL
    assert loader(data_dir).local_boot(plan(Action.LOCAL, arch=7)) == LOCAL


def test_hold_says_why_and_then_boots_the_disk(data_dir: Path) -> None:
    held = plan(Action.HOLD, arch=7, reason="it's held\nafter 3 boots; $x")
    assert text(config(data_dir, held)) == (
        "echo 'provd holds this machine: it'\\''s held after 3 boots; $x'\n"
        "echo 'It starts from its own disk.'\nsleep 10\n" + LOCAL
    )


def test_unknown_peer_boots_its_own_disk(data_dir: Path) -> None:
    said = text(config(data_dir, None))
    assert "linux" not in said
    assert "provd_chain '/EFI/BOOT/BOOTX64.EFI'\n" in said


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("grub/grub.cfg", True),
        ("debian-installer/amd64/grub/grub.cfg", True),
        ("grub/52:54:00:aa:bb:cc/grub.cfg", True),
        ("grub/x86_64-efi/grub.cfg", False),
        ("grub/52:54:00:AA:BB:CC/grub.cfg", False),
        ("x/grub/grub.cfg", False),
    ],
)
def test_which_paths_are_configurations(path: str, *, expected: bool) -> None:
    assert is_config(path) is expected


@pytest.mark.parametrize(
    "path",
    [
        "revocations_sku.efi",
        "revocations_sbat.efi",
        "shim_certificate_0.efi",
        "grub/x86_64-efi/grub.cfg",
        "grub/x86_64-efi/command.lst",
        "debian-installer/amd64/grub/x86_64-efi/terminal.lst",
    ],
)
def test_what_healthy_boots_miss_is_expected(data_dir: Path, path: str) -> None:
    answer = plugin(data_dir).provd_file(request(path))
    assert isinstance(answer, NotFound)
    assert answer.expected


def test_other_files_are_left_to_others(data_dir: Path) -> None:
    assert plugin(data_dir).provd_file(request("grubia32.efi")) is None
    assert set(loader(data_dir).files()) == {
        *("shimx64.efi", "grubx64.efi", "grubx64-http.efi"),
        *("shimaa64.efi", "grubaa64.efi", "grubaa64-http.efi"),
    }


@pytest.mark.parametrize(
    ("given", "handed"),
    [("quiet", "quiet"), ("a=b c", "a=b c"), ('a="b c"', "a=b c"), ("ds=nocloud;s=$x", "ds=nocloud;s=$x")],
)
def test_row19_arguments(given: str, handed: str) -> None:
    assert argument(given) == handed


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("a=b\nboot", "control character"),
        ("a=it's", "single quote, which GRUB changes"),
        ("a=b\\c", "a backslash"),
        ('a="b', "unpaired double quote"),
    ],
)
def test_arguments_that_grub_would_change(data_dir: Path, given: str, rule: str) -> None:
    answer = config(data_dir, plan(arch=7, kernel_args=(given,)))
    assert isinstance(answer, NotFound)
    assert answer.status == 500
    assert rule in answer.reason


def test_a_command_line_that_linux_would_cut_is_refused(data_dir: Path) -> None:
    assert isinstance(config(data_dir, plan(arch=7, kernel_args=("a" * 1900,))), Content)
    answer = config(data_dir, plan(arch=7, kernel_args=("a" * 2000,)))
    assert isinstance(answer, NotFound)
    assert "characters, Linux reads 2047" in answer.reason


def test_quoting_of_words() -> None:
    assert quoted("a'b") == "'a'\\''b'"


@pytest.mark.parametrize("action", [Action.INSTALL, Action.LOCAL, Action.HOLD])
def test_grub_can_read_every_configuration(data_dir: Path, tmp_path: Path, action: Action) -> None:
    odd = plan(action, arch=7, reason='it\'s `odd` $(x) "y"', kernel_args=("ds=nocloud;s=http://x/ y", "a={b}"))
    odd = replace(odd, profile=replace(profile(), distro=replace(DISTRO, efi_loaders=("/EFI/it's/x.efi",))))
    file = tmp_path / "grub.cfg"
    file.write_text(text(config(data_dir, odd)))
    run = subprocess.run(["grub-script-check", file], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
