"""Redfish (DMTF DSP0266) by the library sushy: session, power and boot override of one computer system."""

from __future__ import annotations

from json import JSONDecodeError
from pathlib import Path
from typing import Any

from provd.plugin.api import Settings

from .credentials import Login, host_of

_MOST_TEXT = 300


class RedfishTable(Settings, frozen=True):
    """``[power]`` of a board with Redfish.

    Attributes:
        address: ``HOST``, ``HOST:PORT`` or ``https://HOST[:PORT]``.
        user: who logs in; empty for the user of all boards.
        password: likewise.
        system: ``Id`` or path of the computer system, where the board has several.
        verify: whether its certificate must be good.
        ca_file: PEM file of the authorities that are trusted, empty for those of this machine.
        timeout_s: seconds for each request.
    """

    address: str
    user: str = ""
    password: str = ""
    system: str = ""
    verify: bool = True
    ca_file: str = ""
    timeout_s: float = 15.0

    def __post_init__(self) -> None:
        host_of(self.address)
        if not 0 < self.timeout_s <= 60:
            raise ValueError("timeout_s must be above 0 and at most 60")
        if self.ca_file and not (self.verify and Path(self.ca_file).is_absolute()):
            raise ValueError("ca_file must be an absolute path, and goes with verify = true")


def url_of(address: str) -> str:
    """The board's URL."""
    bare = address.removeprefix("https://").rstrip("/")
    return f"https://[{bare}]" if host_of(address) == bare and ":" in bare else f"https://{bare}"


def switch(table: RedfishTable, login: Login, action: str) -> str:
    """Do it; blocks.

    Raises:
        ConnectionError: the board cannot be reached, or its certificate is not good.
        ValueError: it refused.
    """
    from sushy import auth, exceptions

    # A board has few sessions: what is opened is closed, whatever comes of it.
    session = auth.SessionOrBasicAuth(login.user, login.password)
    try:
        with session:
            return _switched(_system(_board(table, session), table.system), action)
    except exceptions.AccessError as error:
        raise ValueError(f"{table.address} refuses the login of {login.user}, or what it may do") from error
    except exceptions.ConnectionError as error:
        raise ConnectionError(f"{table.address}: {_why(str(error))}") from error
    except exceptions.SushyError as error:
        raise ValueError(f"{table.address} refused: {_line(str(error))}") from error
    except (JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{table.address} answers something else than Redfish") from error


def _board(table: RedfishTable, session: Any) -> Any:
    import sushy

    # One attempt for each request: whoever asked may ask again, and a thread is not held meanwhile.
    return sushy.Sushy(
        url_of(table.address),
        auth=session,
        verify=(table.ca_file or True) if table.verify else False,
        server_side_retries=1,
        server_side_retries_delay=1,
        read_timeout=table.timeout_s,
        connect_timeout=min(table.timeout_s, 5.0),
    )


def _system(board: Any, wanted: str) -> Any:
    paths = list(board.get_system_collection().members_identities)
    fitting = [path for path in paths if wanted in {"", path, path.rstrip("/").rpartition("/")[2]}]
    if len(fitting) == 1:
        return board.get_system(fitting[0])
    there = ", ".join(path.rstrip("/").rpartition("/")[2] for path in paths) or "none"
    raise ValueError(f"the board has not exactly one system{f' {wanted}' if wanted else ''}; it has {_line(there)}")


def _switched(system: Any, action: str) -> str:
    import sushy

    state = str(system.power_state.value).lower() if system.power_state else "unknown"
    if action == "status":
        return state if state in {"on", "off"} else "unknown"
    if action == "pxe":
        once = sushy.BootSourceOverrideEnabled.ONCE
        system.set_system_boot_options(target=sushy.BootSource.PXE, enabled=once)
        return "the next boot is from the network"
    if (action, state) in {("on", "on"), ("off", "off"), ("shutdown", "off")}:
        return f"it is {state} already"
    kinds = {"on": sushy.ResetType.ON, "off": sushy.ResetType.FORCE_OFF, "shutdown": sushy.ResetType.GRACEFUL_SHUTDOWN}
    kind = kinds.get(action) or (sushy.ResetType.FORCE_RESTART if state != "off" else sushy.ResetType.ON)
    system.reset_system(kind)
    return f"it was {state} and was told {kind.value}"


def _why(text: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return "its certificate is not good for this address: set ca_file, or verify = false"
    if "timed out" in text:
        return "it does not answer"
    return "it cannot be reached" if "refused" in text or "Errno" in text else _line(text)


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)[:_MOST_TEXT]
