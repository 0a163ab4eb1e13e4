"""Answers of a wrong form are told by key and rule, the same for every family."""

from __future__ import annotations

import pytest

from provd.core.answer_shapes import answer_fault


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"packages": "htop"}, "answers.packages must be a list of texts"),
        ({"packages": ["a", 3]}, "answers.packages[1] must be a text"),
        ({"post_install": "reboot"}, "answers.post_install must be a list of texts"),
        ({"timezone": 3}, "answers.timezone must be a text"),
        ({"users": "ops"}, "answers.users must be a list of tables"),
        ({"users": ["ops"]}, "answers.users[0] must be a table with name, password_hash, ssh_keys, groups"),
        ({"users": [{"name": "ops"}, {"name": "Root User"}]}, "answers.users[1].name is 'Root User': letters, digits"),
        ({"users": [{"groups": ["a"]}]}, "answers.users[0].name is None"),
        ({"users": [{"name": "a\nb"}]}, "answers.users[0].name is 'a\\nb'"),
        ({"users": [{"name": "ops", "ssh_keys": "ssh-ed25519 A"}]}, "answers.users[0].ssh_keys must be a list of texts"),
        ({"users": [{"name": "ops", "ssh_keys": ["a\nb"]}]}, "answers.users[0].ssh_keys[0] must be one line"),
    ],
)  # fmt: skip
def test_the_first_fault_is_named(answers: dict[str, object], sentence: str) -> None:
    assert answer_fault(answers).startswith(sentence)


def test_what_every_family_reads_has_no_fault() -> None:
    assert answer_fault({}) == ""
    users = [{"name": "ops", "ssh_keys": ["ssh-ed25519 AAAA a@b\n"]}, {"name": "web-1.x$"}]
    assert answer_fault({"users": users, "packages": ("htop",), "timezone": "Etc/UTC", "post_install": []}) == ""
