"""Any TFTP datagram, to the request port or to a transfer: never an exception, a hang, growth or a stuck transfer."""

from __future__ import annotations

from tests.faults.tftp_datagrams import decode_many, serve_many


def test_any_packet_through_the_decoder() -> None:
    handled = decode_many(400_000, 1)
    print(handled.text())
    assert handled.faults == []
    assert handled.read > 40_000
    assert handled.grown_kib < 4_000


def test_any_packet_through_the_server_and_its_transfers() -> None:
    handled = serve_many(300_000, 2)
    print(handled.text())
    assert handled.faults == []
    assert handled.replies > 100_000
    assert handled.read > 100, "hardly a transfer came to its end"
    assert handled.grown_kib < 4_000
