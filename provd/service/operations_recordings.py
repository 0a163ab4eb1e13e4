"""Operations around recordings: begin one, look at it, take it away."""

from __future__ import annotations

from base64 import b64encode
from importlib import metadata
from typing import Annotated

from msgspec import Meta

from provd.model.mac import Mac
from provd.plugin.contract import Operation
from provd.service.operations import Arguments, OperationError
from provd.service.recorder import Recorder, Recording
from provd.service.system_lookup import NamedSystems
from provd.wire.pcapng import encode


class BeginRecording(Arguments, frozen=True):
    """Whose packets: a system's name or a MAC."""

    system: str
    seconds: Annotated[int, Meta(description="Record no longer than this.", ge=1, le=86400)] = 3600


class NamedRecording(Arguments, frozen=True):
    """Which recording."""

    name: Annotated[str, Meta(description="Its id, as recording.begin told it.")]


class RecordingOperations:
    """``recording.begin``, ``recording.show`` and ``recording.end``.

    Args:
        recorder: keeps the packets.
        systems: the systems service.
    """

    def __init__(self, recorder: Recorder, systems: NamedSystems) -> None:
        self._recorder, self._systems = recorder, systems

    def operations(self) -> tuple[Operation, ...]:
        """All three."""
        return (
            Operation(
                "recording.begin", "Begin to keep a machine's DHCP packets and TFTP requests.", "operate",
                BeginRecording, self._begin, "provd recording begin web1", result="`name`: its id; `macs`.",
            ),
            Operation(
                "recording.show", "Tell how far a recording is.", "read", NamedRecording, self._show,
                "provd recording show 0123456789ab",
                result="`packets`, `over` (the boot has ended), `full` (packets were left out).",
            ),
            Operation(
                "recording.end", "End a recording and give what was kept.", "operate", NamedRecording, self._end,
                "provd recording end 0123456789ab",
                result="As recording.show, and `pcapng`: the file in Base64.",
            ),
        )  # fmt: skip

    def _begin(self, arguments: BeginRecording) -> object:
        system = self._systems.get(arguments.system)
        if system is not None:
            macs = [card.mac.octets for card in system.interfaces]
        else:
            try:
                macs = [Mac.parse(arguments.system).octets]
            except ValueError:
                sentence = f"{arguments.system!r} is no system and no MAC"
                raise OperationError(sentence, field="system", kind="not-found") from None
        if not macs:
            raise OperationError(f"system {arguments.system} has no hardware address", field="system")
        return {"name": self._recorder.begin(macs, arguments.seconds), "macs": [one.hex(":") for one in macs]}

    def _show(self, arguments: NamedRecording) -> object:
        return _told(self._found(arguments, self._recorder.get(arguments.name)))

    def _end(self, arguments: NamedRecording) -> object:
        found = self._found(arguments, self._recorder.end(arguments.name))
        octets = encode(found.frames, f"provd {metadata.version('provd')}")
        return {**_told(found), "pcapng": b64encode(octets).decode()}

    def _found(self, arguments: NamedRecording, found: Recording | None) -> Recording:
        if found is None:
            sentence = f"there is no recording {arguments.name!r}, or newer ones took its place"
            raise OperationError(sentence, field="name", kind="not-found")
        return found


def _told(found: Recording) -> dict[str, object]:
    return {"packets": len(found.frames), "over": found.over, "full": found.full}
