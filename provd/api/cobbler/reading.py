"""Methods that read items of every kind; some kinds of Cobbler's items are empty, because provd has none."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from provd.api.cobbler.attributes import FIELDS, INTERFACE
from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.fields import FieldError, modern, read
from provd.api.cobbler.items import item
from provd.api.cobbler.registry import Registry
from provd.service.find import MOST_PATTERN
from provd.service.operations import ANONYMOUS_READ, OperationError

KINDS: Final = ("distro", "profile", "system", "repo", "image", "menu")
EMPTY: Final = ("mgmtclass", "package", "file")
"""Kinds that Cobbler has and whose lists are empty here."""

PLURALS: Final[Mapping[str, str]] = {
    **{kind: f"{kind}s" for kind in (*KINDS, *EMPTY)},
    "mgmtclass": "mgmtclasses",
}
AT_ONCE: Final = 50
"""Items that are read without a pause: some 5 ms."""

_NO_ITEMS = "provd keeps no items of this kind; the list is empty"
_SEARCHED: Final = {"mac_address": "mac", "ip_address": "address", "profile": "profile", "name": "name"}
"""Attributes that provd's own index of systems can answer."""


def known(what: str) -> str:
    """A kind that has items here.

    Raises:
        CobblerError: Cobbler knows none of this name.
    """
    if what not in PLURALS:
        raise CobblerError(f"internal error, unknown item type {what}")
    return what


async def one(call: Call, kind: str, name: str) -> dict[str, Any]:
    """An item.

    Raises:
        OperationError: there is none of this name.
    """
    shown = await call.ask(f"{kind}.show", name=name)
    if shown["name"] != name:
        # A system is found by a MAC as well; Cobbler's names are names only.
        raise OperationError(f"there is no {kind} {name!r}", field="name", kind="not-found")
    own = shown if kind == "system" else await call.ask(f"{kind}.own", name=name)
    return item(kind, own, shown)


