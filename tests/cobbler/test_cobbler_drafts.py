"""Changes under a handle: what cannot be is refused at once, and a refused save stands in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cobbler.cobbler_server import CobblerServer, refused

MAC, TAKEN = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CobblerServer]:
    running = CobblerServer(tmp_path_factory.mktemp("cobbler"))
    running.start()
    try:
        token = running.login()
        for name, mac in (("web1", MAC), ("web2", TAKEN)):
            made = running.proxy().new_system(token)
            for attribute, value in (("name", name), ("profile", "web")):
                running.proxy().modify_system(made, attribute, value, token)
            running.proxy().modify_system(made, "modify_interface", {"macaddress-eth0": mac}, token)
            running.proxy().save_system(made, token)
        yield running
    finally:
        assert running.stop() == 0


@pytest.fixture
def remote(server: CobblerServer) -> Any:
    return server.proxy()


@pytest.fixture
def token(server: CobblerServer) -> str:
    return server.login()


@pytest.mark.parametrize(
    ("attribute", "value", "sentence"),
    [
        ("modify_interface", {"macaddress-eth0": "zz"}, "mac_address: 'zz' is not a MAC address"),
        ("modify_interface", {"ipaddress-eth0": "10.0.0.256"}, "ip_address: '10.0.0.256' is not an IPv4 address"),
        ("profile", "nosuch", "profile: there is no profile 'nosuch'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_once(
    remote: Any, token: str, attribute: str, value: object, sentence: str
) -> None:
    handle = remote.get_system_handle("web1", token)
    assert sentence in refused(remote.modify_system, handle, attribute, value, token)
    remote.modify_system(handle, "comment", f"after {attribute}", token)
    assert remote.save_system(handle, token) is True
    assert remote.get_system("web1")["comment"] == f"after {attribute}"
    assert remote.get_system("web1")["interfaces"]["eth0"]["mac_address"] == MAC


@pytest.mark.parametrize(("attribute", "kind"), [("distro", "distro"), ("parent", "profile")])
def test_a_profile_refers_to_what_is_there(remote: Any, token: str, attribute: str, kind: str) -> None:
    handle = remote.get_profile_handle("web", token)
    assert f"there is no {kind} 'nosuch'" in refused(remote.modify_profile, handle, attribute, "nosuch", token)


def test_words_that_ask_for_a_value_are_no_wrong_values(remote: Any, token: str) -> None:
    handle = remote.new_system(token)
    for attribute, value in (("name", "web3"), ("profile", "web")):
        remote.modify_system(handle, attribute, value, token)
    remote.modify_system(handle, "modify_interface", {"macaddress-eth0": "random", "ipaddress-eth0": ""}, token)
    assert remote.save_system(handle, token) is True
    assert remote.remove_system("web3", token) is True


def test_a_refused_save_is_corrected_under_its_handle(remote: Any, token: str) -> None:
    handle = remote.get_system_handle("web1", token)
    remote.modify_system(handle, "comment", "kept", token)
    remote.modify_system(handle, "modify_interface", {"macaddress-eth0": TAKEN}, token)
    assert "already that of system web2" in refused(remote.save_system, handle, token)
    remote.modify_system(handle, "modify_interface", {"macaddress-eth0": MAC}, token)
    assert remote.save_system(handle, token) is True
    assert remote.get_system("web1")["comment"] == "kept"


def test_a_new_handle_forgets_what_was_refused(remote: Any, token: str) -> None:
    handle = remote.get_system_handle("web1", token)
    remote.modify_system(handle, "modify_interface", {"macaddress-eth0": TAKEN}, token)
    refused(remote.save_system, handle, token)
    handle = remote.get_system_handle("web1", token)
    remote.modify_system(handle, "comment", "anew", token)
    assert remote.save_system(handle, token) is True
    assert remote.get_system("web1")["comment"] == "anew"


def test_a_second_handle_keeps_what_was_not_saved_yet(remote: Any, token: str) -> None:
    remote.modify_system(remote.get_system_handle("web1", token), "comment", "first", token)
    handle = remote.get_system_handle("web1", token)
    remote.modify_system(handle, "hostname", "second", token)
    assert remote.save_system(handle, token) is True
    assert [remote.get_system("web1")[name] for name in ("comment", "hostname")] == ["first", "second"]
