"""The command line has every operation, and each command has help, whether a service runs or not."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from provd.api.client import NotReachableError
from provd.app.operations_page import descriptions, table
from provd.cli.known import SHIPPED
from provd.cli.main import build_cli
from provd.plugin.contract import Operation
from tests.cli.recording import RecordingClient

OPERATIONS = table().all()
NAMES = [one.name for one in OPERATIONS]


def fields_of(operation: Operation) -> list[str]:
    return [one.encode_name for one in msgspec.structs.fields(operation.arguments)]


class NoService:
    def call(self, *_words: object, **_more: object) -> Any:
        raise NotReachableError("no service answers")

    def operations(self) -> list[dict[str, Any]]:
        raise NotReachableError("no service answers")


@pytest.fixture
def client() -> RecordingClient:
    return RecordingClient(OPERATIONS)


def run(client: Any, *words: str, text: str = "") -> Result:
    return CliRunner().invoke(build_cli(lambda _path: 0, lambda _socket: client), ["--socket", "x", *words], input=text)


def commands(ctx: click.Context, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that the help lists where no service runs."""
    group = ctx.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(click.Context(command, parent=ctx, info_name=name), (*path, name))


ROOT = build_cli(lambda _path: 0, lambda _socket: NoService())
ALL = dict(commands(click.Context(ROOT, info_name="provd", **ROOT.context_settings)))


