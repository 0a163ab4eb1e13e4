"""Methods that do something: synchronising (nothing to do), checks, background tasks, calls of machines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.fields import FieldError
from provd.api.cobbler.registry import Registry
from provd.service.operations import ANONYMOUS_READ, OperationError

_SYNC: Final = "provd writes no files for other services, so there was nothing to synchronise."


async def sync(_call: Call, token: str) -> object:
    """Nothing: what is asked for is rendered when it is asked for."""
    del token
    return True


async def check(call: Call, token: str) -> object:
    """What is wrong in the running service, one sentence each."""
    del token
    told = await call.ask("check")
    rows = told.get("problems", told) if isinstance(told, dict) else told
    return [str(row) for row in rows]


async def get_status(call: Call, mode: object = "normal", token: str = "") -> object:
    """Installs by machine: as a table, or as lines of text."""
    del token
    rows = await call.ask("boots")
    found = {str(row.get("system") or row.get("mac")): row for row in reversed(rows)}
    if mode == "text":
        lines = [f"{'system':<24}|{'action':<10}|{'began':<24}|state"]
        lines += [
            f"{name:<24}|{row.get('action', '')!s:<10}|{row.get('started', row.get('started_at', ''))!s:<24}|"
            f"{row.get('outcome', row.get('state', ''))}"
            for name, row in sorted(found.items())
        ]
        return "\n".join(lines)
    return found


async def get_events(call: Call, for_user: str = "") -> object:
    """Tasks of this run by their numbers; with a user's name those that the user was not told of."""
    found = {}
    for task in call.bridge.tasks.tasks.values():
        if for_user and for_user in task.read_by:
            continue
        found[task.id] = task.row()
        if for_user:
            task.read_by.append(for_user)
    return found


async def get_event_log(call: Call, event_id: str) -> object:
    """The log of a task, or ``?``."""
    task = call.bridge.tasks.tasks.get(event_id)
    return "?" if task is None else "\n".join(task.lines)


async def get_task_status(call: Call, event_id: str) -> object:
    """The event of a task."""
    task = call.bridge.tasks.tasks.get(event_id)
    if task is None:
        raise CobblerError("no event with that id")
    return task.row()


async def _task(call: Call, name: str, work: Callable[[Callable[[str], None]], Awaitable[None]]) -> str:
    """Do something as a task; what goes wrong is the task's failure."""
    tasks = call.bridge.tasks
    task = tasks.begin(name)
    try:
        await work(lambda line: tasks.say(task, line))
    except (OperationError, CobblerError, FieldError) as error:
        tasks.say(task, str(error))
        tasks.end(task, failed=True)
    else:
        tasks.end(task)
    return task.id


async def background_sync(call: Call, options: dict, token: str) -> object:  # type: ignore[type-arg]
    """A task that reports that there is nothing to do."""
    del options, token

    async def work(say: Callable[[str], None]) -> None:
        say(_SYNC)

    return await _task(call, "Sync", work)


