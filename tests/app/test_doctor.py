"""`provd doctor` against a real `provd run`: silent in health, and what it finds after each fault."""

from __future__ import annotations

import datetime as dt
import json
import signal
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet.defer import Deferred

from provd.api.client import LocalClient
from provd.app.doctor import Doctor, _asked
from provd.cli.main import build_cli
from provd.config.schema import ServerConfig
from provd.config.schema_api import ApiConfig
from provd.config.schema_listeners import ListenConfig
from provd.net import self_probe
from provd.plugin.contract import Operation
from provd.service.operations import NoArguments
from tests.app.running_server import RunningServer, free_ports

ENVIRONMENTAL = ("disk", "clock")
"""Areas that depend on the machine that runs the test."""


def doctor(server: RunningServer, *words: str) -> Result:
    path = str(server.folder / "run" / "provd.sock")
    return CliRunner().invoke(build_cli(lambda _path: 0, LocalClient), ["--socket", path, "doctor", *words])


def findings(server: RunningServer) -> dict[str, str]:
    """Area and text of what was found, by level and area."""
    told = json.loads(doctor(server, "-o", "json").stdout)
    rows = [row for row in told["findings"] if row["area"] not in ENVIRONMENTAL]
    assert all(row["advice"] for row in rows)
    return {f"{row['level']} {row['area']}": row["text"] for row in rows}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    yield running
    running.stop(signal.SIGKILL)


def test_nothing_ails_a_healthy_service(server: RunningServer) -> None:
    server.start()
    assert findings(server) == {}
    assert doctor(server).exit_code in {0, 1}  # 1 on a machine whose disk is full


def test_faults_are_named_with_their_advice(server: RunningServer, tmp_path: Path) -> None:
    """An interface that is not there, a pool of one address that is taken, a certificate that ends, a held machine."""
    api, upstream = free_ports(2)
    certificate(tmp_path / "api.pem", dt.timedelta(days=3))
    text = server.config.read_text().replace('pool = "127.0.9.1-127.0.9.200"', 'pool = "127.0.9.1-127.0.9.1"')
    text = text.replace('"installer_kickstart"]', '"installer_kickstart", "source_mirror"]')
    server.config.write_text(
        text + f'[[interface]]\nname = "gone7"\n[api]\nenabled = true\nport = {api}\n'
        f'tls_certificate = "{tmp_path}/api.pem"\n'
        f'[plugins.source_mirror.mirrors.site]\nupstream = "http://127.0.0.1:{upstream}/"\n'
    )
    server.start()
    take_an_address(server)
    found = findings(server)
    assert found["error listeners"].startswith("DHCP is not answered on gone7")
    assert "pool of subnet 127.0.0.0/8 is full: all 1 addresses" in found["error leases"]
    assert "ends in" in found["warning certificates"]
    assert f"mirror site: upstream http://127.0.0.1:{upstream} gives no answer" in found["warning mirror"]
    result = doctor(server)
    assert result.exit_code == 1
    assert "widen its pool" in result.stdout


def test_listeners_that_do_not_answer_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examination itself, of ports that nobody is bound to."""
    monkeypatch.setattr(self_probe, "WAIT_S", 0.3)
    tftp, http, api = free_ports(3)
    listen = ListenConfig(addresses=(IPv4Address("127.0.0.1"),), tftp_port=tftp, http_port=http)
    config = ServerConfig(listen=listen, api=ApiConfig(enabled=True, port=api))
    services = SimpleNamespace(current=SimpleNamespace(config=config), wall=lambda: 0.0)
    examined: Any = Doctor(SimpleNamespace(services=services), list, lambda: 0.0)
    found = [one.text.partition(" does not answer: ")[0] for one in examined._answers()]
    assert found == [
        f"TFTP on 127.0.0.1 port {tftp}",
        f"HTTP on 127.0.0.1 port {http}",
        f"the JSON API on 127.0.0.1 port {api}",
    ]


@pytest.mark.parametrize(
    ("told", "level", "text"),
    [
        ([{"level": "error", "text": "t", "advice": "a"}], "error", "t"),
        ([{"level": "odd", "text": "t", "advice": "a"}], "warning", "t"),
        ([{"text": "t"}], "warning", "site.check failed: 'level'"),
        (None, "warning", "site.check failed: 'NoneType' object is not iterable"),
    ],
)
def test_a_plugins_own_check_cannot_break_the_examination(told: Any, level: str, text: str) -> None:
    operation = Operation("site.check", "", "read", NoArguments, lambda _arguments: told, "", "")
    found: list[Any] = []
    Deferred.fromCoroutine(_asked("site.check", operation)).addCallback(found.extend)
    assert [(one.level, one.area, one.text) for one in found] == [(level, "site", text)]


def test_one_sentence_where_no_service_runs(tmp_path: Path) -> None:
    result = CliRunner().invoke(build_cli(lambda _path: 0, LocalClient), ["--socket", str(tmp_path / "no"), "doctor"])
    assert result.exit_code != 0
    assert len(result.stderr.strip().splitlines()) == 1


def take_an_address(server: RunningServer) -> None:
    """The only one of the pool."""
    from provd.simulate.actions import run
    from provd.simulate.dhcp import dora
    from provd.simulate.firmware import BIOS_IPXE
    from tests.app.test_boots import MACHINE, driver

    run(dora(BIOS_IPXE, MACHINE, 7), driver(server))


def certificate(path: Path, ends_in: dt.timedelta) -> None:
    """A certificate with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
    now = dt.datetime.now(dt.UTC)
    made: Any = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - dt.timedelta(days=9)).not_valid_after(now + ends_in)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + private)
