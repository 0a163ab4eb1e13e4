"""Media types of served files, by suffix; the same on every machine, whatever its mime.types says."""

from __future__ import annotations

from mimetypes import MimeTypes
from typing import Final

OCTET_STREAM: Final = "application/octet-stream"
_TEXT: Final = "text/plain; charset=utf-8"

# UEFI 2.10 section 24.7.3.3 names the first three: firmware goes by them, and by the suffix only where it knows none.
_OURS: Final = {
    ".efi": "application/efi",
    ".iso": "application/vnd.efi-iso",
    ".img": "application/vnd.efi-img",
    ".cfg": _TEXT,
    ".ks": _TEXT,
    ".ipxe": _TEXT,
    ".txt": _TEXT,
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".xml": "application/xml",
    ".deb": "application/vnd.debian.binary-package",
    ".udeb": "application/vnd.debian.binary-package",
    ".rpm": "application/x-rpm",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
    ".zst": "application/zstd",
}
_OTHERS: Final = MimeTypes().types_map[True]


def media_type(path: str, declared: str = OCTET_STREAM) -> str:
    """The declared type, or for an unspecific one the type that the suffix stands for (rule H08).

    Args:
        path: served path, or the name of a file.
        declared: type that whoever made the content gave it.
    """
    if declared != OCTET_STREAM:
        return declared
    dot = path.rfind(".")
    if dot <= path.rfind("/") + 1:
        return declared
    suffix = path[dot:].lower()
    return _OURS.get(suffix) or _OTHERS.get(suffix, declared)
