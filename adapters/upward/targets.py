"""Parent systems as targets of the courier: a folder that is emptied by them, or an address that is posted to.

A target keeps no position; the courier does. What it looks up is whether a release was handed over already, so that
a crash between the event and the courier's position repeats nothing.
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from adapters.http.keys import SIGNING_PREFIX
from adapters.http.public.released import Policies
from adapters.http.signatures import ID, SIGNATURE, TIMESTAMP, signature_of
from adapters.net.client import OutboundClient, OutboundError
from adapters.push.target import Delivered, GivenUp, Outcome, Parcel, TryAgain
from adapters.upward.answers import NoVerdict, Verdict, verdict_of
from adapters.upward.definition import ParentDefinition
from adapters.upward.documents import Document, NoDocumentError, documents_of
from adapters.upward.files import NameTakenError, put
from adapters.upward.records import House, Records
from domain.events import WarningReleased
from domain.passing_up import Reason, release_is_for
from projections.passing_up import answer_to, documents_in, has_heard_of, passed_up

MOST_REMEMBERED: Final = 10_000
"""Releases and warnings kept in memory until the read tables have them for certain."""


class UnusableSecretError(Exception):
    """A key or secret file cannot be used."""


class ParentTarget:
    """What both ways have in common."""

    def __init__(self, house: House, definition: ParentDefinition, data_dir: Path) -> None:
        """Nothing is read, written or connected yet."""
        self.definition = definition
        self.records = Records(house, definition)
        self._house = house
        self._data_dir = data_dir
        self._policies = Policies(house)
        self._passed: dict[int, str] = {}
        self._complained: set[int] = set()

    @property
    def id(self) -> str:
        """Under which the courier keeps its position."""
        return f"parent-{self.definition.id}"

    def wants(self, release: WarningReleased) -> bool:
        """Whether this release goes up."""
        has_begun = self.definition.level_min is not None and (
            release.warning_id in self._passed.values()
            or has_heard_of(self._house.tables, self.definition.id, release.warning_id)
        )
        return release_is_for(
            self.definition.wish,
            mode=release.mode,
            district=release.district,
            changes=release.changes,
            has_begun=has_begun,
        )

    async def hand_over(self, parcel: Parcel) -> Outcome:
        """Hand one release over, unless that was recorded before."""
        if parcel.position in self._passed or await asyncio.to_thread(self._is_done, parcel.position):
            return Delivered("handed over before")
        return await self.hand_over_again(parcel)

    async def hand_over_again(self, parcel: Parcel) -> Outcome:
        """Hand one release over, whatever was recorded before."""
        try:
            documents = await asyncio.to_thread(self.documents, parcel)
        except NoDocumentError as error:
            return GivenUp(str(error))
        outcome = await self._give(parcel, documents)
        if isinstance(outcome, TryAgain):
            await asyncio.to_thread(self._complain_once, parcel.position, outcome.reason)
        return outcome

    def documents(self, parcel: Parcel) -> tuple[Document, ...]:
        """What goes up of a release, under the policy of its own time."""
        policy = self._policies.at(parcel.position)
        return documents_of(self.definition, parcel.release, policy, self._house.gazetteer)

    def _is_done(self, position: int) -> bool:
        """Whether everything of it is on record."""
        return passed_up(self._house.tables, self.definition.id, position) is not None

    async def close(self) -> None:
        """Release what was opened, in the loop that used it."""

    async def _give(self, parcel: Parcel, documents: tuple[Document, ...]) -> Outcome:
        raise NotImplementedError

    def _complain_once(self, position: int, reason: str) -> None:
        if position not in self._complained:
            self.records.failed(position, Reason.TRYING, reason, final=False)
            _remember(self._complained, position)

    def _record_passed(self, parcel: Parcel, documents: tuple[Document, ...]) -> None:
        self.records.passed(parcel.position, parcel.release.warning_id, [document.name for document in documents])
        if len(self._passed) >= MOST_REMEMBERED:
            self._passed.clear()
        self._passed[parcel.position] = parcel.release.warning_id


class FolderTarget(ParentTarget):
    """Writes files that the parent, or a transfer to it, takes away."""

    async def _give(self, parcel: Parcel, documents: tuple[Document, ...]) -> Outcome:
        return await asyncio.to_thread(self._write, parcel, documents)

    def _write(self, parcel: Parcel, documents: tuple[Document, ...]) -> Outcome:
        assert self.definition.folder is not None, "the definition was checked"
        folder = self._data_dir / self.definition.folder
        try:
            for document in documents:
                put(folder, document.name, document.content)
        except NameTakenError as error:
            return TryAgain(str(error))
        except OSError as error:
            return TryAgain(f"{error.filename or folder}: {error.strerror or error}")
        self._record_passed(parcel, documents)
        return Delivered()


class HttpTarget(ParentTarget):
    """Posts documents one by one and reads each answer."""

    def __init__(self, house: House, definition: ParentDefinition, data_dir: Path, client: OutboundClient) -> None:
        """`client` may reach the parent's host; it is closed with the target."""
        super().__init__(house, definition, data_dir)
        self._client = client
        self._verdicts: dict[tuple[int, str], Verdict] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _is_done(self, position: int) -> bool:
        """Every document of it is answered, or its answer comes as a file."""
        row = passed_up(self._house.tables, self.definition.id, position)
        if row is None or self.definition.answers_by_file:
            return row is not None
        return all(
            answer_to(self._house.tables, self.definition.id, position, document) is not None
            for document in documents_in(row)
        )

    async def _give(self, parcel: Parcel, documents: tuple[Document, ...]) -> Outcome:
        for document in documents:
            if (parcel.position, document.name) in self._verdicts:
                continue  # answered before a later document of the same release was not
            answer = await self._post(parcel, document)
            if isinstance(answer, NoVerdict):
                return TryAgain(f"{document.name}: {answer.reason}", answer.after_seconds)
            self._verdicts[parcel.position, document.name] = answer
        await asyncio.to_thread(self._record, parcel, documents)
        return Delivered()

    def _record(self, parcel: Parcel, documents: tuple[Document, ...]) -> None:
        self._record_passed(parcel, documents)
        for document in documents:
            verdict = self._verdicts.pop((parcel.position, document.name))
            if verdict.is_told or not self.definition.answers_by_file:
                self.records.answered(parcel.position, document.name, verdict)

    async def _post(self, parcel: Parcel, document: Document) -> Verdict | NoVerdict:
        try:
            headers = await asyncio.to_thread(self._headers, parcel, document)
            answer = await self._client.request(
                "POST",
                self.definition.url,
                headers=headers,
                body=document.content,
                timeout_seconds=self.definition.timeout_seconds,
            )
        except UnusableSecretError as error:
            return NoVerdict(str(error))
        except OutboundError as error:
            return NoVerdict(str(error))
        return verdict_of(answer)

    def _headers(self, parcel: Parcel, document: Document) -> Mapping[str, str]:
        """Read from the files at each request: a key is exchanged without a restart."""
        headers = {**self.definition.headers, "Content-Type": document.media_type}
        if self.definition.key_file is not None:
            headers["Authorization"] = f"Bearer {self._secret(self.definition.key_file)}"
        if self.definition.secret_file is not None:
            secret = _signing_secret(self._secret(self.definition.secret_file))
            # The digest is part of the id: another log's release of the same position is another request.
            identifier = f"{parcel.key}-{sha256(document.name.encode() + document.content).hexdigest()[:32]}"
            timestamp = str(int(self._house.clock.now().timestamp()))
            signed = base64.b64encode(signature_of(secret, identifier, timestamp, document.content)).decode()
            headers |= {ID: identifier, TIMESTAMP: timestamp, SIGNATURE: f"v1,{signed}"}
        return headers

    def _secret(self, file: Path) -> str:
        path = self._data_dir / file
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableSecretError(f"{file}: cannot be read ({type(error).__name__})") from error
        if not text or not text.isprintable():
            raise UnusableSecretError(f"{file}: it must hold one line")
        return text


def _signing_secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(SIGNING_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnusableSecretError(f"a signing secret is {SIGNING_PREFIX} and base64") from error
    if not secret:
        raise UnusableSecretError("the signing secret is empty")
    return secret


def _remember(positions: set[int], position: int) -> None:
    if len(positions) >= MOST_REMEMBERED:
        positions.clear()
    positions.add(position)
