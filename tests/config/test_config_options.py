"""DHCP options in files: what is refused, and how a profile's options lie on those of its parent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provd.config.errors import ConfigError
from provd.config.option_docs import page
from provd.config.options import overlay_options
from provd.config.settings import from_table
from provd.model.origin import Origin

SUBNET = {"network": "10.0.0.0/24"}
FILE = Path("/etc/provd/provd.toml")


@pytest.mark.parametrize("place", ["options", "subnet[0].options", "class[0].options"])
@pytest.mark.parametrize(
    ("options", "key", "rule"),
    [
        ({"routers": "x"}, "routers", "option routers: 'x' is not one or more IPv4 addresses"),
        ({"252": ""}, "252", "option 252: '' is not a text that is not empty"),
        ({"wpad": "a", "252": "b"}, "252", "option 252: is the same as wpad, which stands here too"),
        ({"!wpad": True, "252": "b"}, "252", "option 252: is the same as !wpad, which stands here too"),
        (
            {"ntp-server": "10.0.0.1"},
            "ntp-server",
            "option ntp-server: is no known name and no number from 1 to 254; did you mean 'ntp-servers'?",
        ),
        (
            {"mtu": 9000},
            "mtu",
            "option mtu: is no known name and no number from 1 to 254; docs/dhcp-options.md has the names",
        ),
        ({"!nothing": True}, '"!nothing"', "option nothing: is no known name and no number from 1 to 254"),
        ({"!wpad": False}, '"!wpad"', "option wpad: is taken away by true; leave it out to keep it"),
        ({"!53": True}, '"!53"', "option 53: is set by the protocol itself and cannot be configured"),
        ({"9" * 5000: "x"}, "9" * 5000, f"option {'9' * 5000}: is no known name and no number from 1 to 254"),
        ({"dhcp-lease-time": 60}, "dhcp-lease-time", "is set by lease_s of the subnet, class or profile"),
    ],
)
def test_a_wrong_option_is_named_with_file_and_key(place: str, options: dict[str, Any], key: str, rule: str) -> None:
    table: dict[str, Any] = {"interface": [{"name": "eth0"}], "subnet": [SUBNET]}
    if place.startswith("subnet"):
        table["subnet"] = [{**SUBNET, "options": options}]
    elif place.startswith("class"):
        table["class"] = [{"name": "all", "options": options}]
    else:
        table["options"] = options
    with pytest.raises(ConfigError) as refused:
        from_table(table, FILE)
    assert str(refused.value).startswith(f"{FILE}: {place}.{key}: ")
    assert rule in str(refused.value)


def test_an_option_is_replaced_whole_by_whatever_name() -> None:
    def place(name: str) -> Any:
        return lambda key: Origin("profile", name, f"/{name}.toml", key)

    origins: dict[str, Origin] = {}
    base = overlay_options({}, {"224": {"hex": "00"}, "67": "a", "wpad": "x"}, origins, place("base"))
    top = overlay_options(base, {"224": {"u8": 7}, "boot-file-name": "b", "!252": True}, origins, place("top"))
    assert top == {"224": {"u8": 7}, "boot-file-name": "b", "!252": True}
    assert {key: origin.name for key, origin in origins.items()} == dict.fromkeys(
        ("options.224", "options.boot-file-name", 'options."!252"'), "top"
    )
    again = overlay_options(top, {"wpad": "y"}, origins, place("last"))
    assert again == {"224": {"u8": 7}, "boot-file-name": "b", "wpad": "y"}


def test_the_page_of_options_is_fresh() -> None:
    written = Path(__file__).parents[2] / "docs" / "dhcp-options.md"
    assert written.read_text() == page(), "run: python -m provd.config.option_docs"
