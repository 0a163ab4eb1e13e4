from __future__ import annotations

from dataclasses import fields, replace

from provd.model.arch import ARCHS
from provd.model.client import ClientFacts, RelayInfo
from provd.model.mac import Mac

FULL = ClientFacts(
    Mac.parse("52:54:00:aa:bb:cc"),
    b"\x01id",
    "4c4c4544-0000-1010-8020-80c04f303030",
    ARCHS[7],
    "PXEClient:Arch:00007",
    ("iPXE",),
    "web1",
    RelayInfo(giaddr=1),
    frozenset({"rack"}),
    ("slow",),
)


def test_a_client_in_other_classes_is_the_same_in_everything_else() -> None:
    bare = ClientFacts(FULL.mac)
    assert all(getattr(FULL, field.name) != getattr(bare, field.name) for field in fields(ClientFacts)[1:])
    assert FULL.with_labels(frozenset({"a"})) == replace(FULL, labels=frozenset({"a"}))
