"""Boot loaders say which of their files is missing, and only to machines that they are made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.testing.world import MAC, World
from tests.fakes.simulated_server import SimulatedServer


@pytest.mark.parametrize(
    ("firmware", "loader", "missing"),
    [
        ("bios", "pxelinux", "lpxelinux.0 pxelinux.0"),
        ("x64-uefi", "grub_efi", "shimx64.efi"),
        ("x64-uefi", "grub_efi", "grubx64.efi"),
    ],
)
def test_a_missing_loader_file_is_named(tmp_path: Path, firmware: str, loader: str, missing: str) -> None:
    server: World = SimulatedServer(tmp_path)
    server.add()
    for name in missing.split():
        (tmp_path / "data/payload/loaders" / name).unlink()
    server.boot(firmware)  # type: ignore[arg-type]
    (session,) = server.store.sessions.sessions(mac=str(MAC))
    none = [event for event in server.store.sessions.events(session.id) if event.kind == "boot.none"]
    assert none[0].fields["missing"] == missing.split()[-1]


def test_firmware_of_another_processor_lacks_no_file(tmp_path: Path) -> None:
    server = SimulatedServer(tmp_path)
    server.add()
    server.boot("arm64-uefi")
    (session,) = server.store.sessions.sessions(mac=str(MAC))
    (none,) = [event for event in server.store.sessions.events(session.id) if event.kind == "boot.none"]
    assert "missing" not in none.fields