async def every(call: Call, kind: str, where: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """All items of a kind, by name."""
    return [one_ async for one_ in _each(call, kind, where or {})]


async def _each(call: Call, kind: str, where: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    """The same one by one, with pauses, so that machines are answered meanwhile."""
    if kind in EMPTY:
        return
    if kind == "system":
        letters, last = bool(set(where) - {"mac", "address"}), ""
        while True:
            rows = await call.ask(
                "system.find", full=True, where=where, ignore_case=letters, limit=AT_ONCE, cursor=last
            )
            for row in rows:
                yield item(kind, row, row)
            if len(rows) < AT_ONCE:
                return
            last = rows[-1]["name"]
            await call.bridge.pause()
    for number, row in enumerate(await call.ask(f"{kind}.list"), 1):
        try:
            found = await one(call, kind, row["name"])
        except OperationError as error:
            if error.kind != "not-found":
                raise
        else:  # it was not removed in a pause
            yield found
        if number % AT_ONCE == 0:
            await call.bridge.pause()


async def get_item(
    call: Call,
    what: str,
    name: str,
    flatten: object = False,  # noqa: FBT002  positions are Cobbler's
    resolved: object = False,  # noqa: FBT002
    token: str = "",
) -> object:
    """An item, or ``~`` where there is none."""
    del token, flatten
    if known(what) in EMPTY:
        return None
    try:
        found = await one(call, what, name)
    except OperationError as error:
        if error.kind == "not-found":
            return None
        raise
    if resolved is True:
        from provd.api.cobbler.blending import blended

        found |= {key: value for key, value in (await blended(call, what, name)).items() if key in found}
    return found


async def get_items(call: Call, what: str) -> object:
    """All items of a kind."""
    return await every(call, known(what))


async def get_some(call: Call, kind: str, page: object = "", results_per_page: object = "", token: str = "") -> object:
    """All items of a kind; Cobbler takes pages here and does not look at them."""
    del page, results_per_page, token
    return await every(call, kind)


async def get_item_names(call: Call, what: str) -> object:
    """Names of a kind."""
    if known(what) in EMPTY:
        return []
    return [row["name"] for row in await call.ask(f"{what}.list")]


async def has_item(call: Call, what: str, name: str, token: str = "") -> object:
    """Whether there is such an item."""
    del token
    return known(what) not in EMPTY and await call.has(what, name)


async def find_items(
    call: Call,
    what: str,
    criteria: object = None,
    sort_field: object = "",
    expand: object = True,  # noqa: FBT002
    token: str = "",
) -> object:
    """Items whose attributes fit patterns."""
    del token
    found = await matching(call, known(what), criteria)
    if isinstance(sort_field, str) and sort_field not in {"", "~"}:
        key = sort_field.removeprefix("!")
        found.sort(key=lambda one_: str(one_.get(key, "")), reverse=sort_field.startswith("!"))
    return found if expand else [one_["name"] for one_ in found]


async def find_some(
    call: Call,
    kind: str,
    criteria: object = None,
    expand: object = False,  # noqa: FBT002
    token: str = "",
) -> object:
    """Names, or with ``expand`` items; a token in its place counts as ``expand``, as Ansible sends it."""
    del token
    found = await matching(call, kind, criteria)
    return found if expand else [one_["name"] for one_ in found]


async def find_items_paged(
    call: Call,
    what: str,
    criteria: object = None,
    sort_field: object = "",
    page: object = 1,
    items_per_page: object = 25,
    token: str = "",
) -> object:
    """One page of what was found, with the numbers of pages around it."""
    found: Any = await find_items(call, what, criteria, sort_field, True, token)  # noqa: FBT003
    page, items_per_page = _positive(page, 1), _positive(items_per_page, 25)
    pages = max(1, -(-len(found) // items_per_page))
    page = min(page, pages)
    start = (page - 1) * items_per_page
    return {
        "items": found[start : start + items_per_page],
        "pageinfo": {
            "page": page,
            "prev_page": page - 1 if page > 1 else "~",
            "next_page": page + 1 if page < pages else "~",
            "pages": list(range(1, pages + 1)),
            "num_pages": pages,
            "num_items": len(found),
            "start_item": start,
            "end_item": min(start + items_per_page, len(found)),
            "items_per_page": items_per_page,
            "items_per_page_list": [10, 20, 50, 100, 200, 500],
        },
    }


def _positive(value: object, default: int) -> int:
    """A number as clients write it; what is none counts as not given."""
    said = re.fullmatch("[0-9]{1,9}", str(value)) if isinstance(value, int | str) else None
    return (int(said[0]) if said else 0) or default


async def matching(call: Call, kind: str, criteria: object) -> list[dict[str, Any]]:
    """Items of a kind that fit.

    Raises:
        FieldError: the criteria are no dictionary, or name an attribute that there is none of.
    """
    if criteria in (None, "", "~"):
        criteria = {}
    if not isinstance(criteria, dict):
        raise FieldError("criteria must be a dictionary")
    if kind in EMPTY:
        return []
    # What is asked for by None fits everything.
    wanted = {modern(name): value for name, value in criteria.items() if value is not None}
    fields = {**FIELDS[kind], **(INTERFACE if kind == "system" else {}), "uid": ("str", ""), "depth": ("int", 0)}
    for name, value in wanted.items():
        if name not in fields and (kind, name) != ("system", "interface"):
            raise FieldError(f"{name} is no attribute that can be searched for")
        if len(str(value)) > MOST_PATTERN:
            raise FieldError(f"{name}: a criterion has {MOST_PATTERN} characters at most")
    where = {ours: wanted[theirs] for theirs, ours in _SEARCHED.items() if _simple(wanted.get(theirs))}
    found = _each(call, kind, where)
    return [one_ async for one_ in found if all(_fits(one_, name, value, fields) for name, value in wanted.items())]


def _simple(pattern: object) -> bool:
    """A pattern that means the same to provd."""
    return isinstance(pattern, str) and re.fullmatch(r"[\w.:*+-]+", pattern) is not None


def _fits(found: Mapping[str, Any], name: str, value: Any, fields: Mapping[str, Any]) -> bool:
    """Whether a criterion holds; a text with ``~`` in front asks for all others, upper and lower case are the same."""
    if isinstance(value, str) and value.startswith("~"):
        return not _fits(found, name, value[1:], fields)
    if name == "interface":
        return isinstance(value, str) and value in found["interfaces"]
    if name in found:
        return _equal(found[name], value, fields[name][0], name)
    return any(_equal(card[name], value, fields[name][0], name) for card in found["interfaces"].values())


def _equal(has: Any, value: Any, kind: str, name: str) -> bool:
    if isinstance(has, str) and isinstance(value, str):
        return fnmatchcase(has.lower(), value.lower())
    try:
        wanted = read({name: (kind, None)}, name, value)
    except FieldError:
        return False
    if isinstance(has, dict) and isinstance(wanted, dict):
        return all(key in has and (entry == "~" or str(has[key]) == str(entry)) for key, entry in wanted.items())
    if isinstance(has, list) and isinstance(wanted, list):
        return set(wanted) <= set(has)
    return bool(has == wanted)


async def get_since(call: Call, kind: str, mtime: object) -> object:  # noqa: ARG001
    """Every item: provd keeps no times of change that would tell which."""
    return await every(call, kind)


async def find_system_by_dns_name(call: Call, dns_name: str) -> object:
    """The system with this host name, blended; empty where there is none."""
    from provd.api.cobbler.blending import blended

    for found in await every(call, "system"):
        names = {found["hostname"], *(card["dns_name"] for card in found["interfaces"].values())} - {""}
        if dns_name in names:
            return await blended(call, "system", found["name"])
    return {}


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    masked = "secrets are masked"
    methods.add("get_item", ANONYMOUS_READ, get_item, differs=masked)
    methods.add("get_items", ANONYMOUS_READ, get_items, differs=masked)
    methods.add("get_item_names", ANONYMOUS_READ, get_item_names)
    methods.add("has_item", ANONYMOUS_READ, has_item)
    methods.add("find_items", ANONYMOUS_READ, find_items, differs=masked)
    methods.add("find_items_paged", ANONYMOUS_READ, find_items_paged, differs=masked)
    methods.add("find_system_by_dns_name", ANONYMOUS_READ, find_system_by_dns_name, differs=masked)
    for kind, plural in PLURALS.items():
        differs = _NO_ITEMS if kind in EMPTY else masked
        methods.add(f"get_{kind}", ANONYMOUS_READ, get_item, kind, differs=differs)
        methods.add(f"get_{plural}", ANONYMOUS_READ, get_some, kind, differs=differs)
        methods.add(f"find_{kind}", ANONYMOUS_READ, find_some, kind, differs=differs)
        since = _NO_ITEMS if kind in EMPTY else "answers every item: times of change are not kept"
        methods.add(f"get_{plural}_since", ANONYMOUS_READ, get_since, kind, differs=since)
