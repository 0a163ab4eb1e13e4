"""The binding table (rows 42, 47, 48): what it shows, what it finds, and freeing an address by hand."""

from __future__ import annotations

import csv
import io
import json
from ipaddress import IPv4Address
from math import inf

import msgspec
import pytest
from click.testing import CliRunner

from provd.cli.main import build_cli
from provd.model.lease import Lease
from provd.service.binding_table import octets_text
from provd.service.dhcp_release import NOT_IN_USE
from provd.service.operations import OperationError
from tests.fakes.dhcp_world import DECLINE, DISCOVER, MAC, OTHER_MAC, RELAY, REQUEST, SERVER, DhcpWorld, ip, request
from tests.fakes.fake_api import Backend, TableClient

LOCAL = Lease(
    ip("10.0.0.10"),
    "lan",
    MAC,
    expires_at=5000.0,
    system="web1",
    hostname="web1",
    client_id=b"\xff\0\1",
    interface="eth1",
)
FAR = Lease(
    ip("10.2.0.9"), "far", OTHER_MAC, starts_at=500.0, expires_at=inf, relay="0a020001:" + b"\1\4ge-7\2\3\0\6\xaa".hex()
)
OVER = Lease(ip("10.2.0.8"), "far", OTHER_MAC, expires_at=1000.0, relay="0a020001:")
DECLINED = Lease(ip("10.0.0.66"), "lan", MAC, state="declined", expires_at=2000.0)
RELEASED = Lease(ip("10.0.0.12"), "lan", MAC, state="released", expires_at=900.0)


@pytest.fixture
def backend() -> Backend:
    backend = Backend()
    backend.leases = [FAR, RELEASED, OVER, LOCAL, DECLINED]
    return backend


def provd(backend: Backend, *words: str) -> str:
    cli = build_cli(lambda _path: 0, lambda _socket: TableClient(backend))
    return CliRunner().invoke(cli, words, catch_exceptions=False).output


def test_row_47_every_field_of_a_binding(backend: Backend) -> None:
    rows = {row["address"]: row for row in backend.call("lease.list")}
    assert list(rows) == ["10.0.0.10", "10.0.0.12", "10.0.0.66", "10.2.0.8", "10.2.0.9"]
    assert rows["10.0.0.10"] == {
        "address": "10.0.0.10",
        "mac": MAC.hex(":"),
        "system": "web1",
        "hostname": "web1",
        "subnet": "lan",
        "state": "bound",
        "starts_at": 0.0,
        "expires_at": 5000.0,
        "client_id": "ff:00:01",
        "interface": "eth1",
        "relay": "",
        "circuit_id": "",
        "remote_id": "",
        "relay_information": "",
    }
    assert [row["state"] for row in rows.values()] == ["bound", "released", "declined", "expired", "bound"]


def test_row_48_the_relay_port_is_text_where_it_is_printable_else_hex(backend: Backend) -> None:
    row = backend.call("lease.show", {"address": "10.2.0.9"})
    assert (row["relay"], row["circuit_id"], row["remote_id"]) == ("10.2.0.1", "ge-7", "0x0006aa")
    assert (row["relay_information"], row["expires_at"]) == (b"\1\4ge-7\2\3\0\6\xaa".hex(":"), None)


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"", ""), (b"Gi0/1", "Gi0/1"), (b"a b", "a b"), (b"a\0", "0x6100"), (b"0x61", "0x30783631"), (b"\xe9", "0xe9")],
)
def test_row_48_octets_as_text_are_read_back_by_the_configuration(octets: bytes, text: str) -> None:
    assert octets_text(octets) == text


@pytest.mark.parametrize(
    ("words", "addresses"),
    [
        (["--subnet", "far"], ["10.2.0.8", "10.2.0.9"]),
        (["--mac", MAC.hex("-").upper()], ["10.0.0.10", "10.0.0.12", "10.0.0.66"]),
        (["--system", "web1"], ["10.0.0.10"]),
        (["--state", "expired"], ["10.2.0.8"]),
        (["--relay", "10.2.0.1", "--state", "bound"], ["10.2.0.9"]),
        (["--circuit-id", "ge-7"], ["10.2.0.9"]),
        (["--remote-id", "0x0006aa"], ["10.2.0.9"]),
        (["--remote-id", "ge-7"], []),
    ],
)
def test_row_47_the_table_is_filtered(backend: Backend, words: list[str], addresses: list[str]) -> None:
    assert [row["address"] for row in json.loads(provd(backend, "lease", "list", *words, "-o", "json"))] == addresses


def test_rows_47_and_48_json_and_csv_say_the_same(backend: Backend) -> None:
    rows = json.loads(provd(backend, "lease", "list", "-o", "json"))
    written = list(csv.DictReader(io.StringIO(provd(backend, "lease", "list", "-o", "csv"))))
    assert written == [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]


