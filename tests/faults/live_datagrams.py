"""Sends mutated packets to a real `provd run` while good clients get their leases from it.

Run in a network namespace of its own, with a folder, the number of packets and a seed; prints one JSON object.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from pathlib import Path

from tests.fakes.dhcp_load import DhcpLoad
from tests.faults.datagrams import corpus
from tests.faults.killing import lost
from tests.faults.mutation import Mutator
from tests.faults.serving import many_clients, memory_kib, status

_BURST = 200
_CLIENTS = 200


def main(folder: str, count: int, seed: int) -> None:
    server = many_clients(Path(folder))
    server.start()
    load = DhcpLoad(server.dhcp, seed=seed, in_flight=4, stay=True)
    mutator, rest, slowest_s, memory = Mutator(corpus(), seed), count, 0.0, [0, 0]
    began = time.monotonic()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            load.serve(_CLIENTS)
            while rest:
                for _ in range(min(_BURST, rest)):
                    link.sendto(mutator.next(), ("127.0.0.1", server.dhcp))
                rest -= min(_BURST, rest)
                # A good client's ACK comes after what was sent before its REQUEST, so nothing is lost in a buffer.
                asked = time.monotonic()
                load.confirm([1 + rest // _BURST % _CLIENTS])
                slowest_s = max(slowest_s, time.monotonic() - asked)
                if rest >= count * 3 // 4:
                    memory[0] = memory_kib(server)
        took = time.monotonic() - began
        memory[1] = memory_kib(server)
        counted = status(server)["dhcp"]
        result = {
            "seconds": round(took, 1),
            "handled": sum(counted["received"].values()) + counted["dropped"].get("malformed", 0),
            "errors": counted["errors"],
            "grown_kib": memory[1] - memory[0],
            "memory_kib": memory[1],
            "slowest_ack_s": round(slowest_s, 3),
            "good_clients": len(load.held),
            "faults": load.faults + lost(server, load),
            "log_lines": len(server.text().splitlines()),
        }
        result["exit"] = server.stop()
        print(json.dumps(result))
    finally:
        load.close()
        server.stop(signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
