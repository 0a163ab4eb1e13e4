"""Option 43 of PXE clients as a person configures it: ``[options.pxe]`` (PXE 2.1 section 2.3).

Control bits (sub-option 6), boot servers (8), boot menu (9), menu prompt (10) and boot item (71). Multicast is refused:
provd serves no MTFTP (sub-options 1 to 5) and answers no discovery by multicast (7).
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from provd.wire.errors import WireError
from provd.wire.pxe import PXE_BOOT_ITEM, PXE_BOOT_MENU, PXE_MENU_PROMPT, decode_pxe_options, encode_pxe_options
from provd.wire.suboptions import encode_suboptions

NO_BROADCAST: Final = 1
NO_MULTICAST: Final = 2
LISTED_ONLY: Final = 4
BOOT_FILE: Final = 8
CONTROL: Final[Mapping[str, int]] = {
    "no-broadcast": NO_BROADCAST,
    "no-multicast": NO_MULTICAST,
    "listed-servers-only": LISTED_ONLY,
    "boot-file": BOOT_FILE,
}
"""Words of ``control``: the client looks for no boot server by broadcast or multicast, takes only listed ones, and
loads the boot file of the reply at once."""

AT_ONCE: Final = encode_pxe_options(control=NO_BROADCAST | NO_MULTICAST | BOOT_FILE)
"""What PXE clients get where nothing is configured: no discovery, the boot file at once (rule P07)."""

_FIELD: Final = "option pxe"
_KEYS: Final = ("control", "servers", "menu", "prompt", "item")
_MULTICAST: Final = ("mtftp", "multicast")


def encode_pxe_table(value: object) -> bytes:
    """Octets of option 43; without ``control``, discovery is off, and the boot file is loaded unless there is a menu.

    Raises:
        WireError: an unknown key, a value of the wrong type, or a sub-option over 255 octets.
    """
    table = _table(value, "", _KEYS)
    servers = [_server(row, f"servers[{at}]") for at, row in enumerate(_rows(table, "servers"))]
    menu = [_entry(row, f"menu[{at}]") for at, row in enumerate(_rows(table, "menu"))]
    control = _control(table["control"]) if "control" in table else _default_control(menu, servers)
    return encode_pxe_options(
        control=control,
        servers=servers,
        menu=menu,
        prompt=_prompt(table["prompt"]) if "prompt" in table else None,
        item=_item(table["item"]) if "item" in table else None,
    )


def with_boot_item(data: bytes, item: tuple[int, int]) -> bytes:
    """Option 43 for a client that chose from a menu: its choice instead of the menu (PXE 2.1 section 2.2.3).

    Raises:
        WireError: ``data`` is no option 43 of PXE.
    """
    values = decode_pxe_options(data)
    for code in (PXE_BOOT_MENU, PXE_MENU_PROMPT):
        values.pop(code, None)
    values[PXE_BOOT_ITEM] = item[0].to_bytes(2) + item[1].to_bytes(2)
    return encode_suboptions(values, _FIELD, markers=True)


def _default_control(menu: object, servers: object) -> int:
    return NO_BROADCAST | NO_MULTICAST | (LISTED_ONLY if servers else 0) | (0 if menu or servers else BOOT_FILE)


def _fault(key: str, problem: str) -> WireError:
    return WireError(f"{_FIELD}.{key}" if key else _FIELD, problem)


def _table(value: object, key: str, known: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _fault(key, f"{value!r} is not a table with the keys {', '.join(known)}")
    for name in value:
        if not key and name in _MULTICAST:
            raise _fault(str(name), "provd serves no MTFTP and answers no multicast (PXE 2.1 sub-options 1 to 5 and 7)")
        if name not in known:
            raise _fault(f"{key}.{name}" if key else str(name), f"is no key here; known: {', '.join(known)}")
    return value


def _rows(table: Mapping[str, object], key: str) -> list[object]:
    rows = table.get(key, [])
    if not isinstance(rows, list | tuple):
        raise _fault(key, f"{rows!r} is not a list of tables")
    return list(rows)


def _control(value: object) -> int:
    words = value if isinstance(value, list | tuple) else [value]
    bits = 0
    for word in words:
        if not isinstance(word, str) or word not in CONTROL:
            raise _fault("control", f"{word!r} is none of {', '.join(CONTROL)}")
        bits |= CONTROL[word]
    return bits


def _number(table: Mapping[str, object], key: str, name: str, most: int, default: int | None = None) -> int:
    found = table.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= most:
        raise _fault(f"{key}.{name}", f"{found!r} is not a whole number from 0 to {most}")
    return found


def _text(table: Mapping[str, object], key: str, most: int) -> str:
    found = table.get("text")
    if not isinstance(found, str) or not found or not found.isascii() or not found.isprintable():
        raise _fault(f"{key}.text", f"{found!r} is not a text of printable ASCII characters")
    if len(found) > most:
        raise _fault(f"{key}.text", f"has {len(found)} characters, at most {most}")
    return found


def _server(value: object, key: str) -> tuple[int, list[int]]:
    table = _table(value, key, ("type", "addresses"))
    addresses = table.get("addresses")
    if not isinstance(addresses, list | tuple) or not addresses:
        raise _fault(f"{key}.addresses", f"{addresses!r} is not a list of IPv4 addresses")
    try:
        return _number(table, key, "type", 0xFFFF), [int(IPv4Address(str(one))) for one in addresses]
    except AddressValueError as error:
        raise _fault(f"{key}.addresses", str(error)) from error


def _entry(value: object, key: str) -> tuple[int, str]:
    table = _table(value, key, ("type", "text"))
    return _number(table, key, "type", 0xFFFF), _text(table, key, 252)


def _prompt(value: object) -> tuple[int, str]:
    table = _table(value, "prompt", ("seconds", "text"))
    # PXE 2.1 table 2-1: 255 waits for the user, 0 takes the first entry at once.
    return _number(table, "prompt", "seconds", 255, 0), _text(table, "prompt", 254)


def _item(value: object) -> tuple[int, int]:
    table = _table(value, "item", ("type", "layer"))
    return _number(table, "item", "type", 0xFFFF), _number(table, "item", "layer", 0x7FFF, 0)
