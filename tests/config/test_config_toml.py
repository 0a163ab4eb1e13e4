"""C15: TOML that is too large or too deep is refused quickly and without harm."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from provd.config import toml
from provd.config.errors import ConfigError

DEEP = {
    "arrays": b"a = " + b"[" * 100_000,
    "arrays that close": b"a = " + b"[" * 100_000 + b"]" * 100_000,
    "inline tables": b"a = " + b"{a = " * 100_000,
    "a dotted key": b".".join([b"a"] * 100_000) + b" = 1\n",
    "a dotted table": b"[" + b".".join([b"a"] * 100_000) + b"]\n",
    "just one level too many": b"a = " + b"[" * toml.MAX_DEPTH + b"]" * toml.MAX_DEPTH,
}


@pytest.mark.parametrize("name", DEEP)
def test_c15_deep_nesting_is_a_clean_fault(name: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ConfigError, match=rf"provd\.toml: is nested deeper than {toml.MAX_DEPTH} levels"):
        toml.parse(DEEP[name], "provd.toml")
    # The rule is 50 ms; a busy machine that runs other tests meanwhile is given ten times that.
    assert time.perf_counter() - begun < 0.5


def test_c15_the_deepest_that_is_allowed() -> None:
    levels = toml.MAX_DEPTH - 1
    assert toml.parse(b"a = " + b"[" * levels + b"]" * levels, "x")


def test_c15_a_large_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "provd.toml"
    path.write_bytes(b"#" * (toml.MAX_BYTES + 1))
    with pytest.raises(ConfigError, match=rf"provd\.toml: is larger than {toml.MAX_BYTES} octets"):
        toml.read(path)
    path.write_bytes(b"#" * toml.MAX_BYTES)
    assert toml.read(path) == {}


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(ConfigError, match=r"provd\.toml:1: begins with a byte order mark; it must be saved as UTF-8"):
        toml.parse(b"\xef\xbb\xbfa = 1\n", "provd.toml")


HUGE = {
    "a = " + "9" * 5000: r"provd\.toml: is not TOML: a number has too many digits",
    "a = 9223372036854775808": r"provd\.toml: a: does not fit into 64 bits",
    "[[b]]\na = 1\n[[b]]\n[b.c]\nd = [1, {e = -9223372036854775809}]": r"b\[1\]\.c\.d\[1\]\.e: does not fit into 64 bits",
}


def test_an_integer_of_more_than_64_bits_beside_deep_tables_is_a_clean_fault() -> None:
    deep = ".".join(["a"] * 700)
    with pytest.raises(ConfigError, match=r"provd\.toml: z\.z: does not fit into 64 bits"):
        toml.parse(f"[{deep}]\n{deep} = 1\n[z]\nz = 9223372036854775808\n".encode(), "provd.toml")


@pytest.mark.parametrize("text", HUGE)
def test_an_integer_of_more_than_64_bits_is_a_clean_fault(text: str) -> None:
    with pytest.raises(ConfigError, match=HUGE[text]):
        toml.parse(text.encode(), "provd.toml")


def test_the_largest_and_the_smallest_integer_are_read() -> None:
    text = b"a = 9223372036854775807\nb = -9223372036854775808\n"
    assert toml.parse(text, "provd.toml") == {"a": (1 << 63) - 1, "b": -(1 << 63)}


def test_nothing_else_imports_the_parser() -> None:
    root = Path(__file__).parents[2]
    users = {
        str(path.relative_to(root))
        for folder in ("provd", "plugins")
        for path in (root / folder).rglob("*.py")
        if "import tomli" in path.read_text() or "from tomli" in path.read_text() or "tomllib" in path.read_text()
    }
    assert users == {"provd/config/toml.py"}
