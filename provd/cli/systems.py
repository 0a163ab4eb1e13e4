"""Commands that change machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.output import show

F = TypeVar("F", bound=Callable[..., Any])


def _pairs(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """``KEY=VALUE`` options; a value that is JSON counts as that, anything else as text."""
    found: dict[str, Any] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE", param=parameter)
        try:
            found[key] = json.loads(text)
        except ValueError:
            found[key] = text
    return found


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
            if key not in {"name", "mac", "address", "hostname"}:
                raise click.UsageError(f"--interface {text}: {key!r} is not one of name, mac, address, hostname")
            card[key] = value
        cards.append(card)
    return cards


_OPTIONS = (
    click.option("--mac", "macs", multiple=True, help="MAC of a network card; once per card."),
    click.option("--address", "addresses", multiple=True, help="Reserved address of the card at the same place."),
    click.option("--interface", "interfaces", multiple=True, metavar="name=,mac=,address=", help="A card in full."),
    click.option("--profile", help="Profile to install."),
    click.option("--hostname", help="Host name of the installed system; the name where it is not given."),
    click.option("--uuid", help="SMBIOS UUID."),
    click.option("--client-id", help="Client identifier (option 61) that means this machine, as text or 0x and hex."),
    click.option("--circuit-id", help="Relay port (option 82) that this machine is at, as text or 0x and hex."),
    click.option("--remote-id", help="Relay (option 82) that this machine is behind, as text or 0x and hex."),
    click.option("--netboot/--no-netboot", default=None, help="Whether an install is wanted."),
    click.option("--policy", type=click.Choice(["once", "always", "never"]), help="When network boots install."),
    click.option("--kernel-arg", "kernel_args", multiple=True, help="Kernel argument to append."),
    click.option(
        "--answer", "answers", multiple=True, callback=_pairs, metavar="KEY=VALUE", help="Answer to override."
    ),
    click.option("--var", "vars_", multiple=True, callback=_pairs, metavar="KEY=VALUE", help="Template value."),
    click.option("--option", "options", multiple=True, callback=_pairs, metavar="NAME=VALUE", help="DHCP option."),
    click.option("--comment", help="Free text."),
    click.option("--tag", "tags", multiple=True, help="Free word."),
)


def _shared(function: F) -> F:
    """Options that add and edit have in common."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _named(given: dict[str, Any]) -> dict[str, object]:
    """Arguments of the operation: what was named on the command line, nothing else."""
    cards = _cards(given.pop("macs"), given.pop("addresses"), given.pop("interfaces"))
    if "vars_" in given:
        given["vars"] = given.pop("vars_")
    named = {name: value for name, value in given.items() if value is not None and value not in ((), {})}
    if cards:
        named["interfaces"] = cards
    return {name: list(value) if isinstance(value, tuple) else value for name, value in named.items()}


@click.command(
    "add",
    epilog=example(
        "provd system add web1 --mac 52:54:00:12:34:56 --profile debian-12-image-server",
        "provd system add web2 --mac 52:54:00:12:34:57 --address 10.0.0.12 --answer timezone=Europe/Berlin",
    ),
)
@click.argument("name")
@_shared
@output_option
@pass_context
@sentences
def add(context: Context, /, name: str, output: str, **given: Any) -> None:
    """Add the machine NAME."""
    arguments = _named(given)
    if "interfaces" not in arguments:
        raise click.UsageError("a machine needs at least one --mac")
    show(context.client.call("system.add", {"name": name, **arguments}), output)


@click.command(
    "edit", epilog=example("provd system edit web1 --netboot", "provd system edit web1 --profile debian-12-server")
)
@click.argument("name")
@click.option("--version", default="", help="Refuse where the machine has another version now.")
@_shared
@output_option
@pass_context
@sentences
def edit(context: Context, /, name: str, version: str, output: str, **given: Any) -> None:
    """Change the machine NAME; what is not named stays. --netboot asks for an install and releases a held machine."""
    named = _named(given)
    before: dict[str, Any] = context.client.call("system.show", {"name": name}) if "interfaces" in named else {}
    if before:
        named["interfaces"] = _with_names(named["interfaces"], before["interfaces"])
    show(context.client.call("system.edit", {"name": name, "version": version, **named}), output)


def _with_names(cards: Any, before: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Cards that are known by their MAC keep their names."""
    names = {card["mac"]: card["name"] for card in before}
    return [{"name": names.get(card["mac"].lower(), ""), **card} for card in cards]


@click.command("remove", epilog=example("provd system remove web1"))
@click.argument("name")
@output_option
@pass_context
@sentences
def remove(context: Context, name: str, output: str) -> None:
    """Remove the machine NAME."""
    show(context.client.call("system.remove", {"name": name}), output)
