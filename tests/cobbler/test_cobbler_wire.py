"""XML-RPC on the wire: limits, entities, values that XML-RPC has no place for."""

from __future__ import annotations

import contextlib
import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.api.cobbler.wire import MAX_BODY, MAX_DEPTH, BadRequestError, answer, fault, parse

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><methodCall><methodName>ping</methodName><params><param><value>
<string>&c;</string></value></param></params></methodCall>"""
QUADRATIC = (
    b'<!DOCTYPE x [<!ENTITY a "'
    + b"A" * 1000
    + b'">]><methodCall><methodName>'
    + b"&a;" * 1000
    + b"</methodName></methodCall>"
)
EXTERNAL = (
    b"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><methodCall><methodName>&a;</methodName></methodCall>"""
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("raw", [LAUGHS, QUADRATIC, EXTERNAL], ids=["laughs", "quadratic", "external"])
def test_C27_no_entity_is_expanded_or_fetched(raw: bytes) -> None:
    with pytest.raises(BadRequestError, match="document type is refused"):
        parse(raw)


def test_C27_a_long_body_and_deep_values_are_refused() -> None:
    with pytest.raises(BadRequestError, match="longer than"):
        parse(b" " * (MAX_BODY + 1))
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert parse(xmlrpc.client.dumps((value,), "m").encode())[0] == "m"
    with pytest.raises(BadRequestError, match="deeper than"):
        parse(xmlrpc.client.dumps(([value],), "m").encode())


@given(st.binary(max_size=300))
def test_any_octets_are_a_call_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadRequestError):
        parse(raw)


@given(st.sampled_from(["methodCall", "methodName", "params", "param", "value", "array", "data", "struct", "i4"]).flatmap(
    lambda tag: st.text("<>/abc", max_size=20).map(lambda text: f"<methodCall><{tag}>{text}</{tag}></methodCall>")
))  # fmt: skip
def test_any_broken_call_is_refused_and_nothing_else_is_raised(text: str) -> None:
    with contextlib.suppress(BadRequestError):
        parse(text.encode())


@given(VALUES)
def test_every_answer_is_read_by_the_standard_client_without_none(value: Any) -> None:
    (found,), _ = xmlrpc.client.loads(answer(value))
    assert found is not None


def test_none_is_a_tilde_and_large_integers_are_texts() -> None:
    (found,), _ = xmlrpc.client.loads(answer({"a": None, "b": 2**40, "c": [None]}))
    assert found == {"a": "~", "b": str(2**40), "c": ["~"]}


def test_a_fault_has_the_class_that_clients_look_for() -> None:
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.loads(fault("it's wrong\x00"))
    assert caught.value.faultString == "<class 'cobbler.cexceptions.CX'>:'it's wrong?'"
    assert caught.value.faultCode == 1
