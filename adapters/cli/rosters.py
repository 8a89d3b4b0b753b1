"""`outlet roster`: the people who must be told: lists taken in, compared, asked, and single persons erased."""

import getpass
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress

from adapters.cli.common import (
    REFUSED,
    USAGE,
    JsonOption,
    ModeOption,
    district_named,
    err,
    fail,
    platform_of,
    print_json,
    reading_of,
)
from adapters.cli.looks import clock_text, print_table, say
from adapters.rosters.columns import mapping_in
from adapters.rosters.tables import rows_in
from adapters.vault.vault import Contact, vault_of
from adapters.wiring import ReadSide
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.rosters import difference
from domain.routing import Told
from projections import rosters

if TYPE_CHECKING:  # a command loads what it needs, so that the others start fast
    from pyroaring import FrozenBitMap

    from adapters.audience.who import Who
    from adapters.rosters.importing import CheckedTable

commands = typer.Typer(no_args_is_help=True, help="The people who must be told: take lists in, compare, ask, erase.")

RosterArgument = Annotated[str, typer.Argument(metavar="ROSTER", help="The roster's name.")]
MOST_FINDINGS = 20


@commands.command("import")
def import_roster(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A .csv or .xlsx table, its first row the headings.")],
    *,
    roster: Annotated[str, typer.Option("--roster", help="The roster's name; a new name makes a new roster.")],
    mode: ModeOption = Mode.LIVE,
    columns: Annotated[
        Path | None, typer.Option("--columns", help="A TOML file with [columns] of field = heading.")
    ] = None,
    region: Annotated[str, typer.Option("--region", help="Country of numbers without a country code.")] = "CN",
    role: Annotated[str, typer.Option("--role", help="The role of rows that name none.")] = "",
    report: Annotated[Path | None, typer.Option("--report", help="Write every bad row to this CSV file.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check alone; take nothing in.")] = False,
    json: JsonOption = False,
) -> None:
    """Take a list of people in as the next version of a roster: whole, or not at all if any row is bad.

    Whoever stays on the list keeps their number; telephone numbers, addresses and names go to the contact vault alone.
    """
    from adapters.rosters.book import RosterBook
    from adapters.rosters.importing import check_table, findings_as_csv, preview

    with platform_of(context) as platform, vault_of(platform.settings) as vault:
        book = RosterBook(platform.log, platform.tables, platform.runner, vault)
        table = rows_in(file)
        with Progress(console=err, transient=True) as progress:
            task = progress.add_task("checking", total=len(table.rows))
            checked = check_table(
                table,
                platform.policy,
                platform.gazetteer,
                mapping=mapping_in(columns) if columns else None,
                region=region,
                role=role,
                advance=lambda count: progress.advance(task, count),
            )
        if report is not None:
            findings_as_csv(checked.findings, report)
        if not checked.is_good:
            _refuse(checked, report, json=json)
        if check:
            _, before = book.standing(roster, mode)
            known, new = preview(checked.entries, before, vault)
            _tell(checked, {"known": known, "new": new, "taken_in": False}, json=json)
            return
        now: datetime = platform.clock.now()
        found, version = book.take_in(
            checked.entries, roster=roster, mode=mode, source=file.name, by=getpass.getuser(), now=now
        )
        platform.runner.pump()
        change = found.difference
        counts = {"entered": len(change.entered), "changed": len(change.changed), "left": len(change.left)}
        _tell(checked, {"roster": roster, "version": version, **counts, "taken_in": True}, json=json)


def _refuse(checked: "CheckedTable", report: Path | None, *, json: bool) -> None:
    if json:
        print_json({**_summary(checked), "taken_in": False})
        raise typer.Exit(REFUSED)
    for one in checked.findings[:MOST_FINDINGS]:
        err.print(f"row {one.row}, {one.field}: {one.code.value}: {one.sentence}", markup=False, highlight=False)
    left = len(checked.findings) - MOST_FINDINGS
    if left > 0:
        where = f"all are in {report}" if report else "--report FILE writes all of them"
        err.print(f"… and {left} more; {where}", markup=False, highlight=False)
    bad = len({one.row for one in checked.findings})
    fail(f"nothing was taken in: {bad} of {checked.rows} rows are bad" if bad else "the table has no rows")


def _summary(checked: "CheckedTable") -> dict[str, Any]:
    return {
        "rows": checked.rows,
        "columns_passed_over": list(checked.passed_over),
        "findings": [{**asdict(one), "code": one.code.value} for one in checked.findings],
    }


