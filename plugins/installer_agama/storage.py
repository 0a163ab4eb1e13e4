"""Agama's ``storage``: all of one disk, by the product's proposal, or a site's own section.

Unlike other installers' scripts, Agama's run too late to write a disk into the profile, so it must find it itself: by a
device name (udev's links count) or by one condition on the size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"[A-Za-z0-9._:/-]+")
_SIZE: Final = re.compile(r"size([<>])=(\d+)([KMGT]?)")
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def storage(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The section.

    Raises:
        ValueError: ``disk`` is nothing that Agama can find.
    """
    if values["storage"]:
        own: Mapping[str, Any] = values["storage"]
        return own
    if fault := disk_fault(values["disk"]):
        raise ValueError(fault)
    drive: dict[str, Any] = {"partitions": [{"search": "*", "delete": True}, {"generate": "default"}]}
    if values["disk"]:
        drive = {"search": _search(values["disk"]), **drive}
    return {"drives": [drive]}


def disk_fault(disk: str) -> str:
    """Why Agama cannot find this disk, in one sentence, or empty."""
    if not disk or _search(disk) is not None:
        return ""
    return (
        f"answers.disk is {disk!r}: Agama finds a disk by one of /dev/NAME, name=, wwn=, size>=, size<=; "
        "answers.storage may hold another search"
    )


def _search(disk: str) -> Any:
    """A search for one disk, None where it cannot be said."""
    if size := _SIZE.fullmatch(disk):
        octets = int(size[2]) * 1000 ** _POWERS[size[3]]
        # "greater" and "less" do not hold the limit itself.
        condition = {"greater": octets - 1} if size[1] == ">" else {"less": octets + 1}
        return {"condition": {"size": condition}, "sort": "name", "max": 1}
    kind, _, value = disk.partition("=")
    if disk.startswith("/dev/"):
        kind, value = "/dev/", disk
    if not _NAME.fullmatch(value):
        return None
    if kind == "/dev/":
        return value
    if kind == "name":
        return f"/dev/{value}"
    return _by_wwn(value) if kind == "wwn" else None


def _by_wwn(value: str) -> str | None:
    """The link, by udev, of the name that the kernel gives in ``wwid``: ``naa.5000...`` or ``eui.0025...``."""
    kind, _, number = value.partition(".")
    links = {"naa": f"/dev/disk/by-id/wwn-0x{number}", "eui": f"/dev/disk/by-id/nvme-eui.{number}"}
    return links.get(kind) if number else None
