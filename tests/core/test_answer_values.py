"""Forms of single answers: what installed systems read passes, what they would not is told without the value."""

from __future__ import annotations

import base64

import pytest

from provd.core import answer_values
from provd.core.answer_values import hash_fault, key_fault, keyboard_fault, line_fault, proxy_fault, zone_fault

TYPES = (
    "ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-ed25519-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com", "ecdsa-sha2-nistp384-cert-v01@openssh.com",
)  # fmt: skip


def key(kind: str, said: str = "") -> str:
    """A key of this type whose data names ``said``."""
    name = (said or kind).encode()
    return f"{kind} {base64.b64encode(len(name).to_bytes(4) + name + bytes((0, 0, 0, 32)) + bytes(32)).decode()}"


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("form", ["{}", "{} ada@host\n", 'command="/bin/x \\"a b\\"",no-pty {} ada', "no-pty\t{}"])
def test_every_public_key_of_openssh_passes(kind: str, form: str) -> None:
    assert key_fault(form.format(key(kind))) == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "is no public key of SSH"),
        ("AAAAC3NzaC1lZDI1NTE5", "is no public key of SSH"),
        ("ssh-ed25519", "is no public key of SSH"),
        ("ssh-edd25519 AAAA", "is no public key of SSH"),
        ("sk-ssh-ed25519 AAAA", "is no public key of SSH"),
        ("ssh-ed25519 AAAA ada", "is a key of the type ssh-ed25519 whose second word is of another type"),
        ("ssh-ed25519 AAAA...", "is a key of the type ssh-ed25519 whose second word is no base64"),
        (key("ssh-rsa", "ssh-ed25519"), "is a key of the type ssh-rsa whose second word is of another type"),
        (f"{key('ssh-rsa')}\n{key('ssh-rsa')}", "must be one line"),
        ("-----BEGIN OPENSSH PRIVATE KEY----- b3Bl", "is a private key; the public one is expected"),
    ],
)
def test_what_sshd_would_not_take_is_told(line: str, sentence: str) -> None:
    assert key_fault(line).startswith(sentence)


@pytest.mark.parametrize(
    "text", ["", "***", "!", "*", "!!", "!*", "$6$salt$hash", "!$6$a$b", "$y$j9T$a$b", "$5$a$b", "$2b$12$abc", "$1$a$b"]
)
def test_hashes_of_crypt_and_locks_pass(text: str) -> None:
    assert hash_fault(text) == ""


@pytest.mark.parametrize("text", ["hunter2", "$6$", "$9$a$b", "$6$a b$c", "$6$a$b:c", "root:$6$a$b", "$6$a$b\n"])
def test_a_password_in_clear_is_refused_and_not_said(text: str) -> None:
    fault = hash_fault(text)
    assert "`openssl passwd -6` makes a hash" in fault
    assert "hunter2" not in fault


def test_time_zones_are_those_of_the_list() -> None:
    assert [zone_fault(zone) for zone in ("Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Salta")] == [""] * 4
    for zone in ("No/Where", "Europe/Berln", "", "Europe/Berlin\n", "../etc/passwd"):
        assert zone_fault(zone).startswith("is no time zone of the IANA's list, as Europe/Berlin")


def test_without_the_older_names_only_areas_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_values, "_zones", lambda: frozenset({"Europe/Kyiv", "UTC"}))
    assert [zone_fault(zone) for zone in ("Europe/Kiev", "US/Pacific")] == ["", ""]
    assert zone_fault("No/Where")
    monkeypatch.setattr(answer_values, "_zones", frozenset)
    assert zone_fault("No/Where") == ""
    assert zone_fault("No Where")


def test_keyboards_are_layouts() -> None:
    assert [keyboard_fault(one) for one in ("us", "de-latin1", "cz (qwerty)", "us,ru", "us us", "mac-de_CH", "")] == [
        ""
    ] * 7
    for text in ("us;reboot", "us\nde", "us  de", "$(x)", "ü"):
        assert keyboard_fault(text).startswith("is no keyboard layout, as us")


def test_proxies_are_urls_with_a_host() -> None:
    good = ("", "http://proxy:3128", "https://u:p%2F@proxy", "http://[2001:db8::1]:80/", "http://u:***@proxy:3128")
    assert [proxy_fault(one) for one in good] == [""] * 5
    for text in (
        "proxy:3128",
        "ftp://proxy",
        "http://",
        "http://proxy:99999",
        "http://u:hunter2/x@proxy",
        "http://a b",
    ):
        fault = proxy_fault(text)
        assert fault.startswith("is no URL of a proxy: http://HOST:PORT is expected")
        assert "hunter2" not in fault


@pytest.mark.parametrize("rule", [hash_fault, key_fault, zone_fault, keyboard_fault, proxy_fault, line_fault])
@pytest.mark.parametrize("text", ["***", "{{ vars.site }}"])
def test_what_is_made_later_is_not_judged(rule: answer_values.Rule, text: str) -> None:
    assert rule(text) == ""


def test_a_line_is_one_line() -> None:
    assert line_fault("a\tb ü") == ""
    assert line_fault("a\nd-i x") == "must be one line without control characters"
    assert line_fault("a\u2028%end") == "must be one line without control characters"
    assert line_fault("quiet \\").startswith("must not end with a backslash")
