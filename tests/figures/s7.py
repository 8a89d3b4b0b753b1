"""S7: texts, names and addresses that attack mails, telephones and spreadsheets, through the real writers.

Whatever a warning, a name or an address holds, a mail has its own headers, recipients and parts, a short message has
no control and turns no direction, and no cell of an exported table is a formula. Some go through the channels to a
mail server and an SMSC, which must get as many messages as were sent, to those they were for.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from adapters.channels.mail_addresses import NotAnAddressError, mailbox
from adapters.channels.mail_html import HtmlWriter
from adapters.channels.mail_message import MessageWriter
from adapters.channels.port import Accepted, Channel, Letter
from adapters.channels.smpp_definition import SmppDefinition
from adapters.channels.smpp_writing import CannotBeSentError, Writer
from adapters.channels.spool import eml, short_text
from adapters.connections import parse_connections
from adapters.rosters.checking import RowCode, RowFinding
from adapters.rosters.importing import findings_as_csv
from adapters.sending.routes import routes_of
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.telling_events import SendText
from tests.conftest import PROJECT
from tests.figures.figure import Figure, Progress
from tests.figures.outlets import CONNECTIONS, MAIL_ROUTE, SMS_ROUTE
from tests.figures.s7_attacks import attack, attacked_address
from tests.figures.s7_judges import (
    bodies,
    in_mail,
    in_short_file,
    in_table,
    in_text,
    in_transfer,
    is_control,
    markup_of,
    read,
)
from tests.figures.s7_units import text_in
from tests.figures.servers import Servers

PROMISE = "header injection in mail, controls and direction marks in SMS, formulas in exports: none gets through"
SENDER = "warnings@outlet.example"
SOUND_MAIL, SOUND_PHONE = "reader@people.example", "+8613800000001"
MAIL_HEADERS = (
    *("To", "Message-ID", "From", "Subject", "Date", "Auto-Submitted", "Content-Language", "Content-Type"),
    *("MIME-Version", "Content-Transfer-Encoding"),
)
FILE_HEADERS = (
    *("From", "To", "Subject", "Date", "Message-ID", "Content-Language", "X-Outlet-Level", "X-Outlet-Mode"),
    *("X-Outlet-Warning", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
)
SHORT_HEADERS = ("To", "Id", "Language", "Level", "Mode", "Planned", "Warning")
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
CSV_WRITERS = frozenset({"adapters/rosters/importing.py"})
"""Every module that writes tables for people; another one is to be tried here as well."""

WRITES_TABLES = re.compile(r"csv\.(?:writer|DictWriter)\(|Workbook\(")
EVERY = 500
PLACES = 8
"""Where a letter is attacked: subject, body, SMS, warning, screen, address, number, and the row of a table."""

HAND_OVER_SECONDS = 120.0


@dataclass(frozen=True)
class Size:
    """How many letters go through the writers, each with attacks in eight places, and how many through channels."""

    letters: int
    through_channels: int


def measure(folder: Path, size: Size, chosen_seed: int, progress: Progress) -> Figure:
    """Try everything."""
    figure = Figure("S7", PROMISE)
    folder.mkdir(parents=True, exist_ok=True)
    random = Random(chosen_seed)
    attempt = _Attempt(figure, random)
    for number in range(size.letters):
        if number % EVERY == 0:
            progress(number, size.letters, "letters")
            attempt.renew()
        attempt.one()
    progress(size.letters, size.letters, "tables")
    _tables(folder, size, random, figure)
    progress(size.letters, size.letters, "servers")
    asyncio.run(_through_servers(folder, size.through_channels, random, figure))
    figure.counts["attacks"] = PLACES * size.letters
    figure.counts["got through"] = figure.counts.get("shortfalls", 0)
    return figure


def letter(random: Random, number: int = 1) -> Letter:
    """One with attacks in every text."""
    text = SendText(
        language=random.choice(("zh-CN", "en")), subject=attack(random), sms=attack(random), body=attack(random)
    )
    return Letter(
        id=f"7-{number}",
        number=number,
        address=SOUND_MAIL,
        mode=random.choice(tuple(Mode)),
        level=Level.YELLOW,
        warning_id=attack(random),
        text=text,
        planned_at=AT,
    )


class _Attempt:
    """One text after the other through every writer."""

    def __init__(self, figure: Figure, random: Random) -> None:
        self._figure = figure
        self._random = random
        self._html = HtmlWriter()
        self._sms = Writer(_sms_definition())
        self._markup: set[str] = set()
        self.renew()

    def renew(self) -> None:
        """Another name for the sender, which belongs to a route and not to a letter."""
        self._name = attack(self._random)
        self._mail = MessageWriter(
            self._html, sender=SENDER, sender_names={"zh-CN": self._name}, id_domain="outlet.example"
        )
        if not self._markup:
            sound = SendText(language="en", subject="a", sms="", body="a\n\nb\n\nhttps://outlet.example/w")
            for mode in Mode:
                one = replace(letter(self._random), text=sound, mode=mode)
                self._markup |= markup_of(bodies(read(_as_stored(self._mail_of(one))))[1])

    def _mail_of(self, one: Letter) -> bytes:
        return self._mail.content(one, mailbox(one.address))

    def one(self) -> None:
        """All writers and one odd address."""
        one = letter(self._random)
        for place, sentences in (
            ("mail", self._mail_with(one)),
            ("spooled mail", self._spooled_mail(one)),
            ("SMS", self._sms_with(one)),
            ("spooled SMS", self._spooled(one)),
            ("address", self._odd_address(one)),
        ):
            for sentence in sentences:
                self._figure.count(f"got through in a {place}")
                self._figure.must(False, f"{place}: {sentence}; {one.warning_id!r:.100} {one.text!r:.400}")

    def _mail_with(self, one: Letter) -> Iterator[str]:
        content = self._mail_of(one)
        yield from in_transfer(content)
        message = read(_as_stored(content))
        yield from in_mail(message, headers=MAIL_HEADERS, to=SOUND_MAIL, sender=SENDER)
        plain, html = bodies(message)
        if extra := markup_of(html) - self._markup:
            yield f"markup {extra}"
        kept = any(is_control(letter) for letter in set(plain) - set("\n\r\t"))
        self._figure.count("mails whose body keeps controls of the agency's text", int(kept))

    def _spooled_mail(self, one: Letter) -> Iterator[str]:
        try:
            content = eml(one, SENDER)
        except ValueError as error:
            yield f"not written: {error}"
        else:
            yield from in_mail(read(content), headers=FILE_HEADERS, to=SOUND_MAIL, sender=SENDER)

    def _sms_with(self, one: Letter) -> Iterator[str]:
        to = replace(one, address=SOUND_PHONE)
        try:
            units = self._sms.bodies(to, lambda: AT)
        except CannotBeSentError:
            self._figure.count("short messages refused")
            return
        found = text_in(units)
        if found.numbers != {SOUND_PHONE.removeprefix("+")}:
            yield f"to {found.numbers}"
        yield from in_text(found.text)

    def _spooled(self, one: Letter) -> Iterator[str]:
        content = short_text(replace(one, address=SOUND_PHONE), ChannelKind.SMS)
        yield from in_short_file(content, SHORT_HEADERS)
        screen = replace(one, address=attack(self._random))
        yield from in_short_file(short_text(screen, ChannelKind.SCREEN), SHORT_HEADERS)

    def _odd_address(self, one: Letter) -> Iterator[str]:
        """Refused, or one address that means itself."""
        odd = attacked_address(self._random, SOUND_MAIL)
        try:
            found = mailbox(odd)
        except NotAnAddressError:
            self._figure.count("addresses refused")
        else:
            content = self._mail.content(one, found)
            yield from in_transfer(content) if content.isascii() else ()
            if any(is_control(letter) or letter in " ,;<>" for letter in found.address):
                yield f"taken as an address: {found.address!r}"
        number = replace(one, address=attacked_address(self._random, SOUND_PHONE))
        try:
            numbers = text_in(self._sms.bodies(number, lambda: AT)).numbers
        except (CannotBeSentError, ValueError):
            self._figure.count("numbers refused")
        else:
            if not all(one.isdecimal() and one.isascii() for one in numbers):
                yield f"taken as a number: {numbers}"


def _as_stored(content: bytes) -> bytes:
    """Without its ending line, and dots undoubled."""
    return content[:-3].replace(b"\r\n..", b"\r\n.")


def _sms_definition() -> SmppDefinition:
    return SmppDefinition(
        id=SMS_ROUTE, host="127.0.0.1", port=2775, system_id="outlet", password_file=Path("none"), most_parts=255
    )


def _tables(folder: Path, size: Size, random: Random, figure: Figure) -> None:
    """Every export that is a table, with attacks in all its words."""
    rows = [RowFinding(row, "areas", RowCode.AREA, attack(random)) for row in range(size.letters)]
    path = folder / "findings.csv"
    findings_as_csv([one for one in rows if _is_text(one.sentence)], path)
    written = path.read_bytes().decode("utf-8-sig")
    for sentence in in_table(written, 1 + sum(_is_text(one.sentence) for one in rows)):
        figure.count("got through in a table")
        figure.must(False, f"table: {sentence}")
    figure.counts["rows of tables"] = len(rows)
    for module in sorted(PROJECT.glob("adapters/**/*.py")):
        name = module.relative_to(PROJECT).as_posix()
        known = name in CSV_WRITERS or not WRITES_TABLES.search(module.read_text(encoding="utf-8"))
        figure.must(known, f"{name} writes tables and is not tried here")


def _is_text(text: str) -> bool:
    """Half of a pair comes out of no file that is read as text."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


