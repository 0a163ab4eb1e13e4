"""What the simulated loaders read: pxelinux configurations and GRUB script."""

from __future__ import annotations

import pytest

from provd.simulate.grub_script import Boots, GrubScript, ReadFile
from provd.simulate.grub_words import ScriptError
from provd.simulate.pxelinux_config import ConfigError, kernel_words, parse, search_order

MAC = bytes.fromhex("525400880011")


def _grub(text: str, files: dict[str, str] | None = None, disk: tuple[str, ...] = ()) -> Boots:
    script = GrubScript({"net_default_mac": "52:54:00:88:00:11", "prefix": "/grub"}, disk)
    running = script.run(text)
    given: str | None = None
    while True:
        try:
            wanted: ReadFile = running.send(given)
        except StopIteration as end:
            found: Boots = end.value
            return found
        given = (files or {}).get(wanted.path)


KERNEL = {"/linux": "k", "/a b": "k", "/initrd": "i"}


@pytest.mark.parametrize(
    ("line", "command_line"),
    [
        ("linux /linux quiet", "quiet"),
        ("linux /linux 'a b' c", '"a b" c'),
        ('linux /linux \'x=$y;z\' "q\\"r"', 'x=$y;z q\\"r'),
        ('set m=on; linux /linux mac=$net_default_mac ${m}e "$m x"', 'mac=52:54:00:88:00:11 one "on x"'),
        ("linux /linux \\$HOME a\\ b", '$HOME "a b"'),
        ("linux '/a b' x # comment", "x"),
        ("linux /linux 'it'\\''s'", "it\\'s"),
        ('linux /linux $nothing ""', " "),
    ],
)
def test_grub_quotes_and_variables(line: str, command_line: str) -> None:
    assert _grub(f"{line}\nboot\n", KERNEL).command_line.strip() == command_line.strip()


def test_grub_control_flow() -> None:
    text = """
function try {
  if search --no-floppy --file --set=root "$1"; then
    if chainloader "$1"; then boot; fi
  fi
}
for one in /a.efi /b.efi; do try $one; done
echo 'none found'
exit
"""
    assert _grub(text, disk=("/b.efi",)).loader == "/b.efi"
    ended = _grub(text)
    assert (ended.kind, ended.said) == ("exit", ("none found",))


def test_grub_branches() -> None:
    text = 'if [ -z "$x" ]; then set a=1; elif true; then set a=2; else set a=3; fi\nif [ "$a" = 1 ]; then echo yes; fi'
    assert _grub(text).said == ("yes",)
    assert _grub("if linux /missing; then boot; fi\nreboot", KERNEL).kind == "reboot"


def test_grub_reads_further_files_and_starts_the_first_menu_entry() -> None:
    files = {
        **KERNEL,
        "/grub/more.cfg": "menuentry 'A' --id a {\n linux /linux one\n initrd /initrd\n}\nmenuentry B { exit; }",
    }
    ended = _grub("configfile $prefix/more.cfg", files)
    assert (ended.kind, ended.command_line, ended.initrd) == ("linux", "one", ("/initrd",))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("if true; then boot", "is missing"),
        ("echo 'open", "single quote is not closed"),
        ('echo "open', "double quote is not closed"),
        ("fi", "'fi' stands where a command is expected"),
        ("<html>404</html>", "unknown command"),
        ("function f { f; }\nf", "does not end"),
    ],
)
def test_grub_refuses_what_is_no_script(text: str, sentence: str) -> None:
    with pytest.raises((ScriptError, RecursionError)) as caught:
        _grub(text)
    assert sentence in str(caught.value) or isinstance(caught.value, RecursionError)


def test_pxelinux_reads_directives_in_any_case() -> None:
    text = "serial 0\nSAY hello there\nDefault a\nprompt 0\n\nlabel b\n kernel /no\nLABEL a\n  LINUX boot/linux\n  Initrd x,y\n"
    entry = parse(text + "  append quiet\n  ipappend 2\n", mac=MAC)
    assert (entry.kernel, entry.initrd, entry.said) == ("boot/linux", ("x", "y"), ("hello there",))
    assert entry.command_line == "BOOT_IMAGE=boot/linux quiet initrd=x,y BOOTIF=01-52-54-00-88-00-11"


def test_pxelinux_takes_initrd_from_append_and_appends_globally() -> None:
    entry = parse("DEFAULT a\nAPPEND initrd=i.gz quiet\nLABEL a\nKERNEL k\n", mac=MAC)
    assert (entry.initrd, entry.command_line) == (("i.gz",), "BOOT_IMAGE=k initrd=i.gz quiet")
    assert parse("DEFAULT a\nLABEL a\nLOCALBOOT -1\n", mac=MAC).localboot == -1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("LABEL a\nKERNEL k\n", "no DEFAULT"),
        ("DEFAULT b\nLABEL a\nKERNEL k\n", "the label 'b'"),
        ("DEFAULT a\nLABEL a\nAPPEND x\n", "neither KERNEL nor LOCALBOOT"),
    ],
)
def test_pxelinux_refuses_what_starts_nothing(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse(text, mac=MAC)


def test_the_search_order_is_the_captured_one() -> None:
    names = search_order(bytes.fromhex("525400880077"), "10.88.0.133")
    assert names == (
        "01-52-54-00-88-00-77", "0A580085", "0A58008", "0A5800", "0A580", "0A58", "0A5", "0A", "0", "default",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a  b", ("a", "b")),
        ('greeting="hello there" x', ("greeting=hello there", "x")),
        ('"a b=c"', ("a b=c",)),
        ('x=""', ("x=",)),
        ("", ()),
    ],
)
def test_arguments_split_as_linux_splits_them(line: str, words: tuple[str, ...]) -> None:
    assert kernel_words(line) == words
