"""Which boot files are iPXE itself (rule P11)."""

from __future__ import annotations

import pytest

from provd.core.ipxe_guard import is_ipxe_image


@pytest.mark.parametrize(
    "path",
    [
        *("undionly.kpxe", "undionly.kkpxe", "ipxe.pxe", "ipxe.efi", "ipxe/ipxe-x86_64.efi", "arm64/snponly.efi"),
        *("http://10.0.0.1/IPXE.EFI", "http://10.0.0.1/ipxe.efi?x=1", "ipxe.lkrn", "undionly.0"),
    ],
)
def test_P11_builds_of_ipxe_are_known_by_name(path: str) -> None:
    assert is_ipxe_image(path)


@pytest.mark.parametrize(
    "path", ["boot.ipxe", "ipxe/boot.php", "pxelinux.0", "lpxelinux.0", "shimx64.efi", "ipxe/grubx64.efi", ""]
)
def test_P11_scripts_and_other_loaders_are_not(path: str) -> None:
    assert not is_ipxe_image(path)
