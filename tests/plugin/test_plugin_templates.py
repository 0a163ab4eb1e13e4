"""Answer templates: strict, sandboxed, found by key only (security rows C05 and C07)."""

from __future__ import annotations

import datetime as dt
import json
import shlex
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from provd.config import toml
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.plugin.filters import MAX_CHARS, to_toml, to_yaml
from provd.plugin.templates import COMMON_FOLDER, TemplateError, Templates
from tests.fakes.plugin_world import FakeClock

SYSTEM = System("web1", interfaces=(Interface("eth0", Mac.parse("525400aabbcc"), IPv4Address("10.0.0.5")),))
VARS: dict[str, object] = {
    "system": SYSTEM,
    "interfaces": SYSTEM.interfaces,
    "hostname": "web1",
    "timezone": "UTC",
    "users": {"ada": {"shell": "/bin/sh"}},
    "items": ["a", "b"],
    "made": dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
}
Render = Callable[..., str]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    folder = tmp_path / "templates"
    folder.mkdir()
    templates = Templates([folder], clock=FakeClock())

    def run(source: str, **more: object) -> str:
        (folder / "t.cfg").write_text(source)
        (folder / "macros.cfg").write_text("{% macro b(x) %}<b>{{ x }}</b>{% endmacro %}")
        (folder / "other.cfg").write_text("other {{ hostname }}")
        return templates.render("t.cfg", {**VARS, **more})

    return run


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ hostname }}", "web1"),
        ("{{ system.name }} {{ system.host }} {{ system['name'] }}", "web1 web1 web1"),
        (
            "{% for i in interfaces %}{{ loop.index }}:{{ i.mac }}@{{ i.address }}{% endfor %}",
            "1:52:54:00:aa:bb:cc@10.0.0.5",
        ),
        ("{% for name, user in users.items() %}{{ name }}={{ user.shell }}{% endfor %}", "ada=/bin/sh"),
        ("{{ users.ada.shell }} {{ users['ada']['shell'] }}", "/bin/sh /bin/sh"),
        ("{{ nothing|default('x') }}{% if nothing is defined %}y{% endif %}", "x"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('a') }}", "<a>"),
        ("{% include 'other.cfg' %}", "other web1"),
        ("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6"),
        ("{{ 'a b'.split()|join('-') }} {{ hostname.upper() }} {{ hostname ~ 1 }}", "a-b WEB1 web11"),
        ("{{ items }} {{ items[0] }} {{ items|length }}", "['a', 'b'] a 2"),
        ("{{ made.year }} {{ system.interfaces[0].address.version }}", "2024 4"),
        ("{% if a %}\nx\n{% endif %}\nend\n", "end\n"),
        ("{{ 'x\ny\n\nz'|indent(2) }}", "x\n  y\n\n  z"),
        ("{{ (1 + 2) * 3 % 5 }} {{ 2 ** 8 }} {{ [1] + [2] }} {{ 'ab' * 2 }} {{ 'a' + 'b' }}", "4 256 [1, 2] abab ab"),
        ("{% import 'macros.cfg' as m %}{{ m.b('x') }}", "<b>x</b>"),
        ("{% for i in items recursive %}{{ loop.cycle('odd', 'even') }}{% endfor %}", "oddeven"),
        ("{{ items[9]|default('none') }} {{ users['bob']|default('none') }}", "none none"),
        ("{{ 'pässword'|b64encode }}", "cMOkc3N3b3Jk"),
    ],
)
def test_what_templates_can_do(render: Render, source: str, text: str) -> None:
    assert render(source, a=False) == text


HOSTILE_TEXT = [
    "plain",
    "it's",
    'a "b"',
    "$(id)`id`",
    "a\nb",
    "tab\there",
    "\\",
    "é😀",
    "\x7f",
    "\x85\u2028\ufeff",
    "-n",
    "",
]


@pytest.mark.parametrize("value", HOSTILE_TEXT)
def test_quoting_filters_survive_their_readers(render: Render, tmp_path: Path, value: str) -> None:
    assert shlex.split(render("{{ v|shell_quote }}", v=value)) == [value]
    assert json.loads(render("{{ v|json }}", v=value)) == value
    assert json.loads(render("{{ v|to_yaml }}", v=value)) == value
    (tmp_path / "v.toml").write_text(f"v = {render('{{ v|toml }}', v=value)}\n")
    assert toml.read(tmp_path / "v.toml") == {"v": value}


