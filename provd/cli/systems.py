"""What the commands on machines have beside the arguments of their operations: network cards in short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from provd.cli.context import Context
from provd.cli.dynamic import Refinement, Values, call_and_show

_CARD_KEYS: Final = ("name", "mac", "address", "hostname")


def _cards(macs: tuple[str, ...], addresses: tuple[str, ...], interfaces: tuple[str, ...]) -> list[dict[str, str]]:
    """Cards of ``--mac`` with ``--address`` and a plain ``--interface`` in the same order, then those in full."""
    names = [text for text in interfaces if "=" not in text]
    if len(addresses) > max(len(macs), len(names)):
        raise click.UsageError("there are more --address than --mac")
    if len(names) > max(len(macs), len(addresses)):
        raise click.UsageError(f"--interface {names[-1]} needs --mac or --address at the same place")
    cards: list[dict[str, str]] = [{} for _ in range(max(len(macs), len(names)))]
    for key, values in (("name", names), ("mac", macs), ("address", addresses)):
        for card, value in zip(cards, values, strict=False):
            card[key] = value
    return [*cards, *(_in_full(text) for text in interfaces if "=" in text)]


def _in_full(text: str) -> dict[str, str]:
    card = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        if key not in _CARD_KEYS:
            raise click.UsageError(f"--interface {text}: {key!r} is not one of {', '.join(_CARD_KEYS)}")
        card[key] = value
    return card


def card_options() -> list[click.Parameter]:
    """``--mac``, ``--address`` and ``--interface``."""
    return [
        click.Option(["--mac", "--mac-address", "macs"], multiple=True, help="MAC of a network card; once per card."),
        click.Option(
            ["--address", "--ip-address", "addresses"], multiple=True,
            help="Reserved address of the card at the same place.",
        ),
        click.Option(
            ["--interface", "cards"], multiple=True, metavar="NAME|name=,mac=,address=",
            help="Name of the card at the same place, or a card in full.",
        ),
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
    """Cards that are known by their name or MAC keep the rest; in place, cards that are not named stay."""
    _take_cards(values, given)
    if "interfaces" not in values or "name" not in values:
        return
    before: list[dict[str, Any]] = context.client.call("system.show", {"name": values["name"]})["interfaces"]
    old = [{key: card.get(key) or "" for key in _CARD_KEYS} | {"vars": card.get("vars") or {}} for card in before]
    # Whoever names one card, as Cobbler's users do, means that one only.
    in_place = values.get("in_place") or any("=" not in text for text in given["cards"])
    if not in_place:
        names = {card["mac"]: card["name"] for card in old}
        values["interfaces"] = [{"name": names.get(card["mac"].lower(), ""), **card} for card in values["interfaces"]]
        return
    for card in values["interfaces"]:
        same = next((one for one in old if _same(one, card)), None)
        if same is None:
            old.append(card)
        else:
            same.update(card)
    values["interfaces"] = old


def _same(known: Mapping[str, Any], card: Mapping[str, Any]) -> bool:
    """Whether a card that was named is one that the machine has."""
    if card.get("name"):
        return bool(known.get("name") == card["name"])
    return bool(known.get("mac") == str(card.get("mac", "")).lower())


def _for_copy(_context: Context, values: Values, given: Values) -> None:
    _take_cards(values, given)
    values.setdefault("interfaces", [])


def _copy(context: Context, operation: str, values: Values, output: str) -> None:
    """For people a copy without a card says that it has none: what it was made from has."""
    call_and_show(context, operation, values, output)
    if output == "table" and not values["interfaces"]:
        new = values["new"]
        click.echo(
            f"{new} has no network card, as no two machines share one; name its own: provd system edit {new} --mac MAC",
            err=True,
        )


def _edit(context: Context, operation: str, values: Values, output: str) -> None:
    """A dry run for people tells what would be different and nothing else."""
    from provd.cli.output import show_result, waiting

    with waiting(f"{operation} runs"):
        told = context.client.call(operation, values)
    if output == "table" and "changes" in told:
        told = told["changes"] or "nothing would be different"
    show_result(operation, told, output)


REFINED: Final[Mapping[str, Refinement]] = {
    "system.add": Refinement(lambda: [*card_options(), _netboot_option()], refine=_for_add),
    "system.edit": Refinement(lambda: [*card_options(), _netboot_option()], refine=_for_edit, call=_edit),
    "system.copy": Refinement(card_options, refine=_for_copy, call=_copy),
}
