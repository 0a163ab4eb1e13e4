"""Methods on autoinstall templates and snippets: one set here, the site's templates, which are Jinja."""

from __future__ import annotations

from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.registry import Registry
from provd.service.operations import ANONYMOUS_READ, OperationError


async def names(call: Call, token: str = "") -> object:
    """Names of the site's templates."""
    del token
    return [row["name"] for row in await call.ask("template.list")]


async def read_file(call: Call, file_path: str, token: str) -> object:
    """Content of a template.

    Raises:
        CobblerError: there is none of this name.
    """
    del token
    try:
        return (await call.ask("template.show", name=file_path))["content"]
    except OperationError as error:
        raise CobblerError(f"no template has the name {file_path[:100]!r}") from error


async def write_file(call: Call, file_path: str, data: str, token: str) -> object:
    """Add or change a template; what is no Jinja, and a name with a way out of the folder, is refused."""
    del token
    there = await call.has("template", file_path)
    await call.ask("template.edit" if there else "template.add", name=file_path, content=data)
    return True


async def remove_file(call: Call, file_path: str, token: str) -> object:
    """Remove a template that nothing uses."""
    del token
    if not await call.has("template", file_path):
        raise CobblerError(f"no template has the name {file_path[:100]!r}")
    await call.ask("template.remove", name=file_path)
    return True


async def in_use(call: Call, ai: str, token: str) -> object:
    """Whether a distro, profile, system or another template names it."""
    del token
    if not await call.has("template", ai):
        return False
    try:
        # What could not be removed is used.
        await call.bridge.table.call("template.remove", {"name": ai, "dry_run": True}, caller=call.caller)
    except OperationError as error:
        if "is used by" in str(error):
            return True
        raise
    return False


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    one_set = "templates and snippets are one set, and Jinja"
    for what in ("template", "snippet"):
        methods.add(f"get_autoinstall_{what}s", ANONYMOUS_READ, names, differs=one_set)
        methods.add(f"read_autoinstall_{what}", "read", read_file, differs=one_set)
        methods.add(f"write_autoinstall_{what}", "admin", write_file, differs=one_set)
        methods.add(f"remove_autoinstall_{what}", "admin", remove_file, differs=one_set)
    methods.add("is_autoinstall_in_use", "admin", in_use, differs="of an answer file that a template is part of, too")
