"""Hands the story's letters over to the spool at their simulated time: the outbox's own steps, one after another.

The sending worker does the same in threads and in real time; a story whose clock is set by hand cannot wait for those.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

from adapters.channels.port import Accepted, Later, Refused
from adapters.channels.spool import Spool
from adapters.sending.letters import Handed, Lease, NextChannel, Result, letter_of
from adapters.sending.outbox import Outbox
from adapters.sending.service import SPOOL_FOLDER, open_outbox
from adapters.vault.vault import ContactVault
from adapters.wiring import Platform
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.sending import Ending

AT_ONCE = 500
NEVER_DIES_SECONDS = 400 * 24 * 3600.0
"""There is one worker, and no other that could take it for dead while the clock jumps."""


class Postman:
    """Empties the outbox whenever it is asked to."""

    def __init__(self, platform: Platform, vault: ContactVault, outbox: Outbox) -> None:
        """Write to the spool in the platform's data directory."""
        self._platform = platform
        self._vault = vault
        self._outbox = outbox
        folder, sender = platform.settings.data_dir / SPOOL_FOLDER, platform.policy.outlet.sender
        self._spools = {kind: Spool(folder, kind, sender=sender) for kind in ChannelKind}
        outbox.beat(platform.clock.now(), NEVER_DIES_SECONDS)

    def round(self) -> None:
        """Hand over all that may go now; what became of it is in the log afterwards."""
        self._outbox.follow()
        while self._outbox.fill(self._platform.audience):
            pass
        asyncio.run(self._empty())
        while self._outbox.report(self._platform.clock.now()):
            pass

    async def _empty(self) -> None:
        for mode in Mode:
            for kind in ChannelKind:
                while leases := self._outbox.lease(mode, kind, AT_ONCE, self._platform.clock.now()):
                    self._outbox.settle([result async for result in self._handed(kind, leases)])

    async def _handed(self, kind: ChannelKind, leases: Sequence[Lease]) -> AsyncIterator[tuple[Lease, Result]]:
        addresses = self._vault.addresses([lease.number for lease in leases], kind)
        spool, now = self._spools[kind], self._platform.clock.now()
        for lease in leases:
            address = addresses.get(lease.number)
            if address is None:
                yield lease, NextChannel(spool.name, Ending.NO_ADDRESS, "", now)
                continue
            match await spool.send(letter_of(lease, address)):
                case Accepted(reference):
                    yield lease, Handed(spool.name, reference, now)
                case Later(reason) | Refused(reason):
                    yield lease, NextChannel(spool.name, Ending.REFUSED, reason, now)


@contextmanager
def postman_of(platform: Platform, vault: ContactVault) -> Iterator[Postman]:
    """A postman with the platform's outbox, while this is entered."""
    with open_outbox(platform) as outbox:
        yield Postman(platform, vault, outbox)
