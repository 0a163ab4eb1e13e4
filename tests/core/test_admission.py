"""Who installs and who waits: caps by subnet and source, and a fair order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.core.admission import Claim, Limits, counted, obstacle, source_of

LAN = Claim("a", "lan", "http://deb")
CAPS = Limits(per_subnet=2, per_source=3, subnets={"lab": 1}, sources={"iso:x": 1})


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("", "provd"),
        ("debian", "provd"),
        ("http://deb.example/debian", "http://deb.example"),
        ("http://deb.example:8080/x/y", "http://deb.example:8080"),
        ("https://user:secret@deb.example/x", "https://deb.example"),
        ("mirror:debian", "mirror:debian"),
        ("iso:rocky-9/BaseOS", "iso:rocky-9"),
    ],
)
def test_the_source_of_a_url(url: str, source: str) -> None:
    assert source_of(url) == source


@pytest.mark.parametrize(
    ("claim", "running", "ahead", "busy"),
    [
        (LAN, [], [], None),
        (LAN, [Claim("b", "lan", "x")], [], None),
        (LAN, [Claim("b", "lan", "x"), Claim("c", "lan", "y")], [], ("subnet", "lan")),
        (Claim("a", "lab", "x"), [Claim("b", "lab", "y")], [], ("subnet", "lab")),
        (Claim("a", "", "iso:x"), [Claim("b", "lan", "iso:x")], [], ("source", "iso:x")),
        (LAN, [Claim(str(n), f"n{n}", "http://deb") for n in range(3)], [], ("source", "http://deb")),
        (LAN, [Claim("b", "lan", "x")], [Claim("c", "lan", "y")], ("subnet", "lan")),
        (LAN, [Claim("b", "lan", "x")], [Claim("c", "other", "y")], None),
        # Who waits for a busy source holds up nobody who wants another one, though both want a place in the subnet.
        (LAN, [Claim("b", "lan", "iso:x")], [Claim("c", "lan", "iso:x")], None),
    ],
)
def test_who_waits_and_for_what(
    claim: Claim, running: list[Claim], ahead: list[Claim], busy: tuple[str, str] | None
) -> None:
    assert obstacle(claim, counted(running), ahead, CAPS) == busy


def test_without_caps_nobody_waits() -> None:
    many = [Claim(str(number), "lan", "x") for number in range(50)]
    assert obstacle(LAN, counted(many), many, Limits()) is None
    assert not Limits(subnets={"a": 0}).any


@given(
    wishes=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=14),
    per_subnet=st.integers(0, 3),
    per_source=st.integers(0, 3),
    order=st.randoms(use_true_random=False),
)
def test_in_whatever_order_they_ask_the_caps_hold_and_the_first_of_the_queue_is_let_in(
    wishes: list[tuple[str, str]], per_subnet: int, per_source: int, order: object
) -> None:
    limits = Limits(per_subnet, per_source)
    waiting = [Claim(str(number), subnet, source) for number, (subnet, source) in enumerate(wishes)]
    running: list[Claim] = []
    rounds = 0
    while waiting:
        asking = list(waiting)
        order.shuffle(asking)  # type: ignore[attr-defined]
        first = waiting[0]
        for one in asking:
            ahead = waiting[: waiting.index(one)]
            if obstacle(one, counted(running), ahead, limits) is None:
                waiting.remove(one)
                running.append(one)
            taken = counted(running)
            assert all(not limits.of(place) or count <= limits.of(place) for place, count in taken.items())
        assert first not in waiting or obstacle(first, counted(running), [], limits) is not None
        rounds += 1
        assert rounds <= len(wishes), "somebody starves"
        running = running[1:] if waiting else running
