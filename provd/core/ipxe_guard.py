"""iPXE is not handed to iPXE: a machine would load it for ever (rule P11)."""

from __future__ import annotations

import re
from typing import Final

#: Names of iPXE's own builds: undionly.kpxe, ipxe.efi, ipxe-x86_64.efi, snponly.efi, ipxe.lkrn, ...
_IMAGE: Final = re.compile(r"(?:.*ipxe.*|undionly.*|snponly.*)\.(?:efi|k?k?pxe|lkrn|0)", re.IGNORECASE)


def is_ipxe_image(path: str) -> bool:
    """Whether a boot file is iPXE itself by its name; a script for iPXE is not.

    Args:
        path: served path or URL.
    """
    name = path.partition("?")[0].rpartition("/")[2]
    return _IMAGE.fullmatch(name) is not None
