"""Rosters in the log: the version that stands, and taking the next one in as an event."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.audience.recipients_codec import pack, unpack
from adapters.audience.table import table_of
from adapters.rosters.checking import Entry
from adapters.rosters.importing import NextVersion, enter
from adapters.vault.vault import ContactVault
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import EventLog
from domain.recipients import Recipient
from domain.rosters import RosterModeError
from domain.telling_events import PersonErased, RosterImported
from projections.base import ReadTables
from projections.rosters import RosterRow, versions
from streams.embedded import EmbeddedRunner


def recipients_of(log: EventLog, row: RosterRow) -> Mapping[int, Recipient]:
    """Who is on this version, by number.

    Raises:
        RecipientsError: they are not kept.
    """
    return {one.number: one for one in unpack(row.recipients_sha256, log.attachment).recipients()}


class RosterBook:
    """The rosters of one outlet, as far as one command changes them."""

    def __init__(self, log: EventLog, tables: ReadTables, runner: EmbeddedRunner, vault: ContactVault) -> None:
        """Write by this runner, keep contacts in this vault."""
        self._log = log
        self._tables = tables
        self._runner = runner
        self._vault = vault

    def standing(self, roster: str, mode: Mode) -> tuple[int, Mapping[int, Recipient]]:
        """The newest version's number and recipients; 0 and nobody where the roster is new.

        Raises:
            RosterModeError: the roster is of the other mode: live and drill never meet.
        """
        rows = versions(self._tables, roster)
        if not rows:
            return 0, {}
        if rows[0].mode != mode.value:
            raise RosterModeError(f"roster {roster} is for {rows[0].mode} warnings; give the other a name of its own")
        return rows[0].version, recipients_of(self._log, rows[0])

    def take_in(
        self, entries: Sequence[Entry], *, roster: str, mode: Mode, source: str, by: str, now: datetime
    ) -> tuple[NextVersion, int]:
        """Take the next version in; returns it and its number. The same content again makes no version.

        Raises:
            RosterModeError: the roster is of the other mode.
            VersionConflictError: other processes keep writing.
        """
        version, before = self.standing(roster, mode)
        found = enter(entries, before, self._vault, roster=roster, mode=mode)
        if found.difference.is_empty:
            return found, version
        attachments = pack(table_of(mode, found.recipients.values()))
        event = RosterImported(
            at=now,
            roster=roster,
            mode=mode,
            version=version + 1,
            recipients_sha256=attachments[0].sha256,
            recipients=len(found.recipients),
            entered=len(found.difference.entered),
            changed=len(found.difference.changed),
            left=len(found.difference.left),
            source=source,
            by=by,
        )
        self._runner.record(stream_id_of("roster", roster), event, [one.content for one in attachments])
        return found, version + 1

    def erase(self, numbers: Sequence[int], *, reason: str, now: datetime) -> Sequence[int]:
        """Destroy these people's keys and record that it was done; those that were there and not erased before.

        The event comes first: after a crash between the two, asking again finishes it.

        Raises:
            VersionConflictError: other processes keep writing; nobody was erased.
        """
        there = [number for number in numbers if self._vault.person(number) is not None]
        if there:
            event = PersonErased(at=now, numbers=tuple(there), reason=reason)
            self._runner.record(stream_id_of("erased", *map(str, sorted(there))), event)
        return self._vault.erase(there, now)
