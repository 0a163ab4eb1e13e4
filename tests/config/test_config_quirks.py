"""``quirks.toml``: the shipped one, a site's, and what is wrong in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.config.errors import ConfigError
from provd.config.quirks import SHIPPED, read_quirks, tables

SITE = """\
[[quirk]]
name = "card"
why = "it hears no unicast"
match = {oui = ["52:54:00", "00-1b-21"], vendor_class = "PXEClient:Arch:00000", arch = ["bios"]}
do = {broadcast = true, options = {routers = ["10.0.0.9"], "43" = {hex = "06:01:08:ff"}}, without = ["domain-name-servers"]}
"""


def site(folder: Path, text: str) -> str:
    (folder / "quirks.toml").write_text(text)
    return str(folder)


def test_a_sites_quirks_stand_behind_the_shipped_ones(tmp_path: Path) -> None:
    shipped = read_quirks(str(tmp_path))
    assert [quirk.name for quirk in shipped] == [table.name for table in tables(SHIPPED)]
    *before, card = read_quirks(site(tmp_path, SITE))
    assert tuple(before) == shipped
    assert (card.oui, card.broadcast) == ((b"\x52\x54\x00", b"\x00\x1b\x21"), True)
    assert card.options == {3: bytes((10, 0, 0, 9)), 43: b"\x06\x01\x08\xff"}
    assert card.without == {6}
    assert card.origin == str(tmp_path / "quirks.toml")


def test_a_shipped_quirk_can_be_replaced_and_switched_off(tmp_path: Path) -> None:
    name = tables(SHIPPED)[0].name
    off = f'[[quirk]]\nname = "{name}"\nwhy = "not here"\nmatch = {{oui = ["02"]}}\ndo = {{broadcast = true}}\n'
    assert next(quirk for quirk in read_quirks(site(tmp_path, off)) if quirk.name == name).broadcast
    assert name not in {quirk.name for quirk in read_quirks(site(tmp_path, off + "off = true\n"))}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('oui = ["52:54:00", "00-1b-21"]', 'oui = ["5x"]', "quirk card.match.oui: '5x' is no beginning of a MAC"),
        ('oui = ["52:54:00", "00-1b-21"]', 'oui = ["00:11:22:33:44:55:66"]', "is no beginning of a MAC"),
        ('arch = ["bios"]', 'arch = ["x86"]', "there is no architecture 'x86'; known: "),
        ("broadcast = true", 'arch = "x86"', "there is no architecture 'x86'"),
        ('"domain-name-servers"', '"nosuch"', "option nosuch: is no known name"),
        ('routers = ["10.0.0.9"]', 'routers = ["here"]', "option routers"),
        ("broadcast = true", "brodcast = true", "unknown field `brodcast`"),
        ("why =", "because =", "unknown field"),
        (SITE[SITE.index("match") : SITE.index("do =")], "match = {}\n", "match: is empty: it would be every machine"),
        (SITE[SITE.index("do =") :], "do = {}\n", "do: is empty: nothing would be done"),
        (SITE, SITE + SITE, "is there twice"),
        ("[[quirk]]", "[[quirk]", "quirks.toml"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text = SITE.replace(old, new)
    with pytest.raises(ConfigError) as error:
        read_quirks(site(tmp_path, text))
    assert sentence in str(error.value)
    assert "quirks.toml" in str(error.value)
    assert "\n" not in str(error.value)
