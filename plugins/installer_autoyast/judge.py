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


def _sections(root: Element) -> Iterator[str]:
    names = [_name(child) for child in root]
    yield from (f"the section {name} stands twice" for name in sorted({one for one in names if names.count(one) > 1}))
    yield from (f"the section {name} is missing" for name in ("partitioning", "software", "users") if name not in names)
    confirm = root.find(f"{{{NAMESPACE}}}general/{{{NAMESPACE}}}mode/{{{NAMESPACE}}}confirm")
    if confirm is None or confirm.text != "false":
        yield "general/mode/confirm must be false, or the installer waits for a key"


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
