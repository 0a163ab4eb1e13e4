"""What it means when a boot stands still after a step: the likely cause and what to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NEXT: Final[Mapping[str, tuple[str, str]]] = {
    "discover": (
        "its DISCOVER came, and no OFFER was sent",
        "provd status counts what was dropped, and why",
    ),
    "offer": (
        "the OFFER was not taken: it does not reach the machine (UDP 68, a relay), or another server was quicker",
        "provd check firewall; look at the relay; provd check rogue",
    ),
    "ack": (
        "it has its address and never asked for the boot file: TFTP (UDP 69) is blocked, or it asks another server",
        "provd check firewall prints the rules; with another DHCP server beside, look at its next-server",
    ),
    "loader": (
        "the boot loader was fetched and asked for no configuration: it crashed, or Secure Boot refused it",
        "the machine's screen; with Secure Boot on it needs the signed chain",
    ),
    "config": (
        "the boot loader has its configuration and never fetched the kernel: the HTTP port is blocked on the way",
        "provd check firewall; the URL is in the configuration: provd explain SYSTEM",
    ),
    "kernel": (
        "the kernel was fetched and the initial RAM disk was not: the transfer broke off, or memory ran out",
        "the machine's screen, its memory",
    ),
    "initrd": (
        "the kernel was started, and the installer never asked for an address: driver missing, or it crashed?",
        "its console (console= in kernel_args); a newer installer, or firmware for the network card",
    ),
    "installer-dhcp": (
        "the installer has its address and never asked for its answer file: HTTP blocked, or kernel arguments lost?",
        "provd explain SYSTEM shows the arguments; the installer's console",
    ),
    "answers": (
        "the answers were fetched and nothing was reported since: the callback URL is not reached, or it waits",
        "the installer's console; whether the machine reaches the HTTP port from its own network",
    ),
    "installing": (
        "the installer began and has said nothing since",
        "its console and its last log lines; the mirror",
    ),
}
"""By the furthest step that was reached: cause and advice."""
