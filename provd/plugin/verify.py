"""Checks of a built plugin object against the hook specifications, before anything is called.

pluggy accepts a misspelt hook, an impossible annotation, a coroutine and a wrapper in silence; each of them stops the
start here with a sentence.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping

from provd.plugin.errors import PluginError
from provd.plugin.near import did_you_mean
from provd.plugin.specs import PROJECT, SPECS

_MARK = f"{PROJECT}_impl"
_REORDERING = ("wrapper", "hookwrapper", "tryfirst", "trylast", "optionalhook")


def specifications() -> Mapping[str, Callable[..., object]]:
    """Every hook by name, in the order of the specification file."""
    return {
        name: function
        for spec in SPECS
        for name, function in vars(spec).items()
        if callable(function) and name.startswith(f"{PROJECT}_")
    }


def verify(plugin: str, instance: object) -> tuple[str, ...]:
    """Check every hook implementation of a plugin object.

    Args:
        plugin: plugin name, for the error sentence.
        instance: what ``Plugin.build`` returned.

    Returns:
        Names of the hooks it implements.

    Raises:
        PluginError: misspelt or undecorated hook, coroutine, wrapper, reordering, unknown argument, or an annotation
            that contradicts the specification.
    """
    specs = specifications()
    found = []
    for name, method in _methods(plugin, instance):
        marked = getattr(method, _MARK, None)
        if marked is None:
            if name.startswith(f"{PROJECT}_"):
                raise PluginError(plugin, f"{name} has no @hookimpl, so it would never be called")
            continue
        hook = marked.get("specname") or name
        if hook not in specs:
            hint = did_you_mean(hook, specs, f"; the hooks are {', '.join(specs)}")
            raise PluginError(plugin, f"there is no hook {hook}{hint}")
        _check_kind(plugin, hook, method, marked)
        _check_arguments(plugin, hook, method, specs[hook])
        _check_annotations(plugin, hook, method, specs[hook])
        found.append(hook)
    if not found:
        raise PluginError(plugin, "what its build returns implements no hook; mark its methods with @hookimpl")
    return tuple(found)


def _methods(plugin: str, instance: object) -> Iterator[tuple[str, Callable[..., object]]]:
    for name in dir(instance):
        if name.startswith("__"):
            continue
        try:
            value = getattr(instance, name)
        except Exception as error:
            raise PluginError(plugin, f"reading its attribute {name} failed: {type(error).__name__}") from error
        if inspect.isroutine(value):
            yield name, value


def _check_kind(plugin: str, hook: str, method: Callable[..., object], marked: Mapping[str, object]) -> None:
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        raise PluginError(
            plugin, f"{hook} is a coroutine function; hooks are synchronous, return a value that is awaited later"
        )
    used = [option for option in _REORDERING if marked.get(option)]
    if used:
        raise PluginError(plugin, f"{hook} uses {used[0]}; the configured order is the call order, without exceptions")


def _check_arguments(plugin: str, hook: str, method: Callable[..., object], spec: Callable[..., object]) -> None:
    allowed = list(inspect.signature(spec).parameters)[1:]
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty:
            raise PluginError(plugin, f"{hook}: argument {name} must be a plain one without a default")
        if name not in allowed:
            hint = did_you_mean(name, allowed)
            known = ", ".join(allowed) or "none"
            raise PluginError(plugin, f"{hook} has no argument {name}{hint} (its arguments: {known})")


def _check_annotations(plugin: str, hook: str, method: Callable[..., object], spec: Callable[..., object]) -> None:
    expected = typing.get_type_hints(spec)
    try:
        given = typing.get_type_hints(method)
    except Exception as error:
        raise PluginError(plugin, f"{hook}: its annotations cannot be read: {error}") from error
    for name, annotation in given.items():
        if name == "return":
            if not fits(annotation, expected["return"]):
                raise PluginError(
                    plugin, f"{hook} is annotated to return {_show(annotation)}, expected {_show(expected['return'])}"
                )
        elif name in expected and not fits(expected[name], annotation):
            raise PluginError(
                plugin, f"{hook}: argument {name} is annotated {_show(annotation)}, it is {_show(expected[name])}"
            )


def fits(narrow: object, wide: object) -> bool:
    """Whether every value of the annotation ``narrow`` is one of the annotation ``wide``."""
    if narrow == wide or wide in {object, typing.Any} or narrow is typing.Any:
        return True
    if _is_union(narrow):
        return all(fits(member, wide) for member in typing.get_args(narrow))
    if _is_union(wide):
        return any(fits(narrow, member) for member in typing.get_args(wide))
    narrow_type, wide_type = typing.get_origin(narrow) or narrow, typing.get_origin(wide) or wide
    if not (isinstance(narrow_type, type) and isinstance(wide_type, type) and issubclass(narrow_type, wide_type)):
        return False
    return _arguments_fit(narrow, narrow_type, wide)


def _arguments_fit(narrow: object, narrow_type: type, wide: object) -> bool:
    wanted = typing.get_args(wide)
    if not wanted:
        return True
    given = tuple(argument for argument in typing.get_args(narrow) if argument is not Ellipsis)
    if not given:
        return narrow_type is not str
    if issubclass(narrow_type, collections.abc.Generator):
        given = given[:1]
    if len(wanted) == 1:
        return all(fits(argument, wanted[0]) for argument in given)
    return len(given) == len(wanted) and all(map(fits, given, wanted))


def _is_union(annotation: object) -> bool:
    return typing.get_origin(annotation) in {typing.Union, types.UnionType}


def _show(annotation: object) -> str:
    if annotation is type(None):
        return "None"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
