"""The default channel: every letter becomes a file, `.eml` or `.sms`, and nothing leaves the machine.

A letter's file is named after the letter, so a repetition replaces it with the same. Drills have a folder of their own.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from adapters.channels.plain import plain_line, plain_text
from adapters.channels.port import Accepted, DeliveryReceipt, Incoming, Later, Letter, Outcome, Refused
from domain.messages import Mode
from domain.recipients import ChannelKind

DRILL: Final = "drill"
ENDINGS: Final = {
    ChannelKind.EMAIL: "eml",
    ChannelKind.SMS: "sms",
    ChannelKind.SCREEN: "screen",
    ChannelKind.VOICE: "voice",
}
LONGEST_ADDRESS: Final = 320

_NOT_IN_A_FILE_NAME: Final = re.compile(r"[^0-9A-Za-z._-]")
_TELEPHONE: Final = re.compile(r"\+?[0-9]{3,20}")


class Spool:
    """Writes letters of one kind into a folder."""

    def __init__(self, folder: Path, kind: ChannelKind, *, sender: str, name: str = "", window: int = 64) -> None:
        """`sender` is the address that mails come from. The folder is made when it is first needed."""
        self._folder = folder
        self._kind = kind
        self._sender = sender
        self._name = name or f"spool-{kind.value}"
        self._window = window

    @property
    def name(self) -> str:
        """The route's name."""
        return self._name

    @property
    def kind(self) -> ChannelKind:
        """What it stands in for."""
        return self._kind

    @property
    def window(self) -> int:
        """How many files may be under way at once."""
        return self._window

    async def open(self) -> None:
        """Nothing is to be done beforehand."""

    async def send(self, letter: Letter) -> Outcome:
        """Write the letter's file, durably and whole."""
        try:
            content = eml(letter, self._sender) if self._kind is ChannelKind.EMAIL else short_text(letter, self._kind)
        except ValueError as error:
            return Refused(str(error))
        try:
            await asyncio.to_thread(self._write, letter, content)
        except OSError as error:
            return Later(f"the spool cannot be written: {error.strerror}", is_route_down=True)
        return Accepted(reference=letter.id)

    def _write(self, letter: Letter, content: bytes) -> None:
        folder = self._folder / DRILL if letter.mode is Mode.DRILL else self._folder
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{_NOT_IN_A_FILE_NAME.sub('_', letter.id)}.{ENDINGS[self._kind]}"
        part = folder / f".{name}.part"
        # Addresses stand in these files: they are for their owner alone.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)

    async def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        """Nothing comes back from a folder."""
        nothing: tuple[DeliveryReceipt, ...] = ()
        for receipt in nothing:
            yield receipt

    async def close(self) -> None:
        """Nothing is held."""


def forget(folder: Path, numbers: Iterable[int]) -> int:
    """Delete the files of these recipients, drills included, since addresses stand in them; how many there were.

    Raises:
        OSError: one cannot be deleted.
    """
    wanted = {str(number) for number in numbers}
    found = [path for path in folder.rglob("*-*.*") if path.stem.rpartition("-")[2] in wanted and path.is_file()]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def eml(letter: Letter, sender: str) -> bytes:
    """The letter as a mail (RFC 5322).

    Raises:
        ValueError: its address is none to which a mail can go.
    """
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = mail_address(sender)
    message["To"] = mail_address(letter.address)
    message["Subject"] = _header(letter.text.subject)
    message["Date"] = format_datetime(letter.planned_at)
    message["Message-ID"] = f"<{_NOT_IN_A_FILE_NAME.sub('_', letter.id)}@{mail_address(sender).domain}>"
    message["X-Outlet-Level"] = letter.level.value
    message["X-Outlet-Mode"] = letter.mode.value
    message["X-Outlet-Warning"] = _header(letter.warning_id)
    if letter.repeated:
        message["X-Outlet-Repeated"] = "yes"
    message.set_content(plain_text(letter.text.body))  # which drops a language that is set before it
    message["Content-Language"] = _header(letter.text.language)
    return message.as_bytes()


def _header(text: str) -> str:
    """The text on one line; an encoded word (RFC 2047) in it stays text, or decoding would add headers to the mail."""
    return plain_line(text).replace("=?", "= ?")


def mail_address(address: str) -> Address:
    """One mail address, and nothing but one.

    Raises:
        ValueError: it is something else; the sentence does not repeat it.
    """
    is_odd = len(address) > LONGEST_ADDRESS or address != plain_line(address) or any(c in address for c in ' ,;<>"')
    try:
        found = None if is_odd else Address(addr_spec=address)
    except (ValueError, IndexError, MessageError):
        found = None
    if found is None or not found.username or not found.domain:
        raise ValueError("no address to which a mail can go")
    return found


def short_text(letter: Letter, kind: ChannelKind) -> bytes:
    """The letter as a text message: who it is for and what it is, an empty line, and the text.

    Raises:
        ValueError: its address is no telephone number, where it has to be one.
    """
    if kind is not ChannelKind.SCREEN and not _TELEPHONE.fullmatch(letter.address):
        raise ValueError("no telephone number")
    headers = {
        "To": plain_line(letter.address),
        "Id": letter.id,
        "Language": plain_line(letter.text.language),
        "Level": letter.level.value,
        "Mode": letter.mode.value,
        "Planned": letter.planned_at.isoformat(),
        "Warning": plain_line(letter.warning_id),
        **({"Repeated": "yes"} if letter.repeated else {}),
    }
    head = "\n".join(f"{name}: {value}" for name, value in headers.items())
    return f"{head}\n\n{plain_text(letter.text.sms)}\n".encode()
