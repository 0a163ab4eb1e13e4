"""Options from every level that may set them: which wins, which is taken away, which is sent unasked (row 52)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provd.model.client_class import ClientClass
from provd.model.dhcp import OptionSet
from tests.fakes.dhcp_world import DISCOVER, MAC, DhcpWorld, a_profile, a_system, request


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def offer(world: DhcpWorld, wanted: bytes = b"") -> dict[int, bytes]:
    """Options of the OFFER."""
    return dict(world.answer(request(DISCOVER, options={55: wanted} if wanted else {})).packet.options)


def test_row_52_the_more_particular_level_wins(world: DhcpWorld) -> None:
    world.configure(options={"pcode": "subnet", "tcode": "subnet", "252": "subnet"})
    world.systems.profiles["web"] = a_profile(options={"tcode": "profile", "252": "profile"})
    world.know(replace(a_system(profile="web"), options={"252": "system"}))
    options = offer(world)
    assert (options[100], options[101], options[252]) == (b"subnet", b"profile", b"system")
    world.hooks.sets = [("late", OptionSet({252: b"plugin"}, force=True))]
    assert offer(world)[252] == b"plugin"


def test_row_52_every_level_wins_over_the_more_general_ones(world: DhcpWorld) -> None:
    places = ("global", "subnet", "class", "profile", "system", "plugin")
    # Option 224 is set everywhere, 225 everywhere but in the last place, and so on.
    tables = [{str(224 + number): place for number in range(len(places) - index)} for index, place in enumerate(places)]
    named = {place: dict[str, object](table) for place, table in zip(places, tables, strict=True)}
    world.service.classify(named["global"], [ClientClass("all", mac_prefix=MAC[:3], options=named["class"])])
    world.configure(options=named["subnet"])
    world.systems.profiles["web"] = a_profile(options=named["profile"])
    world.know(replace(a_system(profile="web"), options=named["system"]))
    world.hooks.sets = [("late", OptionSet({224: b"plugin"}))]
    options = offer(world)
    assert [options[224 + number].decode() for number in range(len(places))] == list(reversed(places))


@pytest.mark.parametrize("place", ["class", "profile", "system", "subnet"])
def test_row_52_a_level_takes_away_what_more_general_ones_say(world: DhcpWorld, place: str) -> None:
    gone: dict[str, object] = {"!wpad": True, "!routers": True}
    world.service.classify(
        {"252": "global"},
        [ClientClass("all", mac_prefix=MAC[:3], options=gone if place == "class" else {})],
    )
    world.configure(options=gone if place == "subnet" else {"pcode": "CET"})
    world.systems.profiles["web"] = a_profile(options=gone if place == "profile" else {})
    world.know(replace(a_system(profile="web"), options=gone if place == "system" else {}))
    options = offer(world)
    assert not {3, 252} & set(options)
    assert {1, 6, 28} <= set(options)


@pytest.mark.parametrize("force", [True, False])
def test_a_plugin_says_whether_its_option_is_sent_unasked(world: DhcpWorld, force: bool) -> None:
    world.hooks.sets = [("late", OptionSet({224: b"plugin"}, force=force))]
    assert (224 in offer(world, wanted=b"\x01\x03")) == force
    assert 224 in offer(world, wanted=b"\x01\xe0")
    assert 224 in offer(world)


def test_a_label_that_a_plugin_gives_and_takes_brings_and_takes_the_options_of_its_class(world: DhcpWorld) -> None:
    world.service.classify({}, [ClientClass("lab", options={"pcode": "lab"})])
    # No options by plugins: the plugin host says so with the one empty tuple there is.
    world.hooks.sets = ()  # type: ignore[assignment]
    seen = []
    for labels in (frozenset[str](), frozenset({"lab"}), frozenset({"lab"}), frozenset[str]()):
        world.hooks.given_labels = labels
        seen.append(offer(world).get(100))
    assert seen == [None, b"lab", b"lab", None]
