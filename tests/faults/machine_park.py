"""Simulated machines on one link: orders as JSON lines on standard input, what became of each on standard output.

    python -m tests.faults.machine_park

An order names ``mac`` and, where they differ from the default, ``firmware``, ``seed``, ``reports``, ``times`` (boots
one after the other), ``dies_last`` (``dies`` of the last of them), ``then`` (URLs that are asked for afterwards),
``logs`` (lines by syslog), and what :class:`LinkDriver` takes. An order with ``get`` and ``source`` is one request of a machine that booted before.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from provd.simulate.actions import HttpSend
from provd.simulate.boot import simulate
from provd.simulate.firmware import Machine
from tests.faults.link_driver import LinkDriver

_AT_ONCE = 4
_RESTART_S = 1.0
"""Between two boots of one machine: firmware takes longer to start than a busy service to note the last octet."""


def boot(order: dict[str, Any]) -> dict[str, Any]:
    """Carry out one order."""
    if "get" in order:
        found = LinkDriver.of(order).http(HttpSend(order["get"], source=order["source"]))
        return {"then": [found.status]}
    mac = bytes.fromhex(str(order["mac"]).replace(":", ""))
    machine, driver = Machine(mac, UUID(int=int.from_bytes(mac))), LinkDriver.of(order)
    seed = int(order.get("seed", 1)) * 1000 + mac[-1]
    first, turns = "", int(order.get("times", 1))
    for turn in range(turns):
        if turn:
            time.sleep(_RESTART_S)
        if turn == turns - 1:
            driver.dies = order.get("dies_last", driver.dies)
        reports = tuple(order.get("reports", ("started", "progress", "finished")))
        told = simulate(driver, machine, order.get("firmware", "bios"), seed=seed + turn * 99_991, reports=reports)
        first = first or (told.installed.answer_url if told.installed else "")
    source = told.installer_address or told.address
    driver.dies = ""
    further = []
    for one in order.get("then", ()):
        url = one["url"].format(callback=told.installed.callback if told.installed else "", first_answer=first)
        further.append(driver.http(HttpSend(url, one.get("method", "GET"), source=source)).status)
    if lines := order.get("logs"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.bind((source, 0))
            for line in lines:
                link.sendto(f"<12>Nov 27 08:00:00 machine {line}".encode(), ("10.88.0.1", 514))
    return {
        "outcome": told.outcome,
        "error": told.error,
        "address": source,
        "answer_url": told.installed.answer_url if told.installed else "",
        "then": further,
        "text": told.text(),
    }


def main() -> None:
    """Every line is a list of orders; they are carried out together, and one line tells what became of them."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for line in sys.stdin:
            print(json.dumps(list(pool.map(boot, json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
