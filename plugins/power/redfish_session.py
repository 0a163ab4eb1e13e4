"""One session with a board that speaks Redfish, as a program; see ``session.py``."""

from __future__ import annotations

import json
import ssl
import sys
from typing import Any

from sushy import BootSource, BootSourceOverrideEnabled, ResetType, Sushy, auth, exceptions

_RESETS = {"on": ResetType.ON, "off": ResetType.FORCE_OFF, "shutdown": ResetType.GRACEFUL_SHUTDOWN}
_UNTRUSTED = "its certificate is not good for this address: set ca_file, or verify = false"


class RefusedError(Exception):
    """The board has not what was asked for."""


def answer(asked: dict[str, Any]) -> dict[str, str]:
    """What came of a request."""
    # A board has few sessions: what is opened is closed, whatever comes of it.
    session = auth.SessionOrBasicAuth(asked["user"], asked["password"])
    try:
        with session:
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
    kind = _RESETS.get(action) or (ResetType.ON if state == "off" else ResetType.FORCE_RESTART)
    system.reset_system(kind)
    return f"it was {state} and was told {kind.value}"


def unreachable(text: str) -> dict[str, str]:
    """Why there was no connection, in words."""
    if "certificate verify failed" in text.lower().replace("_", " "):
        return {"kind": "unreachable", "text": _UNTRUSTED}
    if "timed out" in text:
        return {"kind": "silent"}
    return {"kind": "unreachable", "text": "it cannot be reached"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))))
