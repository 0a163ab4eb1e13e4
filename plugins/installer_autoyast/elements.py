"""AutoYaST's XML of plain values: tables are elements, lists and other types say so (AutoYaST guide, "Data types")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

NAMESPACE = "http://www.suse.com/1.0/yast2ns"
TYPES = "http://www.suse.com/1.0/configns"
TYPE = f"{{{TYPES}}}type"

ITEMS: Mapping[str, str] = {
    "add_on_products": "listentry", "chroot-scripts": "script", "interfaces": "interface", "net-udev": "rule",
    "nameservers": "nameserver", "ntp_servers": "ntp_server", "packages": "package", "partitioning": "drive",
    "partitions": "partition", "patterns": "pattern", "peers": "peer", "pre-scripts": "script", "products": "product",
    "routes": "route", "searchlist": "search", "services": "service", "subvolumes": "subvolume", "users": "user",
    "zones": "zone",
}  # fmt: skip
"""Name of the elements of each list."""

register_namespace("config", TYPES)


@dataclass(frozen=True, slots=True)
class Typed:
    """A text whose type must be said, as ``symbol``."""

    kind: str
    text: str


def document(profile: Mapping[str, Any]) -> str:
    """The whole file.

    Raises:
        ValueError: a value has characters that XML 1.0 cannot hold.
    """
    root = Element("profile", {"xmlns": NAMESPACE})
    for name, value in profile.items():
        _add(root, name, value)
    indent(root, " ")
    return f'<?xml version="1.0"?>\n<!DOCTYPE profile>\n{tostring(root, encoding="unicode")}\n'


def _add(parent: Element, name: str, value: Any) -> None:
    element = SubElement(parent, name)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _add(element, key, inner)
    elif isinstance(value, list):
        if name not in ITEMS:
            raise ValueError(f"{name} is no list that AutoYaST knows")
        element.set(TYPE, "list")
        for inner in value:
            _add(element, ITEMS[name], inner)
    elif isinstance(value, Typed):
        element.set(TYPE, value.kind)
        element.text = _text(name, value.text)
    elif isinstance(value, bool):
        element.set(TYPE, "boolean")
        element.text = "true" if value else "false"
    else:
        element.text = _text(name, str(value))


def _text(name: str, text: str) -> str:
    """XML 1.0, production 2 (Char)."""
    for character in text:
        if (
            (character < " " and character not in "\t\n\r")
            or "\ud800" <= character <= "\udfff"
            or character in "\ufffe\uffff"
        ):
            raise ValueError(f"{name} has the character {character!r}, which XML cannot hold")
    return text
