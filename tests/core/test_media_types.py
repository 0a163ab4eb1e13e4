from __future__ import annotations

import pytest

from provd.model.media_types import media_type


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/BOOTX64.EFI", "application/efi"),
        ("x.iso", "application/vnd.efi-iso"),
        ("x.img", "application/vnd.efi-img"),
        ("initrd.gz", "application/gzip"),
        ("ks.cfg", "text/plain; charset=utf-8"),
        ("Packages.xz", "application/x-xz"),
        ("index.html", "text/html"),
        ("dir.efi/plain", "application/octet-stream"),
        (".efi", "application/octet-stream"),
        ("vmlinuz-6.1.0", "application/octet-stream"),
        ("linux", "application/octet-stream"),
    ],
)
def test_H08_the_suffix_tells_the_type(path: str, kind: str) -> None:
    assert media_type(path) == kind


def test_H08_a_declared_type_stays() -> None:
    assert media_type("x.iso", "text/x-script") == "text/x-script"
