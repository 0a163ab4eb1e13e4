"""One session with a board that speaks Redfish, as a program; see ``session.py``."""

from __future__ import annotations

import json
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sushy import BootSource, BootSourceOverrideEnabled, ResetType, Sushy, auth, exceptions

_RESETS = {"off": ResetType.FORCE_OFF, "shutdown": ResetType.GRACEFUL_SHUTDOWN}
_RESTARTS = (ResetType.FORCE_RESTART, ResetType.POWER_CYCLE)
_SWITCHING_OFF_S = 20.0
_UNTRUSTED = "its certificate is not good for this address: set ca_file, or verify = false"


class RefusedError(Exception):
    """The board has not what was asked for."""


def answer(asked: dict[str, Any]) -> dict[str, str]:
    """What came of a request."""
    if fault := unusable(asked["ca_file"]):
        return {"kind": "unreachable", "text": fault}
    # A board has few sessions: what is opened is closed, whatever comes of it.
    session = auth.SessionOrBasicAuth(asked["user"], asked["password"])
    try:
        with closed_after(session):
            system = system_of(board_of(asked, session), asked["system"])
            return {"kind": "done", "text": switched(system, asked["action"])}
    except exceptions.AccessError:
        return {"kind": "login"}
    except exceptions.ConnectionError as error:
        return unreachable(str(error))
    except (exceptions.SushyError, RefusedError) as error:
        return {"kind": "refused", "text": str(error)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"kind": "refused", "text": "it answers something else than Redfish"}


def board_of(asked: dict[str, Any], session: Any) -> Any:
    """The service root, logged in."""
    paths = ssl.get_default_verify_paths()
    trusted = asked["ca_file"] or paths.cafile or paths.capath or True
    # One attempt for each request: whoever asked may ask again.
    return Sushy(
        asked["url"],
        auth=session,
        verify=trusted if asked["verify"] else False,
        server_side_retries=1,
        server_side_retries_delay=1,
        read_timeout=asked["timeout_s"],
        connect_timeout=min(asked["timeout_s"], 5.0),
    )


@contextmanager
def closed_after(session: Any) -> Iterator[None]:
    """Close the session; where that fails, what was done is done: told as a failure, it would be done again."""
    try:
        yield
    finally:
        with suppress(exceptions.SushyError):
            session.close()


def unusable(ca_file: str) -> str:
    """Why the authorities cannot be read, or empty; the libraries say so of the connection, or not at all."""
    try:
        if ca_file and not Path(ca_file).is_dir():
            ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        return f"ca_file {ca_file} cannot be used: {error.strerror or error}"
    return ""


def system_of(board: Any, wanted: str) -> Any:
    """The computer system that is meant."""
    paths = list(board.get_system_collection().members_identities)
    fitting = [path for path in paths if wanted in {"", path, last(path)}]
    if len(fitting) == 1:
        return board.get_system(fitting[0])
    there = ", ".join(map(last, paths)) or "none"
    raise RefusedError(f"it has not exactly one system{f' {wanted}' if wanted else ''}; it has {there}")


def last(path: str) -> str:
    """What a resource is called where nobody says its path."""
    return path.rstrip("/").rpartition("/")[2]


def switched(system: Any, action: str) -> str:
    """Do it; a few words, or the state."""
    state = str(system.power_state.value).lower() if system.power_state else "unknown"
    if action == "status":
        return state if state in {"on", "off"} else "unknown"
    if action == "pxe":
        system.set_system_boot_options(target=BootSource.PXE, enabled=BootSourceOverrideEnabled.ONCE)
        return "the next boot is from the network"
    if (action, state) in {("on", "on"), ("off", "off"), ("shutdown", "off")}:
        return f"it is {state} already"
    kinds = resets(action, state, system.get_allowed_reset_system_values())
    for kind in kinds:
        if kind is not kinds[0]:
            wait_until_off(system)
        system.reset_system(kind)
    return f"it was {state} and was told {' and '.join(kind.value for kind in kinds)}"


def resets(action: str, state: str, known: Any) -> tuple[ResetType, ...]:
    """What the board is told, one after the other; boards of iDRAC 8 and others know no ForceRestart."""
    on = ResetType.ON if ResetType.ON in known or ResetType.FORCE_ON not in known else ResetType.FORCE_ON
    if action == "on" or (action == "cycle" and state == "off"):
        return (on,)
    if action != "cycle":
        return (_RESETS[action],)
    restart = next((kind for kind in _RESTARTS if kind in known), None)
    return (restart,) if restart else (ResetType.FORCE_OFF, on)


def wait_until_off(system: Any) -> None:
    """Until the board says so: told to switch on before, it would do nothing."""
    until = time.monotonic() + _SWITCHING_OFF_S
    while True:
        system.refresh(force=True)
        if str(getattr(system.power_state, "value", "")).lower() == "off":
            return
        if time.monotonic() > until:
            raise RefusedError(f"it was told ForceOff and is not off after {_SWITCHING_OFF_S:g} s")
        time.sleep(1.0)


def unreachable(text: str) -> dict[str, str]:
    """Why there was no connection, in words."""
    if "certificate verify failed" in text.lower().replace("_", " "):
        return {"kind": "unreachable", "text": _UNTRUSTED}
    if "failed to resolve" in text.lower():
        return {"kind": "unreachable", "text": "its name cannot be resolved"}
    if "timed out" in text:
        return {"kind": "silent"}
    return {"kind": "unreachable", "text": "it cannot be reached"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))))
