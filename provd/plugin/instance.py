"""A built plugin object with the uses that are still going on, so that it is closed after the last one."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from inspect import isawaitable
from typing import ParamSpec, TypeVar

from twisted.logger import Logger

from provd.model.content import AwaitedBody, Content, NotFound, StreamBody
from provd.plugin.guard import WrongValueError, discard
from provd.plugin.runtime import Runtime
from provd.plugin.validation import content as checked_content

P = ParamSpec("P")
T = TypeVar("T")


class Instance:
    """One object made by ``Plugin.build``.

    Attributes:
        plugin: plugin name.
        target: the object itself.
        hooks: names of the hooks it implements.
    """

    def __init__(self, plugin: str, target: object, hooks: tuple[str, ...]) -> None:
        self.plugin = plugin
        self.target = target
        self.hooks = hooks
        self._uses = 0
        self._retired = False
        self._closed = False
        self._log = Logger(namespace="provd.plugin")

    def start(self, runtime: Runtime) -> None:
        """Hand the runtime to an object that asks for it.

        Raises:
            TypeError: its ``start`` is a coroutine function.
        """
        start = getattr(self.target, "start", None)
        if callable(start) and isawaitable(result := start(runtime)):
            discard(result)
            raise TypeError("start is a coroutine function; it must only keep the runtime")

    def retire(self) -> None:
        """No new use begins; the object is closed when the last one ends, which may be now."""
        self._retired = True
        self._close_if_idle()

    def close(self) -> None:
        """Close the object now, whatever still uses it."""
        if self._closed:
            return
        self._closed = True
        close = getattr(self.target, "close", None)
        if callable(close):
            try:
                close()
            except Exception as error:  # noqa: BLE001  one plugin's close() must not keep the others open
                self._log.error(
                    "plugin {plugin}: close failed: {kind}: {error}",
                    plugin=self.plugin,
                    kind=type(error).__name__,
                    error=str(error),
                )

    def held(self, content: Content) -> Content:
        """The content; a stream keeps the object open until it has ended or nobody holds it any more."""
        if isinstance(content.body, StreamBody):
            return replace(content, body=StreamBody(_HeldStream(self, content.body.open)))
        if isinstance(content.body, AwaitedBody):
            return replace(content, body=AwaitedBody(self._answer_of(content.body)))
        return content

    def _answer_of(self, body: AwaitedBody) -> Callable[[], Awaitable[Content | NotFound]]:
        """What an awaited body comes to: checked like a hook's answer, and held like one."""

        async def answer() -> Content | NotFound:
            found = checked_content(await body.answer(), ())
            if isinstance(found, NotFound):
                return found
            if not isinstance(found, Content) or isinstance(found.body, AwaitedBody):
                raise WrongValueError(f"an AwaitedBody came to {type(found).__name__}, expected content or NotFound")
            return self.held(found)

        return self.in_use(answer)

    def in_use(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """The coroutine function, keeping the object open while one of its coroutines runs."""

        async def run(*args: P.args, **kwargs: P.kwargs) -> T:
            use = _Use(self)
            try:
                return await function(*args, **kwargs)
            finally:
                use.end()

        return run

    def maybe_in_use(self, function: Callable[..., object]) -> Callable[..., object]:
        """Like :meth:`in_use` for a function that may or may not return an awaitable."""

        async def wait(awaitable: Awaitable[object]) -> object:
            return await awaitable

        def run(*args: object, **kwargs: object) -> object:
            result = function(*args, **kwargs)
            return self.in_use(wait)(result) if isawaitable(result) else result

        return run

    def began(self) -> None:
        """A use began."""
        self._uses += 1

    def ended(self) -> None:
        """A use ended."""
        self._uses -= 1
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._retired and self._uses == 0:
            self.close()


class _Use:
    """One use of an instance; ends once, at the latest when it is garbage."""

    def __init__(self, instance: Instance) -> None:
        instance.began()
        self.end = weakref.finalize(self, instance.ended)
        self.end.atexit = False


class _HeldStream:
    """``StreamBody.open`` of a plugin; the running generators hold this object, and this object holds the use."""

    def __init__(self, instance: Instance, opener: Callable[[int, int], AsyncIterator[bytes]]) -> None:
        self._open = opener
        self._use = _Use(instance)

    async def __call__(self, start: int, stop: int) -> AsyncIterator[bytes]:
        stream = self._open(start, stop)
        try:
            async for chunk in stream:
                yield chunk
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
