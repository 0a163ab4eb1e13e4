"""One session with a board that speaks IPMI, as a program; see ``session.py``."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_LOGIN = ("password", "user", "privilege", "rakp", "hmac")
_SILENT = ("timeout", "no answer", "no longer connected")


def answer(asked: dict[str, Any]) -> dict[str, str]:
    """What came of a request."""
    from pyghmi import exceptions
    from pyghmi.ipmi.command import Command

    try:
        board = Command(
            asked["address"], asked["user"], asked["password"], port=asked["port"], privlevel=asked["level"]
        )
        return {"kind": "done", "text": switched(board, asked)}
    except exceptions.IpmiException as error:
        text = str(error)
        kinds = (("silent", _SILENT), ("login", _LOGIN))
        kind = next((kind for kind, words in kinds if any(word in text.lower() for word in words)), "refused")
        # A session that never began has no text.
        kind = "silent" if text in {"", "None"} else kind
        return {"kind": kind, "text": text}
    except OSError as error:
        return {"kind": "silent", "text": str(error)}


def switched(board: Any, asked: dict[str, Any]) -> str:
    """Do it; a few words, or the state."""
    action, state = asked["action"], str(board.get_power().get("powerstate", "unknown"))
    if action == "status":
        return state
    if action == "pxe":
        board.set_bootdev("network", persist=False, uefiboot=asked["uefi"])
        return "the next boot is from the network"
    if (action, state) in {("on", "on"), ("off", "off"), ("shutdown", "off")}:
        return f"it is {state} already"
    wanted = action if action != "cycle" else ("reset" if state == "on" else "on")
    board.set_power(wanted)
    return f"it was {state} and was told {wanted}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))))
    sys.stdout.flush()
    # The library's threads would keep the process for a while.
    os._exit(0)