async def _through_servers(folder: Path, letters: int, random: Random, figure: Figure) -> None:
    """Letters by both channels: the servers get as many messages as were sent, each to whom it is for."""
    (folder / "smsc-password").write_text("secret\n")
    with Servers(folder / "servers", receipts="none") as servers:
        ports = {"mail_port": servers.mail.port, "sms_port": servers.sms.port}
        text = CONNECTIONS.format(mail_route=MAIL_ROUTE, sms_route=SMS_ROUTE, **ports)
        for route in routes_of(parse_connections(text).channels, folder):
            is_mail = route.channel.kind is ChannelKind.EMAIL
            some = [
                replace(
                    letter(random, number),
                    mode=Mode.LIVE,
                    address=f"r{number}@people.example" if is_mail else f"+86138{number:08d}",
                )
                for number in range(1, letters + 1)
            ]
            sent = await _sent(route.channel, some)
            told = (servers.mail if is_mail else servers.sms).told.read()
            came = [one.to for one in told.arrivals]
            figure.counts[f"letters that {route.channel.name} took"] = len(sent)
            figure.must(sorted(came) == sorted(sent), f"{route.channel.name}: {len(came)} came of {len(sent)}")
            for one in told.arrivals:
                bad = [letter for letter in set(one.words) - {"\n"} if is_control(letter)]
                figure.must(not bad, f"{route.channel.name} brought controls {bad!r}")


async def _sent(channel: Channel, letters: list[Letter]) -> list[str]:
    """To whom the server took something, as it knows them."""
    await channel.open()
    left = iter(letters)

    async def hand_over() -> list[str]:
        return [one.address.removeprefix("+") for one in left if isinstance(await channel.send(one), Accepted)]

    async with asyncio.timeout(HAND_OVER_SECONDS + len(letters)):
        taken = await asyncio.gather(*(hand_over() for _ in range(channel.window)))
    await channel.close()
    return [address for some in taken for address in some]
