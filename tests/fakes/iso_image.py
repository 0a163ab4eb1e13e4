"""ISO images as installation media are made, small."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from pycdlib import PyCdlib


def make_iso(
    path: Path,
    files: dict[str, bytes],
    *,
    links: dict[str, str] | None = None,
    rock_ridge: bool = True,
    joliet: bool = False,
    label: str = "MEDIUM",
) -> Path:
    """Write an image with these files (paths without leading slash) and, with Rock Ridge, symbolic links."""
    iso: Any = PyCdlib()
    iso.new(
        interchange_level=3, rock_ridge="1.09" if rock_ridge else None, joliet=3 if joliet else None, vol_ident=label
    )
    short: dict[str, str] = {"": ""}

    def folder(name: str) -> str:
        if name not in short:
            parent, _, last = name.rpartition("/")
            short[name] = (
                f"{folder(parent)}/D{len(short):04d}" if rock_ridge or joliet else f"{folder(parent)}/{last.upper()}"
            )
            words: dict[str, str] = {"rr_name": last} if rock_ridge else {}
            words |= {"joliet_path": f"/{name}"} if joliet else {}
            iso.add_directory(short[name], **words)
        return short[name]

    for number, (name, octets) in enumerate(files.items()):
        parent, _, last = name.rpartition("/")
        plain = f"F{number:04d}.;1" if rock_ridge or joliet else f"{last.upper()};1"
        words = {"rr_name": last} if rock_ridge else {}
        words |= {"joliet_path": f"/{name}"} if joliet else {}
        iso.add_fp(BytesIO(octets), len(octets), f"{folder(parent)}/{plain}", **words)
    for number, (name, target) in enumerate((links or {}).items()):
        parent, _, last = name.rpartition("/")
        iso.add_symlink(f"{folder(parent)}/L{number:04d}.;1", rr_symlink_name=last, rr_path=target)
    iso.write(str(path))
    iso.close()
    return path
