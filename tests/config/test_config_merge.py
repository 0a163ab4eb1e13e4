"""Origins stay those of the values, whatever is merged."""

from __future__ import annotations

from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from provd.config.merge import overlay
from provd.model.origin import Origin

LEAF = st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
TABLE = st.recursive(
    st.dictionaries(st.sampled_from("abcd"), LEAF, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), LEAF | inner, max_size=4),
    max_leaves=12,
)


def leaves(table: object, path: str = "") -> set[str]:
    if not isinstance(table, dict) or not table:
        return {path}
    return {leaf for key, value in table.items() for leaf in leaves(value, f"{path}.{key}" if path else key)}


def place(name: str, key: str) -> Origin:
    return Origin("profile", name, key=key)


@settings(max_examples=300)
@given(levels=st.lists(TABLE, min_size=1, max_size=4))
def test_origins_are_those_of_the_values_whatever_is_merged(levels: list[dict[str, object]]) -> None:
    merged: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for number, level in enumerate(levels):
        merged = overlay(merged, level, origins, partial(place, str(number)), "")
    assert set(origins) == (leaves(merged) if merged else set())
    for path, origin in origins.items():
        here: object = merged
        there: object = levels[int(origin.name)]
        for part in path.split("."):
            assert isinstance(here, dict)
            assert isinstance(there, dict)
            here, there = here[part], there[part]
        assert here == there
