"""What `provd check` says of interfaces and of the listeners that people, not machines, reach."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from provd.cli.preflight import preflight


def told(tmp_path: Path, text: str) -> list[str]:
    config = tmp_path / "provd.toml"
    config.write_text(f'user = ""\ndata_dir = "{tmp_path}"\nsite_dir = "{tmp_path}/site"\n{text}')
    return [f"{one.level}: {one.text}" for one in preflight(config)]


def test_an_interface_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, '[[interface]]\nname = "lo"\n[[interface]]\nname = "eth99"\n')
    (sentence,) = [one for one in found if "is not on this machine" in one]
    assert sentence.startswith("warning: interface eth99 is not on this machine; there are ")
    assert "lo" in sentence


@pytest.mark.parametrize("table", ["api", "cobbler"])
def test_an_address_of_another_machine_is_an_error(tmp_path: Path, table: str) -> None:
    found = told(tmp_path, f'[{table}]\nenabled = true\naddresses = ["198.51.100.7"]\nport = 7443\n')
    assert f"error: {table}.port 7443: 198.51.100.7 is no address of this machine" in found
    assert not [one for one in told(tmp_path, f'[{table}]\naddresses = ["198.51.100.7"]\n') if table in one]


def test_a_port_of_the_api_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = told(tmp_path, f"[api]\nenabled = true\nport = {port}\n")
    assert any(one.startswith(f"warning: api.port {port}: another program has it") for one in found)


@pytest.mark.parametrize(("table", "key"), [("api", "tls_certificate"), ("api", "tls_key"), ("cobbler", "tls_key")])
def test_a_certificate_that_is_not_there_is_an_error(tmp_path: Path, table: str, key: str) -> None:
    (tmp_path / "there.pem").touch()
    there = "" if key == "tls_certificate" else f'tls_certificate = "{tmp_path}/there.pem"\n'
    found = told(tmp_path, f'[{table}]\nenabled = true\n{there}{key} = "{tmp_path}/none.pem"\n')
    assert f"error: {table}.{key}: {tmp_path}/none.pem cannot be read: No such file or directory" in found