GROUPS = {path: one for path, one in {(): ROOT, **ALL}.items() if isinstance(one, click.Group)}


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "provd")
def test_the_help_of_a_group_cuts_no_description_off(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(ROOT, [*path, "--help"]).output
    assert "..." not in told.partition("Commands:")[2]
    for one, command in ALL.items():
        if one[:-1] == path:
            assert command.get_short_help_str(limit=1000) in " ".join(told.split())


def test_what_is_shipped_is_the_table() -> None:
    assert SHIPPED.read_text() == descriptions(OPERATIONS), "run: python -m provd.app.operations_page"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_the_example_of_every_operation_is_a_command_that_calls_it(
    operation: Operation, client: RecordingClient
) -> None:
    words = shlex.split(operation.example)
    assert words[0] == "provd"
    told = run(client, *words[1:], text="secret\n")
    assert told.exit_code == 0, told.output
    assert operation.name in [name for name, _ in client.calls]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_argument_of_every_operation_can_be_given(operation: Operation) -> None:
    """By an option of the command that its example names."""
    group: click.Command = ROOT
    # With all settings: a command remembers the names of its help option from the first context that it sees.
    ctx = click.Context(ROOT, **ROOT.context_settings)
    for word in shlex.split(operation.example)[1:]:
        found = group.get_command(ctx, word) if isinstance(group, click.Group) else None
        if found is None:
            break
        group, ctx = found, click.Context(found, parent=ctx)
    text = group.get_help(ctx)
    by_the_command = {"trace": {"after"}, "system.import": {"toml"}}.get(operation.name, set())
    for field in fields_of(operation):
        if field in by_the_command:
            continue
        flag = f"--{field.replace('_', '-')}"
        assert flag in text or field.upper() in text, f"{operation.name}: {field}"


def test_a_table_with_an_operation_more_is_found_out(client: RecordingClient) -> None:
    """The test above can fail."""
    assert run(client, "zone", "sync").exit_code == 2


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example_without_a_service(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(ROOT, [*path, "--help"])
    assert told.exit_code == 0, told.output
    assert ALL[path].help
    lines = told.output.partition("Example:")[2].strip().splitlines()
    assert lines, told.output
    for line in lines:
        words = shlex.split(line, comments=True)
        assert words[0] == "provd"
        assert words[1 : 1 + len(path)] == list(path)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_has_help(path: tuple[str, ...]) -> None:
    silent = [
        one.opts[0]
        for one in ALL[path].params
        if isinstance(one, click.Option) and not one.hidden and not one.help and "FIELD" not in str(one.metavar)
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("line", "operation", "arguments"),
    [
        ("system edit --name x --profile y", "system.edit", {"name": "x", "profile": "y"}),
        ("system edit x --profile y", "system.edit", {"name": "x", "profile": "y"}),
        (
            "system edit x --profile=y --netboot-enabled=1",
            "system.edit",
            {"name": "x", "profile": "y", "netboot": True},
        ),
        ("system edit x --var a=1 --in-place", "system.edit", {"name": "x", "vars": {"a": 1}, "in_place": True}),
        ("system copy --name x --newname y", "system.copy", {"name": "x", "new": "y", "interfaces": []}),
        ("system rename --name x y", "system.rename", {"name": "x", "new": "y"}),
        ("profile rename x --new y --dry-run", "profile.rename", {"name": "x", "new": "y", "dry_run": True}),
        ("profile edit x --comment <<inherit>>", "profile.edit", {"name": "x", "comment": None}),
        ("profile edit x --inherit kernel-args", "profile.edit", {"name": "x", "kernel_args": None}),
        ("profile edit x --tags a --tag b", "profile.edit", {"name": "x", "tags": ["a", "b"]}),
        ('profile edit x --tags ["a","b"]', "profile.edit", {"name": "x", "tags": ["a", "b"]}),
        ("profile edit x --tags=", "profile.edit", {"name": "x", "tags": []}),
        ("profile edit x --loader grub.timeout=5", "profile.edit", {"name": "x", "loader": {"grub": {"timeout": 5}}}),
        (
            "profile edit x --var a.b.c=1 --var a.d=e",
            "profile.edit",
            {"name": "x", "vars": {"a": {"b": {"c": 1}, "d": "e"}}},
        ),
        ("profile edit x --template ks.cfg=1.ks", "profile.edit", {"name": "x", "templates": {"ks.cfg": "1.ks"}}),
        ("distro remove x --recursive", "distro.remove", {"name": "x", "recursive": True}),
        ("system add x", "system.add", {"name": "x", "interfaces": []}),
        ("user add ann --password -", "user.add", {"name": "ann", "password": "secret"}),
        ("template add a.j2 --content -", "template.add", {"name": "a.j2", "content": "secret\n"}),
        ("template add a.j2 -", "template.add", {"name": "a.j2", "content": "secret\n"}),
        ("system edit x --kopts=quiet", "system.edit", {"name": "x", "kernel_args": ["quiet"]}),
        (
            "system add x --interface=eth0 --mac=m",
            "system.add",
            {"name": "x", "interfaces": [{"name": "eth0", "mac": "m"}]},
        ),
        ("profile get-autoinstall --name=p", "answer.preview", {"profile": "p"}),
        ("system get-autoinstall x", "answer.preview", {"system": "x"}),
        ("answer preview web1", "answer.preview", {"system": "web1"}),
        ("boots web1", "boots", {"system": "web1"}),
    ],
)
def test_habits(line: str, operation: str, arguments: dict[str, Any], client: RecordingClient) -> None:
    words = [word.replace('"', '"') for word in line.split()]
    told = run(client, *words, text="secret\n")
    assert told.exit_code == 0, told.output
    assert client.calls[-1] == (operation, arguments)


def test_texts_of_cobbler_are_lists_and_tables(client: RecordingClient) -> None:
    words = ["--kernel-options", "quiet console=ttyS0", "--autoinstall-meta", "rack=r7 tags='a b'", "--var", "row=2"]
    assert run(client, "profile", "edit", "p", *words).exit_code == 0
    ((_, asked),) = client.calls
    assert asked["kernel_args"] == ["quiet", "console=ttyS0"]
    assert asked["vars"] == {"row": 2, "rack": "r7", "tags": "a b"}
    for option, sentence in (("--autoinstall-meta=rack", "is not KEY=VALUE"), ("--kernel-options='a", "No closing")):
        told = run(client, "profile", "edit", "p", option)
        assert told.exit_code == 2
        assert sentence in told.stderr


def test_find_has_an_option_for_each_field(client: RecordingClient) -> None:
    assert (
        run(client, "system", "find", "web*", "db*", "--profile", "debian-*", "--where", "vars.rack=7").exit_code == 0
    )
    ((operation, asked),) = client.calls
    assert operation == "system.find"
    assert asked["where"] == {"name": ["web*", "db*"], "profile": ["debian-*"], "vars.rack": "7"}
    assert run(client, "system", "find", "--var", "rack=r*", "--vars", "rack=q", "--answer", "lang=de").exit_code == 0
    assert client.calls[-1][1]["where"] == {"vars.rack": ["r*", "q"], "answers.lang": ["de"]}
    assert run(client, "system", "find", "--var", "rack").exit_code == 2
    assert run(client, "distro", "find", "--name", "d*", "--version", "12").exit_code == 0
    assert client.calls[-1][1]["where"] == {"name": ["d*"], "version": ["12"]}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("system edit", "Missing argument 'NAME'"),
        ("sytem list", "Did you mean 'system'?"),
        ("system lst", "Did you mean 'list'?"),
        ("system rename x", "Missing argument 'NEW'"),
        ("system rename x y z", "unexpected extra argument (z)"),
        ("system edit x --netboot-enabled perhaps", "not a valid boolean"),
        ("profile edit x --answer lang", "'lang' is not KEY=VALUE"),
        ("profile edit x --var a=1 --var a.b=2", "a.b: a is a value, not a table"),
        ("profile edit x --var a..b=2", "has an empty part"),
        ("template add a.j2 /nowhere/file", "No such file"),
        ("template add a.j2", "Missing argument 'CONTENT'"),
        ("change --changes [", "is not JSON"),
        pytest.param('profile edit x --vars {"a":' + "[" * 5000, "is not JSON", id="too deep for JSON"),
        ("image edit x --kind floppy", "'floppy' is not one of"),
        ("audit list --limit 0", "not in the range"),
        ("system show x -o csv", "csv is for lists"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what(line: str, sentence: str, client: RecordingClient) -> None:
    told = run(client, *line.split())
    assert told.exit_code == 2, told.output
    assert sentence in told.stderr
    assert told.stdout == ""


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "12e4567", '{"a":NaN}', "[1e999]"])
def test_what_json_has_no_number_for_is_text(text: str, client: RecordingClient) -> None:
    assert run(client, "profile", "edit", "x", "--var", f"commit={text}").exit_code == 0
    assert client.calls[-1][1]["vars"] == {"commit": text}
    told = run(client, "system", "edit", "x", "--interfaces", '[{"mac":NaN}]')
    assert (told.exit_code, "is not JSON" in told.stderr) == (2, True)


def test_a_value_too_deep_for_json_is_text(client: RecordingClient) -> None:
    assert run(client, "profile", "edit", "x", "--var", "a=" + "[" * 5000).exit_code == 0
    assert client.calls[-1][1]["vars"] == {"a": "[" * 5000}


def test_an_empty_password_is_none(client: RecordingClient) -> None:
    told = run(client, "user", "add", "ann", "--password", "-", text="")
    assert told.exit_code == 2
    assert "standard input is empty" in told.stderr
    assert client.calls == []


def test_a_dry_run_says_that_it_was_one(client: RecordingClient) -> None:
    assert "nothing is changed" in run(client, "system", "remove", "x", "--dry-run").stderr
    assert run(client, "system", "remove", "x", "--dry-run", "-o", "json").stderr == ""
    assert run(client, "system", "remove", "x").stderr == ""


def test_a_document_comes_from_a_file(tmp_path: Path, client: RecordingClient) -> None:
    file = tmp_path / "own.j2"
    file.write_text("d-i x\n")
    for words in (["own.j2", str(file)], ["own.j2", "--content", f"@{file}"]):
        assert run(client, "template", "add", *words).exit_code == 0
        assert client.calls[-1] == ("template.add", {"name": "own.j2", "content": "d-i x\n"})


def test_changes_come_from_a_file_or_standard_input(tmp_path: Path, client: RecordingClient) -> None:
    text = '[{"operation": "system.remove", "arguments": {"name": "web1"}}]'
    file = tmp_path / "changes.json"
    file.write_text(text)
    for words in ([str(file)], ["-"], ["--changes", f"@{file}"], ["--changes", text]):
        assert run(client, "change", *words, text=text).exit_code == 0
        assert client.calls[-1] == ("change", {"changes": json.loads(text)})
    assert "Missing argument 'CHANGES'" in run(client, "change").stderr


def test_the_socket_may_be_named_behind_the_command() -> None:
    asked: list[str] = []

    def make(socket: str) -> Any:
        asked.append(socket)
        return RecordingClient(OPERATIONS)

    cli = build_cli(lambda _path: 0, make)
    assert CliRunner().invoke(cli, ["--socket", "one", "whoami"]).exit_code == 0
    assert CliRunner().invoke(cli, ["whoami", "--socket", "two"]).exit_code == 0
    assert asked == ["one", "two"]


def test_shipped_commands_ask_no_service_for_their_description(client: RecordingClient) -> None:
    assert run(client, "system", "show", "x").exit_code == 0
    assert client.described == 0


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.permission in {"operate", "admin"}], ids=lambda one: one.name
)
def test_every_write_has_a_dry_run(operation: Operation) -> None:
    reads = {"audit.list", "user.list", "token.list", "system.export", "rogue.check"}
    reads |= {"recording.begin", "recording.end"}  # the site stays as it is
    assert ("dry_run" in fields_of(operation)) == (operation.name not in reads)
