"""offer_without_file: a proxy's offer that names no boot file, as PXE 2.1 allows; the client then asks the PXE port."""

from __future__ import annotations

from dataclasses import replace

from provd.plugin.api import DhcpRequest, Plugin, Reply, Settings, hookimpl

OFFER, BOOT_FILE, VENDOR_SPECIFIC = 2, 67, 43


class NoSettings(Settings, frozen=True):
    """Nothing to say."""


class OfferWithoutFile:
    """Takes the file out of offers without an address."""

    def __init__(self, settings: NoSettings) -> None:
        pass

    @hookimpl(per_packet=True)
    def provd_dhcp_reply(self, request: DhcpRequest, reply: Reply) -> Reply | None:
        if reply.message_type != OFFER or reply.yiaddr:
            return None
        options = {code: octets for code, octets in reply.options.items() if code not in {BOOT_FILE, VENDOR_SPECIFIC}}
        return replace(reply, file=b"", options=options)


PLUGIN = Plugin(name="offer_without_file", settings=NoSettings, build=OfferWithoutFile)
