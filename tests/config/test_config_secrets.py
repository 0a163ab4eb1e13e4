"""Secrets by reference: read when they are needed, never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2.sandbox import SandboxedEnvironment

from provd.config.catalogue import Catalogue
from provd.config.layers import Layer
from provd.config.secrets import SecretError, SecretReader, SecretText, anchored, references
from provd.model.system import System

CANARY = "canary-5f1d"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.write_text(f"{CANARY}\n")
    path.chmod(0o600)
    return path


def test_the_three_places_of_a_secret(secret: Path) -> None:
    reader = SecretReader({"ROOT_HASH": CANARY, "CREDENTIALS_DIRECTORY": str(secret.parent)})
    answers = {"a": {"file": str(secret)}, "b": [{"env": "ROOT_HASH"}], "c": {"d": {"credential": "root"}}, "e": 1}
    assert reader.resolve(answers) == ({"a": CANARY, "b": [CANARY], "c": {"d": CANARY}, "e": 1}, False)


def test_once_is_told_wherever_it_stands(secret: Path) -> None:
    assert SecretReader({}).resolve({"a": [{"file": str(secret), "once": True}]})[1] is True
    assert SecretReader({}).resolve({"a": [{"file": str(secret), "once": False}]})[1] is False


def test_a_secret_is_text_to_a_template_and_nothing_to_a_log(secret: Path) -> None:
    values, _ = SecretReader({}).resolve({"root": {"file": str(secret)}})
    assert isinstance(values, dict)
    assert SandboxedEnvironment().from_string("[{{ root }}]").render(values) == f"[{CANARY}]"
    assert CANARY not in repr(values)
    assert CANARY not in f"{values}"
    assert repr(SecretText("x")) == "'***'"


def test_the_environment_is_not_in_the_readers_repr() -> None:
    assert CANARY not in repr(SecretReader({"X": CANARY}))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no variable": ({"env": "NOT_SET"}, "answers.a: environment variable NOT_SET is not set"),
    "no file": ({"file": "/nowhere/x"}, "answers.a: secret file /nowhere/x cannot be read: No such file or directory"),
    "relative": ({"file": "x"}, "answers.a: secret file x must be an absolute path"),
    "no credentials": ({"credential": "x"}, "answers.a: credential x: systemd passed no credentials"),
    "two places": (
        {"env": "A", "file": "/x"},
        "answers.a: a secret has one of the keys file, env, credential, not file and env",
    ),
    "empty": ({"env": ""}, "answers.a: env of a secret must be a text that is not empty"),
    "a number": ({"file": 3}, "answers.a: file of a secret must be a text that is not empty"),
    "once is no flag": ({"env": "A", "once": 1}, "answers.a: once of a secret must be true or false"),
    "C20 outside": ({"credential": "../x"}, "answers.a: credential '../x' must be a plain name"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_secret_that_cannot_be_had_is_one_sentence(name: str) -> None:
    reference, expected = BAD[name]
    with pytest.raises(SecretError) as caught:
        SecretReader({"A": "x"}).resolve({"answers": {"a": reference}})
    assert str(caught.value) == expected


def test_a_file_that_everybody_can_read_is_refused(secret: Path) -> None:
    secret.chmod(0o644)
    with pytest.raises(SecretError, match=r"is readable by everybody \(mode 0644\); chmod 0600 is expected"):
        SecretReader({}).resolve({"file": str(secret)})


def test_a_file_that_is_no_text_is_refused_without_being_shown(secret: Path) -> None:
    secret.write_bytes(b"\xff" + CANARY.encode())
    with pytest.raises(SecretError, match="is not UTF-8 text") as caught:
        SecretReader({}).resolve({"file": str(secret)})
    assert CANARY not in str(caught.value)
    secret.write_bytes(b"x" * 70_000)
    with pytest.raises(SecretError, match="is larger than 65536 octets"):
        SecretReader({}).resolve({"file": str(secret)})


def test_a_table_with_other_keys_is_no_reference() -> None:
    table = {"file": "/x", "mode": "0644"}
    assert list(references({"a": table})) == []
    assert SecretReader({}).resolve({"a": table}) == ({"a": table}, False)
    assert anchored({"a": table}, Path("/etc")) == {"a": table}


def test_a_reference_overrides_as_one_value_and_is_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "distros").mkdir()
    (tmp_path / "profiles").mkdir()
    (tmp_path / "distros/x.toml").touch()
    (tmp_path / "profiles/base.toml").write_text(
        '[answers]\nroot = {file = "secrets/root", once = true}\nann = {a = 1}\n'
    )
    (tmp_path / "profiles/web.toml").write_text('parent = "base"\ndistro = "x"\n[answers]\nann = {env = "ANN"}\n')
    catalogue = Catalogue.load((Layer("site", tmp_path),))
    assert catalogue.problems == ()
    answers = catalogue.resolve(System("one", "web")).answers
    assert answers == {"root": {"file": f"{tmp_path}/profiles/secrets/root", "once": True}, "ann": {"env": "ANN"}}
    other = catalogue.resolve(System("one", "web", answers={"root": {"env": "ROOT"}}))
    assert other.answers["root"] == {"env": "ROOT"}
    assert other.origins["answers.root"].level == "system"
