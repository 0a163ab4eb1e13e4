"""One session with a board that speaks IPMI, as a program; see ``session.py``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from threading import Lock, Timer
from typing import Any

_LOGIN = ("password", "user", "privilege", "rakp", "hmac")
_SILENT = ("timeout", "no answer", "no longer connected")
_CLOSING_S = 1.0
"""Seconds that closing the session may take; the answer is said by then."""
_SAID = Lock()


def answer(asked: dict[str, Any], opened: Callable[[Any], None]) -> dict[str, str]:
    """What came of a request.

    Args:
        asked: the request.
        opened: told the board, once there is a session with it.
    """
    from pyghmi import exceptions
    from pyghmi.ipmi.command import Command

    try:
        board = Command(
            asked["address"], asked["user"], asked["password"], port=asked["port"], privlevel=asked["level"]
        )
        opened(board)
        return {"kind": "done", "text": switched(board, asked)}
    except exceptions.IpmiException as error:
        text = str(error)
        kinds = (("silent", _SILENT), ("login", _LOGIN))
        kind = next((kind for kind, words in kinds if any(word in text.lower() for word in words)), "refused")
        # A session that never began has no text.
        kind = "silent" if text in {"", "None"} else kind
        return {"kind": kind, "text": text}
    except OSError as error:
        if (error.errno or 0) < 0:  # as getaddrinfo(3) numbers what is wrong with a name
            return {"kind": "unreachable", "text": "its name cannot be resolved"}
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


def late() -> dict[str, str]:
    """What there is to say when the time is over: the library would go on asking.

    A board that does not know a user may drop his RAKP message 1 (IPMI 2.0 section 13.20) and say nothing.
    """
    from pyghmi.ipmi.private.session import Session

    opened = [one for one in list(Session.initting_sessions.values()) if getattr(one, "pendingsessionid", 0)]
    return {"kind": "mute" if opened else "silent"}


def say(told: dict[str, str], end: Callable[[], None] = lambda: None) -> None:
    """Tell the first answer, and end.

    Args:
        told: the answer.
        end: what is done after it, for a short while.
    """
    _SAID.acquire()
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    timer = Timer(_CLOSING_S, os._exit, (0,))
    timer.daemon = True
    timer.start()
    try:
        end()
    finally:
        # The library's threads would keep the process for a while.
        os._exit(0)


def main() -> None:
    """One request."""
    asked = json.load(sys.stdin)
    timer = Timer(asked["timeout_s"], lambda: say(late()))
    timer.daemon = True
    timer.start()
    boards: list[Any] = []
    told = answer(asked, boards.append)
    # A board has few sessions, and keeps one that nobody closes for a minute (IPMI 2.0 section 22.19).
    say(told, lambda: boards[0].ipmi_session.logout() if boards else None)


if __name__ == "__main__":
    main()
