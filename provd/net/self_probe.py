"""A service that asks its own listeners, as machines do: do they answer? Blocking; for a thread of its own."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provd.wire.errors import WireError
from provd.wire.tftp import Request, decode, encode_request

WAIT_S: Final = 3.0
"""Seconds that an answer is waited for."""
_NOBODYS_FILE: Final = "provd-doctor/is-anybody-there"


@dataclass(frozen=True, slots=True)
class Queue:
    """A UDP socket of this machine as ``/proc/net/udp`` has it (proc_net_udp(5)).

    Attributes:
        port: local port.
        waiting: octets in its receive queue.
        dropped: datagrams that found no room.
    """

    port: int
    waiting: int
    dropped: int


def tftp(address: str, port: int) -> str:
    """Why a TFTP listener does not answer a request for a file that nobody has, or empty.

    Args:
        address: of the listener (dotted quad).
        port: its UDP port.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(WAIT_S)
        try:
            asking.bind((address, 0))
            asking.sendto(encode_request(Request(write=False, filename=_NOBODYS_FILE, mode="octet")), (address, port))
            decode(asking.recv(2048))
        except TimeoutError:
            return f"no answer within {WAIT_S:.0f} s"
        except (OSError, WireError) as error:
            return str(getattr(error, "strerror", None) or error)
    return ""


def http(address: str, port: int, *, tls: bool = False) -> str:
    """Why an HTTP listener does not answer, or empty; with TLS a handshake is enough, whoever signed its certificate.

    Args:
        address: of the listener (dotted quad).
        port: its TCP port.
        tls: it speaks TLS.
    """
    try:
        with socket.create_connection((address, port), WAIT_S) as asking:
            asking.settimeout(WAIT_S)
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.wrap_socket(asking).close()
                return ""
            asking.sendall(f"HEAD /{_NOBODYS_FILE} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
            begin = asking.recv(16)
    except TimeoutError:
        return f"no answer within {WAIT_S:.0f} s"
    except OSError as error:
        return str(error.strerror or error)
    return "" if begin.startswith(b"HTTP/") else f"it answers with {begin!r}, which is not HTTP"


def queues(table: Path = Path("/proc/net/udp")) -> list[Queue]:
    """Every IPv4 UDP socket; none where the kernel does not tell."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except (OSError, ValueError):
        return []
    found = []
    for words in (line.split() for line in lines):
        if len(words) >= 13 and words[-1].isdigit():
            port, waiting = int(words[1].rpartition(":")[2], 16), int(words[4].rpartition(":")[2], 16)
            found.append(Queue(port, waiting, int(words[-1])))
    return found