def test_structured_values(render: Render, tmp_path: Path) -> None:
    value = {"a": [1, True, 2.5, "x"], "b-c": {"d e": IPv4Address("10.0.0.1")}}
    (tmp_path / "v.toml").write_text(f"v = {to_toml(value)}\n")
    assert toml.read(tmp_path / "v.toml")["v"] == {"a": [1, True, 2.5, "x"], "b-c": {"d e": "10.0.0.1"}}
    assert render("{{ v|shell_quote }}", v=["a b", "c"]) == "'a b' c"
    assert to_yaml({"a": None}) == '{"a": null}'


SSTI = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ [].__class__ }}",
    "{{ {}.__class__.__base__ }}",
    "{{ ()|map(attribute='__class__')|list }}{{ [1]|map(attribute='__class__')|list }}",
    "{{ items|sum(attribute='__class__') }}",
    "{{ items|selectattr('__class__')|list }}",
    "{{ items|sort(attribute='__class__') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ namespace(__class__=1).__class__.__mro__ }}",
    "{{ dict.mro() }}",
    "{{ dict.__base__ }}",
    "{{ range.__self__ }}",
    "{{ range(1).__class__ }}",
    "{{ loop.__class__ }}",
    "{% for x in items %}{{ loop._iterator }}{% endfor %}",
    "{% for x in items %}{{ loop.__class__ }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{{ config.items() }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ system.__class__ }}",
    "{{ system.__init__.__globals__ }}",
    "{{ system.__dataclass_fields__ }}",
    "{{ system.interfaces[0].mac.parse('x') }}",
    "{{ system.interfaces[0].mac.octets.__class__ }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{0.__class__}'.format_map({}) }}",
    "{{ ('%s' % 1) }}",
    "{{ '%c'|format(65) }}",
    "{{ ''.join.__self__.__class__ }}",
    "{{ 'a'.encode() }}",
    "{{ 'a'.translate({}) }}",
    "{{ (1).__class__ }}",
    "{{ 1.0.hex() }}",
    "{{ users.pop('ada') }}",
    "{{ users.update({'x': 1}) }}",
    "{{ users.__setitem__('a', 1) }}",
    "{{ items.append(1) }}",
    "{{ items.__len__() }}",
    "{{ hostname.upper.__self__ }}",
    "{{ hostname.upper.__call__ }}",
    "{{ open('/etc/passwd').read() }}",
    "{{ __import__('os') }}",
    "{% import 'os' as os %}",
    "{% include '/etc/passwd' %}",
    "{% extends '../t.cfg' %}",
    "{% from '/etc/passwd' import x %}",
    "{{ made.__reduce__() }}",
    "{{ made.strftime('%s') }}",
    "{{ system.interfaces[0].address.__reduce__ }}",
    "{{ system.interfaces[0].address.packed }}",
    "{{ callable() }}",
    "{{ function() }}",
    "{{ items|random }}",
    "{{ items|pprint }}",
    "{{ '<a>'|safe }}",
    "{{ hostname|xmlattr }}",
    "{{ (x for x in items) }}",
    "{{ ''|e('x') }}",
    "{% debug %}",
]


@pytest.mark.parametrize("payload", SSTI)
def test_c07_template_injection_is_refused(render: Render, payload: str) -> None:
    with pytest.raises(TemplateError):
        render(payload, function=lambda: "called", callable=print)


