"""A damaged lease store: it starts, gives no wrong lease, and never has fewer without a word."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer
from tests.fakes.dhcp_load import DhcpLoad
from tests.faults.damage import Damage, copy_names, flipped_everywhere, killed_store, mutated
from tests.faults.killing import lost
from tests.faults.serving import many_clients, problems, status

STEP = 499
"""Octets between two flipped bits; ``tests/long`` takes every one."""


@pytest.mark.parametrize("seed", [1, 2])
def test_C16_a_thousand_random_mutations_of_the_files(seed: int) -> None:
    files, damage, pick = killed_store(), Damage(), random.Random(seed)
    for number in range(500):
        changed, what, shorter = mutated(files, pick)
        damage.judge(changed, f"{number} {what}", shorter=shorter)
    print(damage.text())
    assert damage.faults == []
    assert damage.told > 300
    assert damage.rows > 300 * 100


def test_C16_a_flipped_bit_costs_at_most_the_lease_it_hit() -> None:
    damage = flipped_everywhere(killed_store(), random.Random(3), STEP)
    assert damage.faults == []
    assert damage.starts > 200


def test_C16_the_service_starts_with_what_is_left_tells_it_and_gives_nothing_twice(tmp_path: Path) -> None:
    server = many_clients(tmp_path)
    load = DhcpLoad(server.dhcp, stay=True)
    try:
        server.start()
        load.serve(300)
        server.stop(signal.SIGKILL)
        load.lose()
        _destroy_a_page(tmp_path / "data")
        server.log.write_text("")
        server.start()
        assert len(problems(server)) == status(server)["lease_store"]["damaged"] == 1
        assert "was damaged (" in problems(server)[0]
        assert "a copy is kept as" in problems(server)[0]
        assert problems(server)[0] in server.text()
        assert copy_names(tmp_path / "data") != []
        _judge_survivors(server, load)
    finally:
        load.close()
        server.stop(signal.SIGKILL)


def _destroy_a_page(folder: Path) -> None:
    """Overwrite the middle of what was appended last."""
    log = max((path for path in folder.glob("provd.db*")), key=lambda path: path.stat().st_size)
    with log.open("r+b") as file:
        file.seek(log.stat().st_size // 2)
        file.write(b"\xff" * 4096)


def _judge_survivors(server: RunningServer, load: DhcpLoad) -> None:
    """Clients whose lease is there keep it, and new clients get other addresses."""
    missing = lost(server, load)
    assert len(missing) < 150
    gone = {sentence.split()[0] for sentence in missing}
    for number, address in list(load.held.items()):
        if ".".join(map(str, address.to_bytes(4))) in gone:
            del load.held[number], load.owner[address]
    load.confirm(list(load.held))
    load.serve(100)
    assert load.faults == []
