"""What an installer does with its command line: second DHCP, answer file, reports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from provd.simulate.actions import BootError, Fetched, HttpSend, Stage
from provd.simulate.dhcp import Bound, dora
from provd.simulate.firmware import DEBIAN_INSTALLER, DEPLOYER, DUID_CLIENT, ClientStyle, Machine
from provd.simulate.pxelinux_config import kernel_words

_CALLBACK: Final = re.compile(r"/callback/[A-Za-z0-9_.~-]+")
_DOCUMENT: Final = re.compile(r"/answer/[A-Za-z0-9_.~-]+/([A-Za-z0-9_.-]*[A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Family:
    """How one family's installer behaves.

    Attributes:
        name: for transcripts.
        arguments: kernel arguments that name the answer file, in the order in which the first one wins.
        agent: its User-Agent.
        style: its DHCP client.
        source: kernel arguments that name the install source.
        further: documents fetched beside the first, whatever it says.
        live: kernel arguments whose files its live system cannot do without.
    """

    name: str
    arguments: tuple[str, ...]
    agent: str
    style: ClientStyle
    source: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    live: tuple[str, ...] = ()


_SEED: Final = re.compile(r"nocloud(?:-net)?;s=(http.*/)")
"""NoCloud's argument ``ds=``; its documents are below the URL (cloud-init, NoCloud data source)."""

FAMILIES: Final = (
    Family("alpine", ("provd.install",), "Wget", DUID_CLIENT, ("alpine_repo",), ("answers",), ("apkovl",)),
    # the first, because its url= names the image and not an answer file
    Family("autoinstall", ("ds",), "Cloud-Init/24.1", DUID_CLIENT, ("url",), ("meta-data", "vendor-data")),
    Family("preseed", ("url", "preseed/url"), "debian-installer", DEBIAN_INSTALLER, ("mirror/http/hostname",)),
    Family("kickstart", ("inst.ks", "ks"), "anaconda/34", DUID_CLIENT, ("inst.repo", "method")),
    Family("ignition", ("ignition.config.url",), "Ignition/2.22.0", DUID_CLIENT, ("coreos.live.rootfs_url",)),
    Family("agama", ("inst.auto",), "agama/17", DUID_CLIENT, ("inst.install_url",)),
    Family("autoyast", ("autoyast",), "linuxrc/7.0", DUID_CLIENT, ("install",)),
    Family("deployer", ("provd.answers", "provd.answer", "provd.url"), "provd-deployer", DEPLOYER, ("provd.image",)),
)


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installer did.

    Attributes:
        family: name of its family.
        bound: its own DHCP round.
        arguments: kernel arguments as Linux splits them.
        source: where packages come from, as the command line says.
        answer_url: where the answer file was fetched.
        documents: text of every answer file by name, the first is the one on the command line.
        answer_headers: of the response.
        callback: base of the callbacks, empty where none is named.
        reported: status of each report, by name.
        live: files of its live system by the kernel argument that names them.
    """

    family: str
    bound: Bound
    arguments: tuple[str, ...]
    source: str = ""
    answer_url: str = ""
    documents: Mapping[str, str] = field(default_factory=dict)
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    callback: str = ""
    reported: Mapping[str, int] = field(default_factory=dict)
    live: Mapping[str, bytes] = field(default_factory=dict)


def install(
    machine: Machine, command_line: str, xid: int, *, reports: tuple[str, ...] = ("started", "progress", "finished")
) -> Stage[Installed]:
    """Everything an installer asks of provd, without the installing.

    Args:
        machine: whose it is.
        command_line: of its kernel.
        xid: of its DHCP round.
        reports: callbacks to post, in order.

    Raises:
        BootError: no address, no answer file, or a report that was refused.
    """
    words = kernel_words(command_line)
    given = dict(word.split("=", 1) for word in words if "=" in word)
    family, url = _family(given)
    bound = yield from dora(family.style, machine, xid)
    live: dict[str, bytes] = {}
    for name in family.live:
        file = yield from _document(given.get(name, ""), family, bound, "live system")
        live[name] = file.body
    answer = yield from _document(url, family, bound)
    documents = {url.rpartition("/")[2]: answer.body.decode("utf-8", "replace")}
    base = "/".join(url.split("/", 3)[:3])
    named = _DOCUMENT.findall(documents[url.rpartition("/")[2]])
    for name in dict.fromkeys((*family.further, *named)):
        if name not in documents:
            further = yield from _document(f"{url.rpartition('/')[0]}/{name}", family, bound)
            documents[name] = further.body.decode("utf-8", "replace")
    path = next(iter(_CALLBACK.findall("\n".join((*documents.values(), command_line)))), "")
    callback = base + path if path else ""
    reported = yield from _report(callback, reports if path else (), bound)
    source = next((given[name] for name in family.source if name in given), "")
    return Installed(family.name, bound, words, source, url, documents, answer.headers, callback, reported, live)


def _document(url: str, family: Family, bound: Bound, what: str = "answer file") -> Stage[Fetched]:
    found: Fetched = yield HttpSend(url, headers={"User-Agent": family.agent}, source=bound.address)
    if not found.ok:
        raise BootError(what, f"{family.name}: status {found.status} {found.error}".rstrip())
    return found


def _report(callback: str, reports: tuple[str, ...], bound: Bound) -> Stage[dict[str, int]]:
    reported: dict[str, int] = {}
    for name in reports:
        body = b"percent=50 text=unpacking" if name == "progress" else b""
        sent: Fetched = yield HttpSend(f"{callback}/{name}", "POST", {}, body, source=bound.address)
        reported[name] = sent.status
        if not sent.ok:
            raise BootError("callback", f"{name}: status {sent.status} {sent.error}".rstrip())
    return reported


def _family(given: Mapping[str, str]) -> tuple[Family, str]:
    for family in FAMILIES:
        for name in family.arguments:
            if seed := _SEED.fullmatch(given.get(name, "")):
                return family, f"{seed[1]}user-data"
            if given.get(name, "").startswith("http"):
                return family, given[name]
    for name, value in given.items():
        # A family that a plugin brings: whatever argument names an answer file of ours.
        if value.startswith("http") and _DOCUMENT.search(value):
            return Family(name, (name,), "installer", DUID_CLIENT), value
    raise BootError("installer", "the command line names no answer file")
