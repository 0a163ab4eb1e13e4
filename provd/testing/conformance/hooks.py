"""Rules on the hooks of requests: strange requests break nothing, equal ones are answered alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from provd.plugin.contract import Change
from provd.plugin.host import PluginHost
from provd.testing.conformance import strange
from provd.testing.conformance.examined import Examined
from provd.testing.samples import PEER, plan


def survives_strange_requests(one: Examined) -> Iterator[str]:
    """No request, machine or event makes a hook raise or answer with a wrong value."""
    for call in _calls(one.host):
        call()
    # What failed is told by the kit, which asks the host after every rule.
    yield from ()


def _calls(host: PluginHost) -> Iterator[Callable[[], object]]:
    for asked in strange.dhcp_requests():
        yield partial(host.gate, asked)
        yield partial(host.labels, asked)
        yield partial(host.subnet, asked, (strange.SUBNET,))
        yield partial(host.options, asked, None, None)
        yield partial(host.options, asked, None, plan())
        yield partial(host.reply, asked, strange.reply())
        yield partial(host.boot_plan, None, None, asked.client)
    for profile in strange.profiles("debian", "preseed"):
        for system in strange.systems():
            yield partial(host.answer_vars, system, profile)
            yield partial(host.kernel_args, plan(system=system, profile=profile))
            for client in strange.clients():
                yield partial(host.boot_plan, system, profile, client)
            yield partial(host.change, Change("system.add", system.name, None, system))
            yield partial(host.change, Change("system.remove", system.name, system, None))
    for client in strange.clients():
        yield partial(host.adopt, client, strange.SUBNET)
    for request in strange.file_requests():
        yield partial(host.file, request)
    for event in strange.events():
        yield partial(host.event, event)


def answers_alike(one: Examined) -> Iterator[str]:
    """Label, subnet, option and plan hooks answer equal requests alike, or are marked per_packet=True."""
    host, made = one.host, plan()
    for asked in strange.dhcp_requests():
        questions: Mapping[str, Callable[[], object]] = {
            "provd_dhcp_labels": partial(host.labels, asked),
            "provd_dhcp_subnet": partial(host.subnet, asked, (strange.SUBNET,)),
            "provd_dhcp_options": partial(host.options, asked, None, made),
            "provd_adopt": partial(host.adopt, asked.client, strange.SUBNET),
            "provd_boot_plan": partial(host.boot_plan, made.system, made.profile, asked.client),
        }
        for hook, question in questions.items():
            if hook in host.hooks_of(one.name) and host.hook_is_pure(hook) and question() != question():
                yield f"{hook} answered the same question in two ways: mark it @hookimpl(per_packet=True)"
                return


def serves_no_secrets_to_strangers(one: Examined) -> Iterator[str]:
    """provd_file gives nothing for paths that leave their directory."""
    for request in strange.file_requests():
        if ".." not in request.path.split("/"):
            continue
        answer = one.host.file(request)
        if answer is not None and getattr(answer, "body", None) is not None:
            yield f"provd_file answers {request.path!r} of {PEER} with a body: use file_beneath(directory, path)"
