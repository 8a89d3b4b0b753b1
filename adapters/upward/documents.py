"""A release as the documents that a parent system takes: their names, bytes and media types.

The same release makes the same names and bytes every time, after a crash as well: everything in them comes from the
release, from the policy of its own time, and from the parent's entry in `connections.toml`. See decision 9 for names.
"""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final

from adapters.cn12379.names import BEIJING, MalformedNameError
from adapters.cn12379.writer import Cn12379Writer
from adapters.upward.definition import Form, Names, ParentDefinition, Way
from domain.events import WarningReleased
from domain.passing_up import messages_for, sender_code_towards, under_sender_code
from domain.policy import Policy
from domain.ports import Gazetteer

CAP_TYPE: Final = "application/cap+xml"
XML_TYPE: Final = "application/xml"
ZIP_TYPE: Final = "application/zip"

_NOT_IN_A_FILE_NAME: Final = re.compile(r"[^0-9A-Za-z._-]")
_FIRST_ZIP_YEAR: Final = 1980


@dataclass(frozen=True, slots=True)
class Document:
    """One document; `name` may begin with a folder, and is how the parent names it when it answers."""

    name: str
    content: bytes
    media_type: str


class NoDocumentError(Exception):
    """A release has no document in this form, and why."""


def documents_of(
    definition: ParentDefinition, release: WarningReleased, policy: Policy, gazetteer: Gazetteer
) -> tuple[Document, ...]:
    """What goes up of a release, in order, at least one.

    Raises:
        NoDocumentError: there is nothing in this form.
    """
    if definition.form is Form.CAP:
        if not release.cap:
            raise NoDocumentError("the release went out without a CAP document; see `outlet parked`")
        name = f"{_NOT_IN_A_FILE_NAME.sub('_', release.identifier)}.xml"
        return (Document(name, release.cap.encode(), CAP_TYPE),)
    return _section_documents(definition, release, policy, gazetteer)


def _section_documents(
    definition: ParentDefinition, release: WarningReleased, policy: Policy, gazetteer: Gazetteer
) -> tuple[Document, ...]:
    own = policy.outlet.sender_code
    towards = sender_code_towards(
        own, instead=definition.sender_code or "", units=definition.unit_codes, district=release.district
    )
    known = under_sender_code(release, own, towards)
    theirs = policy.model_copy(update={"outlet": policy.outlet.model_copy(update={"sender_code": towards})})
    try:
        writer = Cn12379Writer(theirs, gazetteer)
    except MalformedNameError as error:
        raise NoDocumentError(str(error)) from error
    made: dict[str, Document] = {}
    for message in messages_for(definition.wish, known.section_messages):
        alone = known.model_copy(update={"section_messages": (message,)})
        for name, content in writer.write(alone):
            sequence = message.identifier.rpartition("_")[2]
            document = _document(definition, alone, name, content, sequence=sequence, taken=frozenset(made))
            made[document.name] = document
    if not made:
        raise NoDocumentError("no 12379 form: the outlet has no sender code, or the hazards no national event type")
    return tuple(made.values())


def _document(
    definition: ParentDefinition,
    release: WarningReleased,
    prescribed: str,
    content: bytes,
    *,
    sequence: str,
    taken: frozenset[str],
) -> Document:
    stem = PurePosixPath(prescribed).stem
    ending = ".zip" if definition.is_zipped else ".XML"
    numbered = f"{stem}_{sequence}{ending}"
    name = numbered
    if definition.by is Way.FOLDER and definition.names is Names.PRESCRIBED:
        folder = "" if release.district in definition.unit_codes else f"{release.district}/"
        name = f"{folder}{stem}{ending}"
        # Two hazards of one national type at one level: the second has to keep its number.
        name = f"{folder}{numbered}" if name in taken else name
    if not definition.is_zipped:
        return Document(name, content, XML_TYPE)
    return Document(name, _zipped(prescribed, content, release), ZIP_TYPE)


def _zipped(name: str, content: bytes, release: WarningReleased) -> bytes:
    """A zip of this one file; its time is the release's, so that the bytes are the same whenever it is made."""
    moment = release.at.astimezone(BEIJING)
    stamp = (max(moment.year, _FIRST_ZIP_YEAR), moment.month, moment.day, moment.hour, moment.minute, moment.second)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name, stamp)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, content)
    return packed.getvalue()
