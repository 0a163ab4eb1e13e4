"""Editing TOML documents: the values are what was wanted, and what people wrote around them stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provd.config.document import own_table, rewritten
from provd.config.errors import ConfigError

SERVER = b"""\
# The web servers.
parent = "base"   # nearest
distro = "debian-12"

[answers]
# Where they stand.
timezone = "Europe/Berlin"  # Berlin
packages = ["htop",
  "vim", # for the night shift
]

[[answers.users]]
name = "ops"  # us
sudo = true

[options]
42 = "10.0.0.1"
"""

KEYS = st.one_of(st.sampled_from("abc"), st.text(max_size=4))
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=6), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


def test_what_is_equal_is_not_touched() -> None:
    assert rewritten(SERVER, own_table(SERVER, "x"), "x") == SERVER


def test_comments_order_and_layout_stay_around_a_change() -> None:
    table = own_table(SERVER, "x")
    table["answers"]["timezone"] = "UTC"
    table["answers"]["users"].append({"name": "ann"})
    table["kernel_args"] = ["quiet"]
    table["boot"] = {"max_attempts": 3}
    del table["options"]
    changed = rewritten(SERVER, table, "x").decode()
    assert own_table(changed.encode(), "x") == table
    assert changed.startswith(
        '# The web servers.\nparent = "base"   # nearest\ndistro = "debian-12"\nkernel_args = ["quiet"]\n'
    )
    assert '# Where they stand.\ntimezone = "UTC"  # Berlin\n' in changed
    assert '"vim", # for the night shift' in changed
    assert '[[answers.users]]\nname = "ops"  # us\nsudo = true\n\n[[answers.users]]\nname = "ann"' in changed
    assert "[options]" not in changed


def test_a_table_in_pieces_is_written_whole_and_keeps_the_first_comment() -> None:
    pieces = b"# Why.\n[a.b]\nx = 1\n[c]\ny = 2\n[a.d]\nz = 3\n"
    table = own_table(pieces, "x")
    table["a"]["b"]["x"] = 2
    table["a"]["new"] = [{"k": 1}]
    changed = rewritten(pieces, table, "x")
    assert own_table(changed, "x") == table
    assert changed.startswith(b"# Why.\n")


@settings(max_examples=300, deadline=None)
@given(TABLES, TABLES)
def test_any_table_becomes_any_other(first: dict[str, Any], second: dict[str, Any]) -> None:
    raw = rewritten(b"# kept\n", first, "x")
    assert own_table(raw, "x") == first
    changed = rewritten(raw, second, "x")
    assert own_table(changed, "x") == second
    assert changed.startswith(b"# kept\n")


@pytest.mark.parametrize("value", [None, object(), {"a": None}, {1: 2}])
def test_what_TOML_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^web\.toml: cannot be written as TOML: "):
        rewritten(b"", {"answers": value} if not isinstance(value, dict) else value, "web.toml")


def test_what_is_not_TOML_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^web\.toml: is not TOML: "):
        own_table(b"= 1", "web.toml")
