"""``provd mirror status``, ``check``, ``prefetch``, ``prefetched``, ``cancel`` and ``purge``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from provd.plugin.api import Operation, Runtime, Settings

from .order import Order
from .prefetch import Prefetch
from .service import MirrorService

_LONGEST_WAIT_S = 20.0
_STATE = "The phase (indexes, files, done or stopped), files and octets in all, there and failed, the first failures."


class NoArguments(Settings, frozen=True):
    """None."""


class StatusArguments(Settings, frozen=True):
    """``name``: one mirror, or empty for all."""

    name: Annotated[str, Meta(description="Only this mirror; empty for all.")] = ""


class PrefetchArguments(Order, frozen=True, kw_only=True):
    """``name``: a mirror; then what to fetch; ``wait``: answer when all is there."""

    name: Annotated[str, Meta(description="The mirror.")]
    wait: Annotated[bool, Meta(description="Answer when all is there, or after 20 s, not at once.")] = False
    dry_run: Annotated[
        bool, Meta(description="Tell how much it is, and fetch nothing but the indexes that tell it.")
    ] = False


class NameArguments(Settings, frozen=True):
    """``name``: a mirror."""

    name: Annotated[str, Meta(description="The mirror.")]


class CancelArguments(NameArguments, frozen=True):
    """``name``: a mirror."""

    dry_run: Annotated[bool, Meta(description="Tell what would be done, and do nothing.")] = False


class PurgeArguments(Settings, frozen=True):
    """``name``: a mirror; ``path``: what goes."""

    name: Annotated[str, Meta(description="The mirror.")]
    path: Annotated[str, Meta(description="Only this file or directory below the mirror; empty for all.")] = ""
    dry_run: Annotated[bool, Meta(description="Tell what would be done, and do nothing.")] = False


class MirrorOperations:
    """The operations around the mirrors by name."""

    def __init__(self, mirrors: Mapping[str, MirrorService]) -> None:
        self.runtime: Runtime | None = None
        self._mirrors = mirrors

    def operations(self) -> list[Operation]:
        """``mirror.status``, ``mirror.check``, ``mirror.prefetch`` and what goes with it, and ``mirror.purge``."""
        return [
            Operation(
                name="mirror.status",
                summary="Show what the package mirrors hold and how often they helped.",
                permission="read",
                arguments=StatusArguments,
                run=self.status,
                example="provd mirror status",
                result="One row per mirror.",
            ),
            Operation(
                name="mirror.check",
                summary="Ask the upstreams of the package mirrors in use whether they answer.",
                permission="read",
                arguments=NoArguments,
                run=self.check,
                example="provd mirror check",
                result="One row per upstream that does not answer: `level`, `text`, `advice`; none where all do.",
            ),
            Operation(
                name="mirror.prefetch",
                summary="Fetch files, suites or repositories into a package mirror before machines ask for them.",
                permission="operate",
                arguments=PrefetchArguments,
                run=self.prefetch,
                example="provd mirror prefetch debian --suites bookworm --dry-run",
                result=_STATE,
            ),
            Operation(
                name="mirror.prefetched",
                summary="Show how far the newest prefetch of a mirror is.",
                permission="read",
                arguments=NameArguments,
                run=self.prefetched,
                example="provd mirror prefetched debian",
                result=_STATE,
            ),
            Operation(
                name="mirror.cancel",
                summary="Stop the prefetch of a mirror; what is there stays.",
                permission="operate",
                arguments=CancelArguments,
                run=self.cancel,
                example="provd mirror cancel debian",
                result=_STATE,
            ),
            Operation(
                name="mirror.purge",
                summary="Remove files from a package mirror.",
                permission="operate",
                arguments=PurgeArguments,
                run=self.purge,
                example="provd mirror purge debian --path dists/bookworm",
                result="How many files and octets were removed.",
            ),
        ]

    async def status(self, arguments: StatusArguments) -> list[dict[str, object]]:
        """One row per mirror.

        Raises:
            ValueError: there is no mirror of this name.
        """
        if arguments.name:
            self._named(arguments.name)
        if self.runtime is None:
            return []
        wanted = [one for name, one in self._mirrors.items() if arguments.name in {"", name}]
        return [await one.status(self.runtime) for one in wanted]

    async def check(self, _arguments: NoArguments) -> list[dict[str, object]]:
        """One row per upstream that does not answer, as ``provd doctor`` shows them."""
        if self.runtime is None:
            return []
        return [row for mirror in self._mirrors.values() for row in await mirror.check(self.runtime)]

    async def prefetch(self, arguments: PrefetchArguments) -> dict[str, object]:
        """How far it is; with ``wait`` at the end of it, or after 20 s, for clients wait 30 s.

        Raises:
            ValueError: there is no such mirror, it is offline, or it prefetches already; or nothing can be meant.
        """
        mirror = self._named(arguments.name)
        if self.runtime is None:
            raise ValueError("the mirrors are not started")
        begun = mirror.prefetches.begin(self.runtime, arguments, dry_run=arguments.dry_run)
        if arguments.wait or arguments.dry_run:
            await begun.wait(_LONGEST_WAIT_S)
        return {"name": mirror.name, **begun.state()}

    async def prefetched(self, arguments: NameArguments) -> dict[str, object]:
        """The newest prefetch.

        Raises:
            ValueError: there is no such mirror, or nothing was prefetched since provd started.
        """
        return {"name": arguments.name, **self._newest(arguments.name).state()}

    async def cancel(self, arguments: CancelArguments) -> dict[str, object]:
        """Stop the newest prefetch.

        Raises:
            ValueError: there is no such mirror, or nothing was prefetched since provd started.
        """
        newest = self._newest(arguments.name)
        if not arguments.dry_run:
            newest.close()
        return {"name": arguments.name, **newest.state()}

    def _newest(self, name: str) -> Prefetch:
        newest = self._named(name).prefetches.newest
        if newest is None:
            raise ValueError(f"mirror {name}: nothing was prefetched since provd started")
        return newest

    async def purge(self, arguments: PurgeArguments) -> dict[str, object]:
        """How much was removed.

        Raises:
            ValueError: there is no such mirror.
        """
        mirror = self._named(arguments.name)
        if self.runtime is None:
            raise ValueError("the mirrors are not started")
        files, octets = await mirror.purge(self.runtime, arguments.path.strip("/"), dry_run=arguments.dry_run)
        return {"name": mirror.name, "files": files, "bytes": octets}

    def _named(self, name: str) -> MirrorService:
        mirror = self._mirrors.get(name)
        if mirror is None:
            raise ValueError(unknown(name))
        return mirror


def unknown(name: str) -> str:
    """What to say of a mirror that is not configured."""
    return f"there is no mirror {name!r}: set plugins.source_mirror.mirrors.{name}.upstream"