async def background_syncsystems(call: Call, options: dict, token: str) -> object:  # type: ignore[type-arg]
    """The same for some systems; one that is not there fails it."""
    del token
    names = options.get("systems", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FieldError("systems: a list of names is expected")

    async def work(say: Callable[[str], None]) -> None:
        for name in names:
            if not await call.has("system", name):
                raise CobblerError(f"system not found: {name}")
        say(_SYNC)

    return await _task(call, "Syncsystems", work)


async def background_check(call: Call, name: str, options: dict, token: str) -> object:  # type: ignore[type-arg]
    """A task that looks at the answers of every profile."""
    del options, token

    async def work(say: Callable[[str], None]) -> None:
        failed = 0
        for row in await call.ask("profile.list"):
            try:
                await call.ask("answer.preview", profile=row["name"])
            except OperationError as error:
                failed += 1
                say(f"{row['name']}: {error}")
            else:
                say(f"{row['name']}: no errors")
        if failed:
            raise CobblerError(f"{failed} profiles have errors")

    return await _task(call, name, work)


async def background_reload(call: Call, name: str, options: dict, token: str) -> object:  # type: ignore[type-arg]
    """A task that reads distros and profiles anew: what signatures are to Cobbler."""
    del options, token

    async def work(say: Callable[[str], None]) -> None:
        await call.ask("reload")
        say("files of distros and profiles were read anew")

    return await _task(call, name, work)


async def background_nothing(call: Call, name: str, options: dict, token: str) -> object:  # type: ignore[type-arg]
    """A task that fails and says what to do instead."""
    del options, token

    async def work(_say: Callable[[str], None]) -> None:
        raise CobblerError(INSTEAD[name])

    return await _task(call, name, work)


INSTEAD: Final = {
    "Media import": "trees are not copied: write a distro with the tree's URL (provd distro add --tree URL)",
    "Reposync": "repositories are not copied: the plugin source_mirror fetches and keeps what installs ask for",
    "Hardlink": "nothing to link: provd keeps files once",
    "Build Iso": "boot media are not built",
    "Replicate": "copy the site's directory, and systems with provd system export and import",
    "(CLI) ACL Configuration": "users and roles are made with provd user add",
    "Mkloaders": "boot loaders come with plugins: provd fetch",
}
"""Task to the sentence of its failure."""


async def auto_add_repos(_call: Call, token: str) -> object:
    """Refused."""
    del token
    raise CobblerError("provd adds no repos by itself: a distro's tree is its source, others are added with new_repo")


async def disable_netboot(call: Call, name: str, token: str) -> object:
    """The machine is not installed at its next boot; False where there is none of this name."""
    del token
    if not await call.has("system", name):
        return False
    await call.ask("system.edit", name=name, netboot=False)
    return True


async def run_install_triggers(
    _call: Call, mode: object, objtype: object, name: object, ip: object, token: str
) -> object:
    """False, as Cobbler says where a trigger does not apply: provd's triggers run from its own callbacks."""
    del mode, objtype, name, ip, token
    return False


async def upload_log_data(
    _call: Call, sys_name: str, file: object, size: object, offset: object, data: object, token: str
) -> object:
    """False, as Cobbler says where uploads are off: logs come by callbacks with the install token."""
    del sys_name, file, size, offset, data, token
    return False


async def register_new_system(call: Call, info: dict, token: str) -> object:  # type: ignore[type-arg]
    """Add a machine that describes itself, without an install; 0 where it is there."""
    del token
    cards: list[dict[str, Any]] = []
    interfaces = info.get("interfaces", {})
    if not isinstance(interfaces, dict) or not all(isinstance(card, dict) for card in interfaces.values()):
        raise FieldError("interfaces: a dictionary of dictionaries is expected")
    for device, card in interfaces.items():
        mac, address = card.get("mac_address", ""), card.get("ip_address", "")
        if card.get("bridge") or mac == "?":
            continue
        cards.append({"name": device, "mac": mac, "address": "" if address == "?" else address})
    if not cards:
        raise FieldError("no interfaces submitted")
    if not info.get("profile"):
        raise FieldError("profile not submitted")
    names = {"name": info.get("name", ""), "profile": info["profile"], "hostname": info.get("hostname", "")}
    await call.ask("system.add", interfaces=cards, netboot=False, **names)
    return 0


async def last_modified_time(call: Call, token: str = "") -> object:
    """A number that is another one after a change of distros and profiles."""
    del token
    told = await call.ask("status")
    return float(int(str(told["catalogue"])[:8] or "0", 16)) if told.get("catalogue") else 0.0


async def xmlrpc_hacks(_call: Call, data: object) -> object:
    """The value as it is sent."""
    return data


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    nothing = "nothing to do: files are rendered when they are asked for"
    methods.add("sync", "operate", sync, differs=nothing)
    methods.add("sync_dhcp", "operate", sync, differs=nothing)
    methods.add("background_sync", "operate", background_sync, differs=nothing)
    methods.add("background_syncsystems", "operate", background_syncsystems, differs=nothing)
    methods.add("check", "read", check, differs="problems of provd")
    methods.add("get_status", "read", get_status, differs="boots as provd saw them")
    tasks = "tasks of this run of the service"
    methods.add("get_events", ANONYMOUS_READ, get_events, differs=tasks)
    methods.add("get_event_log", ANONYMOUS_READ, get_event_log, differs=tasks)
    methods.add("get_task_status", ANONYMOUS_READ, get_task_status, differs=tasks)
    methods.add("last_modified_time", ANONYMOUS_READ, last_modified_time, differs="a hash of the catalogue, no time")
    methods.add("xmlrpc_hacks", ANONYMOUS_READ, xmlrpc_hacks)
    validated = "renders the answers of every profile"
    methods.add("background_validate_autoinstall_files", "read", background_check,
                "Automated installation files validation", differs=validated)  # fmt: skip
    reread = "reads distros and profiles anew"
    for verb in ("update", "reload"):
        name = f"background_signature_{verb}"
        methods.add(name, "admin", background_reload, f"Signature {verb}", differs=reread)
    for name, task in _REFUSED.items():
        methods.add(f"background_{name}", "operate", background_nothing, task, differs=f"fails: {INSTEAD[task]}")
    methods.add(
        "auto_add_repos",
        "admin",
        auto_add_repos,
        differs="refused: a distro's tree is its source, other repos are added with `new_repo`",
    )
    differs = "needs a token of the role operate; machines use the callbacks of their install"
    methods.add("disable_netboot", "operate", disable_netboot, differs=differs)
    methods.add("register_new_system", "operate", register_new_system, differs=differs)
    methods.add("run_install_triggers", "operate", run_install_triggers, differs=f"answers False; {differs}")
    methods.add("upload_log_data", "operate", upload_log_data, differs=f"answers False; {differs}")


_REFUSED: Final = {
    "import": "Media import",
    "reposync": "Reposync",
    "hardlink": "Hardlink",
    "buildiso": "Build Iso",
    "replicate": "Replicate",
    "aclsetup": "(CLI) ACL Configuration",
    "mkloaders": "Mkloaders",
}
