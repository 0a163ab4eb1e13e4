"""Judge of AutoYaST profiles: XML, then the structure that AutoYaST's own reader asks for."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

from .elements import ITEMS, NAMESPACE, TYPE

_TYPES = frozenset({"boolean", "integer", "list", "map", "string", "symbol"})
_NEEDED = {
    "add_on_products": ("media_url",), "chroot-scripts": ("source",), "interfaces": ("device", "bootproto"),
    "net-udev": ("name", "rule", "value"), "pre-scripts": ("source",), "users": ("username",),
}  # fmt: skip
"""What every element of a list must have."""
_DRIVE = frozenset(
    {
        *(
            "device",
            "disklabel",
            "enable_snapshots",
            "initialize",
            "is_lvm_vg",
            "keep_unknown_lv",
            "partitions",
            "pesize",
        ),
        *("quotas", "raid_options", "skip_list", "type", "use", "bcache_options", "btrfs_options"),
    }
)
_PARTITION = frozenset(
    {
        *("create", "create_subvolumes", "crypt_cipher", "crypt_fs", "crypt_key", "crypt_label", "crypt_method"),
        *("crypt_pbkdf", "bcache_backing_for", "bcache_caching_for", "btrfs_name", "device", "filesystem", "format"),
        *(
            "fstopt",
            "label",
            "lv_name",
            "lvm_group",
            "mkfs_options",
            "mount",
            "mountby",
            "partition_id",
            "partition_nr",
        ),
        *("partition_type", "pool", "quotas", "raid_name", "raid_options", "resize", "size", "stripes", "stripesize"),
        *("subvolumes", "subvolumes_prefix", "used_pool", "uuid", "subvolumes_quota"),
    }
)
"""Elements of a drive and of a partition (AutoYaST guide, partitioning)."""
_PROTOCOLS = frozenset({"dhcp", "dhcp4", "dhcp6", "dhcp+autoip", "none", "static"})


def judged(text: str) -> Iterator[str]:
    """One sentence for each fault."""
    if "<!ENTITY" in text:
        yield "entities are not for a control file"
        return
    try:
        root = fromstring(text)  # noqa: S314  without entities nothing grows and nothing is fetched
    except ParseError as error:
        yield f"not well-formed XML: {error}"
        return
    if root.tag != f"{{{NAMESPACE}}}profile":
        yield f"the root element is {root.tag}, must be profile in the name space {NAMESPACE}"
        return
    yield from _sections(root)
    for child in root:
        yield from _element(child, _name(child))
    drives = root.findall(f"{{{NAMESPACE}}}partitioning/{{{NAMESPACE}}}drive")
    yield from _drives(drives)


def _sections(root: Element) -> Iterator[str]:
    names = [_name(child) for child in root]
    yield from (f"the section {name} stands twice" for name in sorted({one for one in names if names.count(one) > 1}))
    yield from (f"the section {name} is missing" for name in ("partitioning", "software", "users") if name not in names)
    confirm = root.find(f"{{{NAMESPACE}}}general/{{{NAMESPACE}}}mode/{{{NAMESPACE}}}confirm")
    if confirm is None or confirm.text != "false":
        yield "general/mode/confirm must be false, or the installer waits for a key"


def _drives(drives: list[Element]) -> Iterator[str]:
    """What is known, what belongs together, and a place for the system."""
    groups: set[str] = set()
    used: set[str] = set()
    mounts: list[str] = []
    own = False
    for number, drive in enumerate(drives):
        place = f"partitioning/drive[{number}]"
        yield from (f"{place}: {_name(one)} is not known" for one in drive if _name(one) not in _DRIVE)
        if _said(drive, "type") == "CT_LVM":
            groups.add(_said(drive, "device").removeprefix("/dev/"))
        for part, partition in enumerate(drive.findall(f"{{{NAMESPACE}}}partitions/{{{NAMESPACE}}}partition")):
            own = True
            unknown = [_name(one) for one in partition if _name(one) not in _PARTITION]
            yield from (f"{place}/partitions/partition[{part}]: {name} is not known" for name in unknown)
            used |= {_said(partition, "lvm_group")} - {""}
            mounts.append(_said(partition, "mount"))
    yield from (f"partitioning: no drive is the volume group {name} (CT_LVM)" for name in sorted(used - groups))
    yield from (f"partitioning: no partition is for the volume group {name}" for name in sorted(groups - used))
    yield from (
        f"partitioning: {name} is mounted twice"
        for name in sorted(set(mounts))
        if name and mounts.count(name) > 1 and name != "swap"
    )
    if own and "/" not in mounts:
        yield "partitioning: nothing is mounted as /"


def _said(element: Element, name: str) -> str:
    found = element.find(f"{{{NAMESPACE}}}{name}")
    return (found.text or "").strip() if found is not None else ""


def _element(element: Element, path: str) -> Iterator[str]:
    name, kind, text = _name(element), element.get(TYPE), (element.text or "").strip()
    if kind is not None and kind not in _TYPES:
        yield f"{path}: config:type is {kind!r}, must be one of {', '.join(sorted(_TYPES))}"
    if kind == "boolean" and text not in {"true", "false"}:
        yield f"{path}: {text!r} is neither true nor false"
    if kind == "integer" and not text.lstrip("-").isdigit():
        yield f"{path}: {text!r} is not a number"
    if name in ITEMS and len(element) and kind != "list":
        yield f'{path}: config:type="list" is missing'
    if name == "bootproto" and text not in _PROTOCOLS:
        yield f"{path}: {text!r} must be one of {', '.join(sorted(_PROTOCOLS))}"
    for index, child in enumerate(element):
        place = f"{path}/{_name(child)}" + (f"[{index}]" if kind == "list" else "")
        for needed in _NEEDED.get(name, ()):
            if child.find(f"{{{NAMESPACE}}}{needed}") is None:
                yield f"{place}: {needed} is missing"
        yield from _element(child, place)


def _name(element: Element) -> str:
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")
