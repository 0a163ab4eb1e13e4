"""Where options go when the options field is too small for them: rule D009 (RFC 2131 section 4.1)."""

from __future__ import annotations

import pytest

from provd.wire.dhcp import decode, encode
from tests.wire.test_wire_dhcp import reply, wire_codes


@pytest.mark.parametrize("routes", [100, 200, 285])
def test_d009_small_options_make_room_for_a_large_one(routes: int) -> None:
    # 304 octets in the options field, 127 in file, 63 in sname: small ones move, the large one has the field it needs.
    options = {53: b"\x02", 54: bytes(4), 1: bytes(4), 15: bytes(100), 119: bytes(60), 121: bytes(routes)}
    out = encode(reply(options), requested=bytes([1, 15, 119, 121]))
    assert (out.dropped, dict(decode(out.data).options)) == ((), options)
    assert wire_codes(out.data)[:3] == [53, 54, 1]
    assert len(out.data) <= 548


def test_d009_beside_option_82_too() -> None:
    options = {53: b"\x02", 54: bytes(4), 1: bytes(4), 15: bytes(100), 121: bytes(200)}
    out = encode(reply(options), trailer=(82, bytes(70)))
    assert (out.dropped, wire_codes(out.data)) == ((), [53, 54, 1, 121, 52, 82])


def test_d009_nothing_moves_for_what_finds_no_room_all_the_same() -> None:
    options = {53: b"\x02", 15: bytes(100), 119: bytes(60), 121: bytes(300)}
    out = encode(reply(options))
    assert (out.dropped, wire_codes(out.data)) == ((121,), [53, 15, 119])


def test_d009_what_must_stay_does_not_move() -> None:
    options = {53: b"\x02", 3: bytes(80), 6: bytes(80), 61: bytes(20), 121: bytes(200)}
    out = encode(reply(options))
    assert (out.dropped, wire_codes(out.data)) == ((121,), [53, 3, 6, 61])
