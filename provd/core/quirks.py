"""Which quirks a client has, and what follows: facts that are set right, and a reply that is made otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provd.model.arch import ARCHS
from provd.model.client import ClientFacts
from provd.model.quirk import Quirk


class Quirks:
    """All quirks, the shipped ones before the site's; of two that say different things the later one wins.

    Args:
        known: the quirks.
    """

    def __init__(self, known: Sequence[Quirk] = ()) -> None:
        self._known = {quirk.name: quirk for quirk in known}
        self._archs = {arch.name: arch for arch in reversed(ARCHS.values())}

    def corrected(self, facts: ClientFacts) -> ClientFacts:
        """The facts of a client with what its quirks set right; ``quirks`` names them.

        Of an installed system, which has no firmware to speak of, a UUID that tells nothing is forgotten and no more.
        """
        booting = facts.is_netboot
        if not booting and not facts.uuid:
            return facts
        found = [quirk for quirk in self._known.values() if (booting or quirk.forget_uuid) and fits(quirk, facts)]
        if found and not booting:
            return replace(facts, uuid="")
        if not found:
            return facts
        arch, uuid, labels = facts.arch, facts.uuid, facts.labels
        for quirk in found:
            arch = self._archs[quirk.as_arch] if quirk.as_arch else arch
            uuid = "" if quirk.forget_uuid else uuid
            labels |= frozenset(quirk.labels)
        return replace(facts, arch=arch, uuid=uuid, labels=labels, quirks=tuple(quirk.name for quirk in found))

    def of(self, client: ClientFacts) -> list[Quirk]:
        """The quirks that the facts name."""
        return [self._known[name] for name in client.quirks if name in self._known]

    def broadcast(self, client: ClientFacts) -> bool:
        """Whether its replies are broadcast, whatever it asks for."""
        return bool(client.quirks) and any(quirk.broadcast for quirk in self.of(client))

    def amend(self, client: ClientFacts, options: dict[int, bytes]) -> None:
        """Change the options of a reply."""
        for quirk in self.of(client) if client.quirks else ():
            options.update(quirk.options)
            for code in quirk.without:
                options.pop(code, None)


def fits(quirk: Quirk, facts: ClientFacts) -> bool:
    """Whether a client has this quirk."""
    return (
        (not quirk.oui or facts.mac.octets.startswith(quirk.oui))
        and facts.vendor_class.startswith(quirk.vendor_class)
        and (not quirk.user_class or quirk.user_class in facts.user_classes)
        and (not quirk.arch or (facts.arch is not None and facts.arch.name in quirk.arch))
        and (not quirk.uuid or facts.uuid in quirk.uuid)
    )
