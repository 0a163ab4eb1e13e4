"""Many clients at once, and two servers on one segment: nobody's address is somebody else's."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from provd.core.dhcp_states import State
from tests.fakes.dhcp_load import DhcpLoad
from tests.faults.killing import lost
from tests.faults.serving import many_clients
from tests.faults.split_pools import Segment


def test_two_servers_with_split_pools_give_ten_thousand_clients_one_address_each() -> None:
    segment = Segment(random.Random(1), loss=0.02)
    for number in range(10_000):
        segment.join(number)
        if number == 5_000:
            segment.servers[0].restart()
            segment.servers[1].reboot()
    for number in random.Random(2).sample(range(10_000), 1_000):
        segment.come_back(number)
    assert segment.faults == []
    assert len(set(segment.held.values())) == 10_000
    assert segment.moved < 30
    assert min(segment.served[0], segment.served[1]) > 4_000
    for server in segment.servers:
        server.pass_time(61)
        server.service.expire()
        (table,) = server.service.tables
        assert all(binding.state is State.BOUND for binding in table), "offers that were declined are still kept"


@pytest.mark.parametrize("clients", [1_000, 5_000])
def test_row_12_a_storm_of_clients_is_served_and_no_client_twice(tmp_path: Path, clients: int) -> None:
    server = many_clients(tmp_path)
    load = DhcpLoad(server.dhcp, in_flight=clients, stay=True, most=clients)
    try:
        server.start()
        began = time.monotonic()
        load.serve(clients)
        print(f"{clients} clients at once: {time.monotonic() - began:.2f} s, {load.repeats} messages repeated")
        assert load.faults == []
        assert lost(server, load) == []
    finally:
        load.close()
        server.stop(signal.SIGKILL)
