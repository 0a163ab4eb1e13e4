"""The boot plugins behind the real host: found, decoded, verified against the hook specifications."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provd.plugin.errors import PluginError
from provd.plugin.host import PluginHost
from provd.plugin.loading import FoundFile
from provd.testing.samples import payload, plan
from tests.fakes.plugin_world import FakeClock

NAMES = ("pxelinux", "grub_efi", "installer_preseed", "installer_kickstart", "serial_console", "pxe_options")


def host(data_dir: Path, tables: Mapping[str, Mapping[str, Any]] | None = None) -> PluginHost:
    folder = Path(__file__).parents[2] / "plugins"
    paths = [folder / name if (folder / name).is_dir() else folder / f"{name}.py" for name in NAMES]
    found = [FoundFile(name, "shipped", path, trusted=True) for name, path in zip(NAMES, paths, strict=True)]
    return PluginHost(found, tables or {}, clock=FakeClock(), data_dir=str(data_dir), file="provd.toml")


def test_they_work_together(tmp_path: Path) -> None:
    payload(tmp_path, "pxelinux.0", "lpxelinux.0", "ldlinux.c32", "shimx64.efi", "grubx64.efi")
    chain = host(tmp_path)
    assert list(chain.boot_loaders) == ["pxelinux", "grub_efi"]
    assert set(chain.installers) == {"preseed", "kickstart"}
    assert set(chain.boot_loaders["grub_efi"].files()) == {"shimx64.efi", "grubx64.efi"}
    assert chain.kernel_args(plan()) == (("serial_console", ("console=tty0", "console=ttyS0,115200n8")),)
    chain.close()


@pytest.mark.parametrize(
    ("name", "table", "sentence"),
    [
        ("pxelinux", {"transport": "nfs"}, r"plugins\.pxelinux\.transport.*nfs"),
        ("pxelinux", {"localbot": 0}, "unknown key localbot; did you mean localboot"),
        ("grub_efi", {"build": "unsigned"}, r"plugins\.grub_efi\.build.*unsigned"),
        ("installer_preseed", {"log_every_s": 0}, "log_every_s is 0"),
        ("serial_console", {"consoles": ["tty S0"]}, "'tty S0' is not a console"),
        ("pxe_options", {"discovery_control": 99}, "discovery_control is 99"),
    ],
)
def test_a_wrong_setting_stops_the_start(tmp_path: Path, name: str, table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        host(tmp_path, {name: table})