@pytest.mark.parametrize("payload", SSTI)
def test_c07_a_value_is_never_a_template(render: Render, payload: str) -> None:
    assert render("{{ v }}", v=payload) == payload


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("a\n{{ timezon }}\n", "template t.cfg line 2: 'timezon' is undefined; did you mean timezone?"),
        ("\n\n{{ system.nme }}", "template t.cfg line 3: System has no 'nme'; did you mean name?"),
        ("{{ users.bob.shell }}", "template t.cfg line 1: the table has no 'bob'"),
        ("{% if %}", "template t.cfg line 1: Expected an expression, got 'end of statement block'"),
        ("a\n{{ x|nofilter }}", "template t.cfg line 2: No filter named 'nofilter'."),
        ("{% include 'othr.cfg' %}", "template othr.cfg: there is no such template; did you mean other.cfg?"),
        ("{{ 1 / 0 }}", "template t.cfg line 1: division by zero"),
        ("{{ ''.__class__ }}", "template t.cfg line 1: '__class__' of str is not available to templates"),
    ],
)
def test_errors_are_one_sentence_with_template_line_and_name(render: Render, source: str, sentence: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(source)
    assert str(caught.value) == sentence


def test_an_error_knows_its_parts(render: Render) -> None:
    with pytest.raises(TemplateError) as caught:
        render("\n{{ timezon }}")
    assert (caught.value.template, caught.value.line, caught.value.variable) == ("t.cfg", 2, "timezon")


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 100000000 }}",
        "{{ 100000000 * 'a' }}",
        "{{ [0] * 100000000 }}",
        "{{ 10 ** 100000000 }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ range(1000000)|list }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 't.cfg' %}",
        "{% set ns = namespace(x='abcdefgh') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% set ns = namespace(x='abcdefgh') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x='aa') %}{% for i in range(60) %}{% set ns.x = ns.x|replace('a', ns.x) %}{% endfor %}",
        "{% set ns = namespace(x=99999) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
        "{% for i in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
        "{{ range(99999)|join('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') }}",
    ],
)
def test_work_and_size_are_bounded(render: Render, source: str) -> None:
    with pytest.raises(TemplateError):
        render(source)


def test_time_is_bounded(tmp_path: Path) -> None:
    clock = FakeClock()

    class Slow(list[int]):
        def __iter__(self) -> Any:
            for item in range(1000):
                clock.advance(0.1)
                yield item

    (tmp_path / "t.cfg").write_text("{% for i in slow %}{% endfor %}")
    with pytest.raises(TemplateError, match="it takes longer than 2 s"):
        Templates([tmp_path], clock=clock).render("t.cfg", {"slow": Slow()})


def test_output_may_be_as_large_as_the_limit(render: Render) -> None:
    assert len(render("{{ v }}", v="x" * MAX_CHARS)) == MAX_CHARS
    with pytest.raises(TemplateError, match="grows beyond"):
        render("{{ v }}{{ v }}", v="x" * MAX_CHARS)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.cfg",
        "/etc/passwd",
        "sub/t.cfg",
        "..",
        ".",
        "",
        ".hidden",
        "t.cfg\0",
        "a\\..\\b",
        "%2e%2e/x",
        "link.cfg",
    ],
)
def test_c05_templates_are_found_by_key_never_by_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "templates"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.cfg").write_text("secret")
    (folder / "sub" / "t.cfg").write_text("sub")
    (folder / ".hidden").write_text("hidden")
    (folder / "link.cfg").symlink_to(tmp_path / "secret.cfg")
    templates = Templates([folder], clock=FakeClock())
    with pytest.raises(TemplateError) as caught:
        templates.render(name, {})
    assert "secret" not in str(caught.value).replace(name, "")
    assert templates.source(name) is None


def test_the_site_overrides_the_installer(tmp_path: Path) -> None:
    site, installer = tmp_path / "site", tmp_path / "installer"
    for folder in (site, installer):
        folder.mkdir()
    (installer / "a.cfg").write_text("installer a")
    (installer / "b.cfg").write_text("installer b, {% include 'a.cfg' %}")
    templates = Templates([site, installer], clock=FakeClock())
    assert templates.render("b.cfg", {}) == "installer b, installer a"
    (site / "a.cfg").write_text("site a")
    assert templates.render("b.cfg", {}) == "installer b, site a"
    assert templates.source("a.cfg") == site / "a.cfg"
    assert templates.names() == ("a.cfg", "b.cfg", "disk.bash", "keys.bash", "report.bash", "suse_rights.bash")


def test_what_all_installers_share_stands_behind_their_own_templates(tmp_path: Path) -> None:
    templates = Templates([tmp_path], clock=FakeClock())
    assert templates.source("report.bash") == COMMON_FOLDER / "report.bash"
    (tmp_path / "report.bash").write_text("the site's")
    assert templates.render("report.bash", {}) == "the site's"
