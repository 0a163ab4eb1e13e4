"""Any datagram leads to a reply, a counted refusal or a counted drop: never an exception, a hang or growth.

Two million mutations of captures and of built messages pass through the decoder and, where it reads them, through what
reads a client's facts from them. A further 160,000 pass through the whole service with the shipped plugins: by every
way a datagram may come in, offers taken up. 30,000 examples of Hypothesis pass through the whole service. Both run in
two processes; larger numbers, sockets and a fuzzer that follows coverage are in ``tests/long``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.dhcp_world import MAC, OTHER_MAC, ip
from tests.faults.datagrams import Handled, decode_many, serve, serve_many
from tests.faults.whole_service import ARRIVALS, WholeService

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("seed", [1, 2])
def test_C13_two_million_mutations_through_the_decoder(seed: int) -> None:
    handled = decode_many(1_000_000, seed)
    print(handled.text())
    assert handled.faults == []
    assert 300_000 < handled.read < 900_000
    assert handled.grown_kib < 4_000


@pytest.mark.parametrize("seed", [3, 4])
def test_C13_mutations_through_the_whole_service(tmp_path: Path, seed: int) -> None:
    handled = serve_many(tmp_path, 80_000, seed)
    print(handled.text())
    assert handled.faults == []
    assert handled.replies > 15_000
    assert handled.grown_kib < 40_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeService]:
    made = WholeService(tmp_path_factory.mktemp("service"))
    yield made
    made.close()


def accounted(service: WholeService, data: bytes, way: int) -> None:
    """Hand one datagram in; it leaves a trace and at most one reply."""
    handled = Handled()
    serve(service, data, ARRIVALS[way], handled)
    assert handled.faults == []
    assert service.counters.errors == 0


def examples(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


ways = st.integers(0, len(ARRIVALS) - 1)
addresses = st.sampled_from(
    [0, *map(ip, ("10.88.0.100", "10.88.0.1", "10.88.1.1", "10.88.0.20", "10.89.0.9")), 0xFFFFFFFF]
)
codes = st.one_of(
    st.sampled_from([12, 43, 50, 51, 52, 54, 55, 57, 60, 61, 77, 81, 82, 93, 94, 97, 118, 175]), st.integers(1, 254)
)
inner = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=12)), max_size=5).map(
    lambda parts: b"".join(bytes((code, len(value))) + value for code, value in parts)
)
values = st.one_of(
    st.binary(max_size=40),
    inner,
    addresses.map(lambda number: number.to_bytes(4)),
    st.sampled_from([b"PXEClient:Arch:00007:UNDI:003016", b"HTTPClient:Arch:00016", b"iPXE", b"\0\7", b"\0" * 17, b""]),
)


@examples(4_000)
@given(data=st.binary(max_size=700), way=ways)
def test_C13_any_octets(service: WholeService, data: bytes, way: int) -> None:
    accounted(service, data, way)


MESSAGES: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.integers(0, 15),
    "options": st.lists(st.tuples(codes, values), max_size=7),
    "numbers": st.tuples(addresses, addresses, addresses, addresses),
    "shape": st.tuples(st.integers(0, 255), st.integers(0, 16), st.integers(0, 255), st.integers(0, 0xFFFF)),
    "mac": st.sampled_from([MAC, OTHER_MAC, b"", b"\xff" * 16]),
    "names": st.tuples(st.binary(max_size=64), st.binary(max_size=128)),
    "way": ways,
}


def any_message(
    service: WholeService,
    relayed: bool,
    kind: int,
    options: list[tuple[int, bytes]],
    numbers: tuple[int, int, int, int],
    shape: tuple[int, int, int, int],
    mac: bytes,
    names: tuple[bytes, bytes],
    way: int,
) -> None:
    ciaddr, wanted, server, giaddr = numbers
    htype, hlen, hops, flags = shape
    if not relayed:
        giaddr = 0
    pairs = [(53, bytes((kind,))), (50, wanted.to_bytes(4)), (54, server.to_bytes(4))]
    pairs = [pair for pair in pairs if any(pair[1])] + options
    body = b"".join(bytes((code, len(value))) + value for code, value in pairs)
    header = bytes((1, htype, hlen, hops % 20)) + b"\0\0\0\7\0\0" + flags.to_bytes(2) + ciaddr.to_bytes(4) + bytes(8)
    rest = mac.ljust(16, b"\0") + names[0].ljust(64, b"\0") + names[1].ljust(128, b"\0")
    accounted(service, header + giaddr.to_bytes(4) + rest + b"\x63\x82\x53\x63" + body + b"\xff", way)


# Two functions, not one with a parameter: the plugin for Twisted wraps a function of Hypothesis anew for each parameter.
@examples(13_000)
@given(**MESSAGES)
def test_C13_any_message_on_the_link(service: WholeService, **message: Any) -> None:
    any_message(service, relayed=False, **message)


@examples(13_000)
@given(**MESSAGES)
def test_C13_any_message_through_a_relay(service: WholeService, **message: Any) -> None:
    any_message(service, relayed=True, **message)
