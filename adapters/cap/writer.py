"""Writes a release as one CAP 1.2 document: an `info` for each section and each of the outlet's languages.

What a block holds is `writer_info.py`; the words in it are `writer_words.py`. Signing is not done here.
"""

import re
from collections.abc import Collection
from datetime import datetime

from adapters.cap.vocabulary import CAP_1_2
from adapters.cap.writer_info import Block, InfoWriter
from adapters.cap.writer_words import lifted_sentences, marked, written_time
from domain.event import Event
from domain.events import WarningReleased
from domain.messages import MessageType, Mode
from domain.policy import Policy
from domain.ports import Gazetteer

DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>\n"
NAMESPACE = f' xmlns="{CAP_1_2}"'

_NOT_IN_A_FILE_NAME = re.compile(r"[^0-9A-Za-z._-]")


class CapWriter:
    """A `WarningWriter` for CAP 1.2. The same release under the same policy gives the same bytes."""

    def __init__(self, policy: Policy, gazetteer: Gazetteer) -> None:
        self._policy = policy
        self._gazetteer = gazetteer

    def write(self, release: Event) -> Collection[tuple[str, bytes]]:
        """The one document of the release in UTF-8, under the name of its identifier.

        Raises:
            TypeError: the event is no release.
        """
        if not isinstance(release, WarningReleased):
            raise TypeError(f"only a release can be written, not {release.TOPIC}")
        name = _NOT_IN_A_FILE_NAME.sub("_", release.identifier)
        return [(f"{name}.xml", self.document(release).encode())]

    def document(self, release: WarningReleased) -> str:
        """The release as text of an XML document that satisfies the CAP 1.2 schema and declares UTF-8."""
        alert = Block("alert")
        self._head(alert, release)
        self._infos(alert, release)
        return f"{DECLARATION}{alert.written(NAMESPACE)}"

    def _head(self, alert: Block, release: WarningReleased) -> None:
        alert.add("identifier", release.identifier)
        alert.add("sender", release.sender)
        alert.add("sent", written_time(release.at, self._policy.zone))
        alert.add("status", "Actual" if release.mode is Mode.LIVE else "Exercise")
        alert.add("msgType", release.message_type.value)
        alert.add("scope", "Public")
        alert.add("note", self._note(release))
        alert.add("references", " ".join(self._reference(triple) for triple in release.references))

    def _note(self, release: WarningReleased) -> str:
        """What the release lifts, in the outlet's languages: an update holds no block for what is gone."""
        sentences = [
            marked(self._policy, release.mode, language, sentence)
            for language in self._policy.outlet.languages
            for sentence in lifted_sentences(self._policy, release, language).values()
        ]
        return "\n".join(dict.fromkeys(sentences))

    def _reference(self, triple: str) -> str:
        """An earlier release's triple, its time written as that document wrote it."""
        name, _, sent = triple.rpartition(",")
        return f"{name},{written_time(datetime.fromisoformat(sent), self._policy.zone)}"

    def _infos(self, alert: Block, release: WarningReleased) -> None:
        """The sections in force or, in a cancel, those that were lifted.

        An update has no block for a lifted section: a reader that knows no responseType would take it for one in
        force.
        """
        infos = InfoWriter(self._policy, self._gazetteer, release)
        for section in release.sections:
            for language in self._policy.outlet.languages:
                infos.in_force(alert.fresh_block("info"), section, language)
        if release.message_type is MessageType.CANCEL:
            for message in release.section_messages:
                for language in self._policy.outlet.languages:
                    infos.lifted(alert.fresh_block("info"), message.section, language)
