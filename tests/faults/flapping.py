"""An interface that goes down and up, is made anew, and changes its address, under a real `provd run`.

Run in a network namespace of its own, with a folder and the number of changes; prints one JSON object. The client is at
the other end of a virtual link and speaks Ethernet, so that it needs no address.
"""

from __future__ import annotations

import json
import random
import select
import signal
import socket
import subprocess
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path

from provd.wire.ipv4_udp import ip_udp_packet
from tests.app.running_server import RunningServer
from tests.fakes.dhcp_load import option
from tests.fakes.dhcp_world import DISCOVER, request
from tests.faults.serving import status

_SUBNET = """
[[interface]]
name = "srv"

[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.250"
"""
_IP = 0x0800
_EVERYBODY = b"\xff" * 6
_MOST_S = 10.0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def make_link(address: str) -> None:
    """Both ends of the link, the server's with an address."""
    ip("link", "add", "srv", "type", "veth", "peer", "name", "cli")
    ip("address", "add", f"{address}/24", "dev", "srv")
    for name in ("srv", "cli"):
        ip("link", "set", name, "up")


def offer(number: int, server: str) -> float:
    """Seconds until a new client has an OFFER that names the server by the address it has now."""
    mac = b"\x02\0\0\0" + number.to_bytes(2)
    packet = ip_udp_packet(request(DISCOVER, mac=mac, xid=number), 0, 68, 0xFFFFFFFF, 67)
    began = time.monotonic()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_IP)) as link:
        link.bind(("cli", _IP))
        while time.monotonic() < began + _MOST_S:
            link.send(_EVERYBODY + mac + _IP.to_bytes(2) + packet)
            while select.select([link], [], [], 0.05)[0]:
                frame = link.recv(2048)
                reply = frame[42:]
                mine = frame[23] == 17 and frame[36:38] == b"\0\x44" and reply[4:8] == number.to_bytes(4)
                if mine and option(reply, 54) == IPv4Address(server).packed:
                    return time.monotonic() - began
    return _MOST_S


def main(folder: str, count: int) -> None:
    server = RunningServer(Path(folder))
    head = server.config.read_text().partition("[[interface]]")[0]
    text = head.replace(f"dhcp_port = {server.dhcp}", "dhcp_port = 67").replace(str(server.client), "68")
    server.config.write_text(text + _SUBNET)
    address, pick = "10.88.0.1", random.Random(count)
    make_link(address)
    longest, wrong = {"down and up": 0.0, "made anew": 0.0, "address": 0.0}, list[str]()
    server.spawn()
    server.wait_for("ready: DHCP on srv")
    try:
        for number in range(count):
            change = tuple(longest)[number % 3]
            if change == "down and up":
                ip("link", "set", "srv", "down")
                time.sleep(pick.uniform(0.0, 0.2))
                ip("link", "set", "srv", "up")
            elif change == "made anew":
                ip("link", "del", "srv")
                time.sleep(pick.uniform(0.0, 0.2))
                make_link(address)
            else:
                ip("address", "flush", "dev", "srv")
                address = f"10.88.0.{pick.randrange(2, 20)}"
                ip("address", "add", f"{address}/24", "dev", "srv")
            took = offer(number + 1, address)
            longest[change] = max(longest[change], round(took, 2))
            if took >= _MOST_S:
                wrong.append(f"{number} {change}: no offer within {_MOST_S:.0f} s")
        interfaces, errors = status(server)["interfaces"], status(server)["dhcp"]["errors"]
        lines = len(server.text().splitlines())
        result = {"longest_s": longest, "wrong": wrong, "interfaces": interfaces, "errors": errors, "log_lines": lines}
        print(json.dumps({**result, "exit": server.stop()}))
    finally:
        server.stop(signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
