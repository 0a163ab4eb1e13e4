"""What the commands on machines have beside the arguments of their operations: network cards in short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from provd.cli.context import Context
from provd.cli.dynamic import Refinement, Values

_CARD_KEYS: Final = ("name", "mac", "address", "hostname")


def _cards(macs: tuple[str, ...], addresses: tuple[str, ...], interfaces: tuple[str, ...]) -> list[dict[str, str]]:
    """Cards of ``--mac`` with ``--address`` in the same order, then those of ``--interface``."""
    if len(addresses) > len(macs):
        raise click.UsageError("there are more --address than --mac")
    cards = [{"mac": mac} for mac in macs]
    for card, address in zip(cards, addresses, strict=False):
        card["address"] = address
    for text in interfaces:
        card = {}
        for part in text.split(","):
            key, _, value = part.partition("=")
            if key not in _CARD_KEYS:
                raise click.UsageError(f"--interface {text}: {key!r} is not one of {', '.join(_CARD_KEYS)}")
            card[key] = value
        cards.append(card)
    return cards


def card_options() -> list[click.Parameter]:
    """``--mac``, ``--address`` and ``--interface``."""
    return [
        click.Option(["--mac", "--mac-address", "macs"], multiple=True, help="MAC of a network card; once per card."),
        click.Option(
            ["--address", "--ip-address", "addresses"], multiple=True,
            help="Reserved address of the card at the same place.",
        ),
        click.Option(["--interface", "cards"], multiple=True, metavar="name=,mac=,address=", help="A card in full."),
    ]  # fmt: skip


def _netboot_option() -> click.Option:
    """Cobbler's name for ``--netboot``."""
    return click.Option(["--netboot-enabled"], type=click.BOOL, hidden=True)


def _take_cards(values: Values, given: Mapping[str, Any]) -> None:
    cards = _cards(given["macs"], given["addresses"], given["cards"])
    if cards:
        values["interfaces"] = [*values.get("interfaces", ()), *cards]
    if given.get("netboot_enabled") is not None:
        values["netboot"] = given["netboot_enabled"]


def _for_add(_context: Context, values: Values, given: Values) -> None:
    """A machine may be added before its cards are known."""
    _take_cards(values, given)
    values.setdefault("interfaces", [])


def _for_edit(context: Context, values: Values, given: Values) -> None:
    """Cards that are known by their MAC keep their names; in place, cards that are not named stay."""
    _take_cards(values, given)
    if "interfaces" not in values or "name" not in values:
        return
    before: list[dict[str, Any]] = context.client.call("system.show", {"name": values["name"]})["interfaces"]
    known = {card["mac"]: card for card in before}
    wanted = [{"name": known.get(card["mac"].lower(), {}).get("name", ""), **card} for card in values["interfaces"]]
    if values.get("in_place"):
        named = {card["mac"].lower(): card for card in wanted}
        kept = [{**{key: card.get(key) or "" for key in _CARD_KEYS}, **named.pop(card["mac"], {})} for card in before]
        wanted = [*kept, *named.values()]
    values["interfaces"] = wanted


def _for_copy(_context: Context, values: Values, given: Values) -> None:
    _take_cards(values, given)
    values.setdefault("interfaces", [])


REFINED: Final[Mapping[str, Refinement]] = {
    "system.add": Refinement(lambda: [*card_options(), _netboot_option()], refine=_for_add),
    "system.edit": Refinement(lambda: [*card_options(), _netboot_option()], refine=_for_edit),
    "system.copy": Refinement(card_options, refine=_for_copy),
}