def test_row_48_the_table_for_people_has_the_relay_port(backend: Backend) -> None:
    table = provd(backend, "lease", "list")
    assert "circuit id" in table
    assert "ge-7" in table


@pytest.mark.parametrize(
    ("operation", "arguments", "sentence", "kind"),
    [
        ("lease.list", {"mac": "x"}, "'x' is not a MAC", "usage"),
        ("lease.list", {"relay": "x"}, "'x' is not an IPv4 address", "usage"),
        ("lease.show", {"address": "x"}, "'x' is not an IPv4 address", "usage"),
        ("lease.show", {"address": "10.0.0.99"}, "10.0.0.99 has no lease", "not-found"),
        ("lease.release", {"address": "10.0.0.99"}, "10.0.0.99 has no lease", "not-found"),
        ("lease.release", {"address": "10.0.0.130"}, "10.0.0.130: it has no running lease", "refused"),
        ("lease.release", {"address": "10.0.0.66"}, "10.0.0.66 could not be freed: disk full", "failed"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    backend: Backend, operation: str, arguments: dict[str, str], sentence: str, kind: str
) -> None:
    backend.leases.append(msgspec.structs.replace(LOCAL, address=ip("10.0.0.130")))
    with pytest.raises(OperationError, match=sentence) as refused:
        backend.call(operation, arguments)
    assert refused.value.kind == kind


def test_abandoned_goes_with_the_subnet_only(backend: Backend) -> None:
    assert "10.0.0.66" in provd(backend, "lease", "list", "--abandoned", "--subnet", "lan")
    assert "--abandoned goes with --subnet only" in provd(backend, "lease", "list", "--abandoned", "--mac", str(MAC))


def test_row_42_a_lease_is_released_by_command(backend: Backend) -> None:
    assert "10.0.0.10" in provd(backend, "lease", "release", "10.0.0.10")
    assert backend.freed == [ip("10.0.0.10")]


def free(world: DhcpWorld, address: int) -> tuple[str, list[Exception | None]]:
    """Why the address was not freed, and what was told when it was written."""
    told: list[Exception | None] = []
    return world.service.release(address, told.append), told


def test_row_42_a_freed_address_is_written_and_given_to_another() -> None:
    world = DhcpWorld()
    ack = world.dora(giaddr=RELAY, options={82: b"\1\4ge-7"})
    address = ack.packet.yiaddr
    assert world.store.rows[address].interface == "eth0"
    world.store.hold = True
    refusal, told = free(world, address)
    assert (refusal, told) == ("", [])
    world.store.flush()
    assert told == [None]
    assert world.store.rows[address].state == "released"
    asked = request(DISCOVER, mac=OTHER_MAC, giaddr=RELAY, wanted=address)
    assert world.answer(asked, unicast=True).packet.yiaddr == address


def test_a_dry_run_of_a_release_frees_nothing(backend: Backend) -> None:
    assert backend.call("lease.release", {"address": "10.0.0.10", "dry_run": True}) == {
        "released": "10.0.0.10", "applied": False,
    }  # fmt: skip
    backend.leases.append(msgspec.structs.replace(backend.leases[0], address=ip("10.0.0.130")))
    with pytest.raises(OperationError, match=r"10\.0\.0\.130: it has no running lease"):
        backend.call("lease.release", {"address": "10.0.0.130", "dry_run": True})
    assert backend.freed == []
    world = DhcpWorld()
    address = world.dora().packet.yiaddr
    assert world.service.release(address, None) == ""
    assert world.store.rows[address].state == "bound"
    free(world, address)
    assert world.service.release(address, None) == NOT_IN_USE


def test_row_42_the_client_gets_a_freed_address_back_while_nobody_has_it() -> None:
    world = DhcpWorld()
    address = world.dora().packet.yiaddr
    free(world, address)
    assert world.answer(request(REQUEST, ciaddr=address), unicast=True, source=address).packet.yiaddr == address


def test_row_42_a_quarantine_is_ended_by_hand_over_a_restart_too() -> None:
    world = DhcpWorld()
    address = world.dora().packet.yiaddr
    world.ask(request(DECLINE, wanted=address, server=SERVER))
    assert world.store.rows[address].state == "declined"
    assert free(world, address) == ("", [None])
    assert address not in world.store.rows
    world.restart()
    assert world.answer(request(DISCOVER, mac=OTHER_MAC, wanted=address)).packet.yiaddr == address


def test_row_42_what_cannot_be_freed() -> None:
    world = DhcpWorld()
    offered = world.answer(request(DISCOVER)).packet.yiaddr
    assert free(world, offered) == ("it has no running lease and is in no quarantine", [])
    assert free(world, int(IPv4Address("10.99.0.1"))) == ("no subnet has this address now", [])
    world.dora()
    world.store.problem = OSError("disk full")
    assert [str(problem) for problem in free(world, offered)[1]] == ["disk full"]