def _tell(checked: "CheckedTable", counts: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json({**_summary(checked), **counts})
        return
    if checked.passed_over:
        say(f"columns passed over: {', '.join(checked.passed_over)}")
    say(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in {"rows": checked.rows, **counts}.items()))


@commands.command("list")
def list_rosters(context: typer.Context, *, json: JsonOption = False) -> None:
    """List all rosters with their newest versions."""
    with reading_of(context) as read:
        found = [rosters.document(row, read.policy.zone) for row in rosters.newest(read.tables)]
    _show_versions(found, json=json)


@commands.command("versions")
def list_versions(context: typer.Context, roster: RosterArgument, *, json: JsonOption = False) -> None:
    """List every version of a roster, the newest first."""
    with reading_of(context) as read:
        found = [rosters.document(row, read.policy.zone) for row in _versions(read, roster)]
    _show_versions(found, json=json)


def _versions(read: ReadSide, roster: str) -> list[rosters.RosterRow]:
    rows = list(rosters.versions(read.tables, roster))
    if not rows:
        known = ", ".join(row.roster for row in rosters.newest(read.tables)) or "none"
        raise LookupError(f"no roster {roster!r}; there are: {known}")
    return rows


def _show_versions(found: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        print_json({"rosters": found})
        return
    columns = ("roster", "mode", "version", "at", "recipients", "entered", "changed", "left", "source", "by")
    print_table(columns, [[*(clock_text(one[c]) if c == "at" else str(one[c]) for c in columns)] for one in found])


@commands.command("diff")
def diff(
    context: typer.Context,
    roster: RosterArgument,
    earlier: Annotated[int | None, typer.Argument(help="A version; else the one before the newest.")] = None,
    later: Annotated[int | None, typer.Argument(help="A version; else the newest.")] = None,
    *,
    json: JsonOption = False,
) -> None:
    """Show who came, changed and left between two versions, by their numbers."""
    from adapters.rosters.book import recipients_of

    with reading_of(context) as read:
        by_version = {row.version: row for row in _versions(read, roster)}
        last = later if later is not None else max(by_version)
        first = earlier if earlier is not None else last - 1
        for wanted in {first, last} - {0} - by_version.keys():
            raise LookupError(f"roster {roster} has no version {wanted}; it has 1 to {max(by_version)}")
        before = recipients_of(read.log, by_version[first]) if first else {}
        found = difference(before, recipients_of(read.log, by_version[last]))
    document = {"roster": roster, "from": first, "to": last, **asdict(found)}
    if json:
        print_json(document)
        return
    rows = [(word, str(number)) for word in ("entered", "changed", "left") for number in getattr(found, word)]
    print_table(("change", "number"), rows)


@commands.command("who")
def who(
    context: typer.Context,
    district: Annotated[str | None, typer.Argument(metavar="[DISTRICT]", help="A district's code or name.")] = None,
    *,
    warning: Annotated[str | None, typer.Option("--warning", help="Only if this warning stands there.")] = None,
    afresh: Annotated[bool, typer.Option("--afresh", help="As if nobody had been told of it yet.")] = False,
    hazard: Annotated[str | None, typer.Option("--hazard", help="Ask about a hazard that is not in force.")] = None,
    level: Annotated[Level, typer.Option("--level", help="The level to ask about.")] = Level.RED,
    areas: Annotated[list[str] | None, typer.Option("--area", help="The area's code; may be repeated.")] = None,
    mode: ModeOption = Mode.LIVE,
    json: JsonOption = False,
) -> None:
    """Show who would be told, by hazard, role and channel, and who would not and why; nothing is sent.

    Of a district's warning: all that it says now, what is held included, to those who do not know it yet. With
    --hazard and --area: a warning that nobody has issued, beside all that is public there.
    """
    from adapters.audience.index import RosterAudience
    from adapters.audience.who import who as asked_who
    from adapters.audience.who import who_of_content, who_of_warning

    with reading_of(context) as read:
        audience = RosterAudience(read.log, read.gazetteer, code_system=read.policy.gazetteer.geocode_system)
        audience.follow(read.log.head())
        if hazard is not None:
            codes = areas or ([district_named(read.gazetteer, district).code] if district else [])
            if not codes:
                fail("--hazard needs an --area or a district", USAGE)
            now = datetime.now(read.policy.zone)
            found = list(
                who_of_content(
                    read.log,
                    audience,
                    read.policy,
                    read.gazetteer,
                    hazard=hazard,
                    level=level,
                    codes=codes,
                    at=now,
                    mode=mode,
                )
            )
        elif district is None:
            fail("name a district, or a --hazard and an --area", USAGE)
        else:
            code = district_named(read.gazetteer, district).code
            found = [who_of_warning(read.log, audience, read.policy, code, mode, warning_id=warning or "")]
        if afresh:
            covers = read.policy.telling.covers
            found = [asked_who(replace(one.asked, told=Told()), audience, covers) for one in found]
    documents = [_who(one) for one in found]
    if json:
        print_json({"districts": documents})
        return
    for document in documents:
        say(f"{document['district']}: {document['people']} people")
        rows = [("told", one["what"], "", str(one["people"])) for one in document["sends"]]
        rows += [("withheld", one["hazard"], one["reason"], str(one["people"])) for one in document["withheld"]]
        rows += [(kind, name, "", str(n)) for kind in ("role", "channel") for name, n in document[kind].items()]
        print_table(("", "what", "reason", "people"), rows)


def _who(found: "Who[FrozenBitMap]") -> dict[str, Any]:
    return {
        "district": found.asked.district,
        "mode": found.asked.mode.value,
        "warning_id": found.asked.warning_id or None,
        "people": found.people,
        "sends": [
            {"what": ", ".join(f"{i.hazard} {i.kind.value} {i.level.value}" for i in items), "people": people}
            for items, people in found.sends
        ],
        "withheld": [
            {"hazard": hazard, "reason": reason.value, "people": people} for hazard, reason, people in found.withheld
        ],
        "role": dict(sorted(found.by_role.items())),
        "channel": {kind.value: people for kind, people in found.by_channel.items()},
    }


@commands.command("find")
def find(
    context: typer.Context,
    *,
    phone: Annotated[str | None, typer.Option("--phone", help="A telephone number.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="A mail address.")] = None,
    region: Annotated[str, typer.Option("--region", help="Country of numbers without a country code.")] = "CN",
    json: JsonOption = False,
) -> None:
    """Find the numbers under which a contact is entered."""
    contacts = _contacts(phone, email, region)
    with reading_of(context) as read, vault_of(read.settings) as vault:
        numbers = sorted({number for found in vault.found(contacts).values() for number in found})
    if json:
        print_json({"numbers": numbers})
        return
    print_table(("number",), [(str(number),) for number in numbers])


@commands.command("erase")
def erase(
    context: typer.Context,
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[NUMBER]...", help="Recipient numbers.")] = None,
    *,
    phone: Annotated[str | None, typer.Option("--phone", help="Everyone entered with this number.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="Everyone entered with this address.")] = None,
    region: Annotated[str, typer.Option("--region", help="Country of numbers without a country code.")] = "CN",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the log. No personal data.")],
    json: JsonOption = False,
) -> None:
    """Erase people: their keys are destroyed, and what was kept of them can be read by nobody any more.

    Their files in the spool are deleted as well.
    """
    from adapters.channels.spool import forget
    from adapters.rosters.book import RosterBook
    from adapters.sending.service import SPOOL_FOLDER

    with platform_of(context, must_exist=True) as platform, vault_of(platform.settings) as vault:
        wanted = set(numbers or [])
        if phone or email:
            found = vault.found(_contacts(phone, email, region))
            wanted |= {number for entered in found.values() for number in entered}
        now: datetime = platform.clock.now()
        book = RosterBook(platform.log, platform.tables, platform.runner, vault)
        erased = book.erase(sorted(wanted), reason=reason, now=now)
        forget(platform.settings.data_dir / SPOOL_FOLDER, erased)
    if json:
        print_json({"erased": list(erased)})
        return
    if not erased:
        fail("nobody by that number or contact is entered")
    say(f"erased: {', '.join(map(str, erased))}")


def _contacts(phone: str | None, email: str | None, region: str) -> list[Contact]:
    from adapters.rosters.checking import masked, telephone_number

    found: list[Contact] = []
    if phone is not None:
        number = telephone_number(phone, region)
        if number is None:
            fail(f"{masked(phone)} is no telephone number of {region}", USAGE)
        found += [Contact(ChannelKind.SMS, number), Contact(ChannelKind.VOICE, number)]
    if email is not None:
        found.append(Contact(ChannelKind.EMAIL, email))
    if not found:
        fail("give a number, --phone or --email", USAGE)
    return found
