"""What of a value is shown: a secret is hidden, and that there is none is no secret."""

from __future__ import annotations

import time

import pytest

from provd.model.scrub import HIDDEN
from provd.plugin.scrub import scrub_lines, scrub_value, secret_words


@pytest.mark.parametrize("value", ["geheim", "", {"file": "/etc/x"}, ["a"], 5])
def test_what_a_secret_key_has_is_hidden(value: object) -> None:
    assert scrub_value({"entry": [{"password": value}]}) == {"entry": [{"password": HIDDEN}]}


def test_a_secret_key_that_has_nothing_says_so() -> None:
    assert scrub_value({"password": None, "title": "x"}) == {"password": None, "title": "x"}


def test_a_secret_of_many_lines_is_hidden_in_the_time_of_a_short_one() -> None:
    """Nobody else is served meanwhile: a text of a megabyte once took minutes."""
    lines = [f"line {number} of a long secret" for number in range(20_000)]
    words = set(secret_words({"private_key": "\n".join(lines)}))
    other = "".join(f"+rack = {number}\n" for number in range(20_000))
    began = time.monotonic()
    told = scrub_lines("".join(f"-{line}\n" for line in lines) + other, words)
    assert time.monotonic() - began < 5.0
    assert told == f"-{HIDDEN}\n" * 20_000 + other


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('+a = "canary one"', "+a = ***"),
        ("+a = 'canary one'", "+a = ***"),
        ('+a = """canary one', "+a = ***"),
        ('+canary one""",', "+***"),
        ('+  "canary one",', "+***"),
        ('+a = ["x", "canary one", "y"]', "+a = ***"),
        ('+a = {b = "canary one"}', "+a = ***"),
        ('+a = "two\\ncanary one\\n"', "+a = ***"),
        ("+a = [4711, 471100]", "+a = ***"),
        ("+a = 47", "+a = ***"),
        ("+a = 471", "+a = 471"),
        ("+a = [471]", "+a = [471]"),
        ('+a = "x\\"y"', "+a = ***"),
        ("+password: a=b", "+***"),
        (r"+a = 'x\new'", "+a = ***"),
        (r'+a = "x\\new"', "+a = ***"),
    ],
)
def test_a_word_of_a_secret_hides_its_line_wherever_it_stands(line: str, told: str) -> None:
    words = set(secret_words({"secret": ["canary one", 471100, 47, 'x"y', "password: a=b", r"x\new"]}))
    assert scrub_lines(f"{line}\n", words) == f"{told}\n"
