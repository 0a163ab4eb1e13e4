"""What the log says of a call to a plugin: which machine, which request, which error."""

from __future__ import annotations

import traceback

from provd.model.boot import BootPlan
from provd.model.client import ClientFacts
from provd.model.content import FileRequest
from provd.model.dhcp import DhcpRequest
from provd.model.event import Event
from provd.model.system import System
from provd.plugin.contract import Change
from provd.plugin.contract_install import CallbackCall
from provd.plugin.scrub import scrub


def whose(args: tuple[object, ...]) -> str:
    """Hardware address, address or session id of the machine that a call is about; empty where it is about none."""
    for arg in args:
        match arg:
            case DhcpRequest():
                return str(arg.client.mac)
            case FileRequest() | CallbackCall():
                return arg.peer
            case BootPlan():
                return arg.session or str(arg.client.mac)
            case ClientFacts():
                return str(arg.mac)
            case Event():
                return arg.session
            case _:
                continue
    return ""


def describe(args: tuple[object, ...]) -> str:
    """The id of a request for the log: transaction, session, path or event; never a token."""
    about = "registration"
    for arg in args:
        match arg:
            case DhcpRequest():
                about = f"DHCP xid {arg.packet.xid:08x} from {arg.client.mac}"
            case FileRequest():
                about = f"{arg.protocol.upper()} {arg.path} from {arg.peer}"
            case BootPlan():
                about = f"session {arg.session or '(none)'} of {arg.client.mac}"
            case CallbackCall():
                about = f"callback {arg.name} from {arg.peer}"
            case Event():
                about = f"event {arg.kind} {arg.session}".rstrip()
            case Change():
                about = f"{arg.kind} {arg.name}"
            case ClientFacts():
                about = f"client {arg.mac}"
            case System():
                about = f"system {arg.name}"
            case _:
                continue
        break
    return scrub(about)


def text_of(error: BaseException) -> str:
    """``str(error)``, even where the exception's own ``__str__`` fails."""
    try:
        return str(error)[:500]
    except Exception:  # noqa: BLE001  a hostile __str__ is one more fault to contain
        return "(no text)"


def trace_of(error: BaseException) -> str:
    """Where it was raised: file, line and function of each frame, without values."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
