"""Option 43 of PXE clients from TOML (rules P06 and P07, PXE 2.1 section 2.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.wire.codes import PXE_VENDOR
from provd.wire.errors import WireError
from provd.wire.options import encode_option
from provd.wire.pxe import decode_pxe_options
from provd.wire.pxe_table import AT_ONCE, CONTROL, encode_pxe_table, with_boot_item

NUMBERS = st.integers(0, 0xFFFF)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)


def test_P07_row_5_the_default_switches_discovery_and_multicast_off() -> None:
    assert bytes((6, 1, 0b1011, 255)) == AT_ONCE
    assert encode_pxe_table({}) == AT_ONCE


def test_P06_every_sub_option_has_its_octets() -> None:
    table = {
        "control": ["no-broadcast", "no-multicast", "listed-servers-only"],
        "servers": [{"type": 32768, "addresses": ["10.0.0.1", "10.0.0.2"]}],
        "menu": [{"type": 0, "text": "Local"}, {"type": 32768, "text": "Install"}],
        "prompt": {"seconds": 10, "text": "Press F8"},
        "item": {"type": 32768, "layer": 1},
    }
    assert encode_pxe_table(table) == (
        b"\x06\x01\x07"
        b"\x08\x0b\x80\x00\x02\x0a\x00\x00\x01\x0a\x00\x00\x02"
        b"\x09\x12\x00\x00\x05Local\x80\x00\x07Install"
        b"\x0a\x09\x0aPress F8"
        b"\x47\x04\x80\x00\x00\x01"
        b"\xff"
    )


def test_P06_with_a_menu_the_file_is_not_loaded_at_once() -> None:
    assert encode_pxe_table({"menu": [{"type": 0, "text": "x"}]})[:3] == bytes((6, 1, 0b0011))
    assert encode_pxe_table({"servers": [{"type": 0, "addresses": ["10.0.0.1"]}]})[:3] == bytes((6, 1, 0b0111))


def test_P06_the_option_is_named_pxe_and_has_no_code_of_the_protocol() -> None:
    code, octets = encode_option("pxe", {"control": "boot-file"})
    assert (code, octets) == (PXE_VENDOR, bytes((6, 1, 8, 255)))
    assert code > 255


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("boot-file", "option pxe: 'boot-file' is not a table"),
        ({"kontrol": 1}, "option pxe.kontrol: is no key here"),
        ({"control": 11}, "option pxe.control: 11 is none of no-broadcast"),
        ({"control": ["boot"]}, "option pxe.control: 'boot' is none of"),
        ({"mtftp": "224.0.0.1"}, "option pxe.mtftp: provd serves no MTFTP"),
        ({"multicast": "224.0.0.1"}, "option pxe.multicast: provd serves no MTFTP"),
        ({"menu": {"type": 0}}, r"option pxe.menu: .* is not a list of tables"),
        ({"menu": [{"type": 0}]}, r"option pxe.menu\[0\].text: None is not a text"),
        ({"menu": [{"type": 70000, "text": "x"}]}, r"option pxe.menu\[0\].type: 70000 is not a whole number"),
        ({"menu": [{"type": True, "text": "x"}]}, r"option pxe.menu\[0\].type"),
        ({"menu": [{"type": 0, "text": "x" * 253}]}, r"option pxe.menu\[0\].text: has 253 characters"),
        ({"menu": [{"type": 0, "text": "a\nb"}]}, "printable ASCII"),
        ({"menu": [{"type": 0, "text": "x" * 200}] * 2}, "sub-option 9 is 406 octets long, at most 255"),
        ({"servers": [{"type": 0, "addresses": []}]}, r"option pxe.servers\[0\].addresses"),
        ({"servers": [{"type": 0, "addresses": ["nobody"]}]}, r"option pxe.servers\[0\].addresses"),
        ({"servers": [{"type": 0, "addresses": ["10.0.0.1"] * 64}]}, "sub-option 8 is 259 octets long"),
        ({"servers": [{"type": 0, "addresses": ["10.0.0.1"] * 300}]}, "does not fit"),
        ({"prompt": {"text": "x" * 255}}, "option pxe.prompt.text: has 255 characters"),
        ({"prompt": {"seconds": 256, "text": "x"}}, "option pxe.prompt.seconds"),
        ({"item": {"layer": 0}}, "option pxe.item.type"),
        ({"item": {"type": 1, "layer": 0x8000}}, "option pxe.item.layer"),
        ({"item": {"type": 1, "more": 0}}, "option pxe.item.more: is no key here"),
    ],
)
def test_P06_what_is_wrong_is_said_in_one_sentence(table: object, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        encode_pxe_table(table)


@given(
    control=st.lists(st.sampled_from(sorted(CONTROL)), unique=True),
    menu=st.lists(st.fixed_dictionaries({"type": NUMBERS, "text": TEXTS}), max_size=4),
    item=st.fixed_dictionaries({"type": NUMBERS, "layer": st.integers(0, 0x7FFF)}),
)
def test_P06_every_sub_option_is_at_most_255_octets_and_255_ends_them(
    control: list[str], menu: list[object], item: dict[str, int]
) -> None:
    octets = encode_pxe_table({"control": control, "menu": menu, "item": item})
    values = decode_pxe_options(octets)
    assert octets[-1] == 255
    assert max(map(len, values.values())) <= 255
    assert values[6] == bytes((sum(CONTROL[word] for word in control),))
    assert values[71] == item["type"].to_bytes(2) + item["layer"].to_bytes(2)
    assert decode_pxe_options(with_boot_item(octets, (1, 2)))[71] == b"\0\1\0\2"
    assert not {9, 10} & decode_pxe_options(with_boot_item(octets, (1, 2))).keys()
