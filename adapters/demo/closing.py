"""The end of the demonstration: what is still in force, and why one warning says what it says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.demo.looks import Looks
from adapters.demo.replay import Step
from adapters.demo.telling import print_indented
from adapters.wiring import Platform
from domain.callup_events import CallUpConfirmed, CallUpsOpened
from domain.event import Event
from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import TellingPlanned
from projections.board import board
from projections.explanation import Explanation, SectionExplained, explain
from projections.history import find_warning
from projections.words import is_chinese
from streams.intake import Outcome

DIGEST_SHOWN = 12
"""Characters of a SHA-256 that are enough to tell messages apart on a screen."""

IN_CHINESE: Mapping[Outcome, str] = {
    Outcome.ACCEPTED: "接收",
    Outcome.DUPLICATE: "重复",
    Outcome.CONFLICTING_COPY: "同号异文",
    Outcome.REJECTED: "拒收",
}


def tell_the_board(console: Console, looks: Looks, platform: Platform) -> None:
    """A table of everything in force at the end."""
    names = {area.code: area.name for area in platform.gazetteer.districts()}
    now = platform.clock.now()
    shown = board(platform.tables, at=now, mode=Mode.LIVE, policy=platform.policy, gazetteer_names=names)
    table = Table(title=looks.both(f"{looks.time(now)} 生效中", f"in force at {looks.time(now)}"), title_justify="left")
    for chinese, english in (("区县", "district"), ("级别", "level"), ("灾种", "hazard"), ("区域", "areas")):
        table.add_column(looks.both(chinese, english))
    table.add_column(looks.both("发布单位", "issued by"))
    for entry in shown["districts"]:
        for section in entry["sections"]:
            areas = Text("、" if is_chinese(looks.languages[0]) else ", ").join(
                Text(area["name"]) for area in section["areas"]
            )
            issuers = looks.agencies([issuer["id"] for issuer in section["issuers"]])
            hazard = looks.hazard(section["hazard"]["code"])
            level = looks.level(Level(section["level"]))
            table.add_row(Text(f"{entry['name']} {entry['code']}"), level, Text(hazard), areas, Text(issuers))
    console.print(table)


def tell_why(console: Console, looks: Looks, platform: Platform, district: str) -> None:
    """Why the district's newest warning says what it says, in each language that was asked for.

    Raises:
        LookupError: the district never had a warning.
    """
    warning_id = find_warning(platform.tables, district)
    for language in looks.languages:
        why = explain(platform.log, platform.tables, warning_id, policy=platform.policy, language=language)
        for line in _why(why, Looks(platform.policy, (language,))):
            print_indented(console, line)


def _why(why: Explanation, looks: Looks) -> Iterable[Text]:
    yield Text("")
    title = looks.both(f"为什么：{why.district} 第{why.revision}版", f"Why: {why.district}, revision {why.revision}")
    yield Text.assemble((title, "bold underline"), (f"  {why.warning_id}", "dim"))
    for section in why.sections:
        yield from _section(section, looks)
    if why.release is not None:
        yield Text(f"  ▶ {why.release.identifier} {why.release.at}: {why.release.sentence}", style="green")


def _section(section: SectionExplained, looks: Looks) -> Iterable[Text]:
    line = Text("  ")
    line.append_text(looks.level(Level(section.level)))
    line.append(f" {looks.hazard(section.hazard['code'])}", style="bold")
    yield line
    for source in section.sources:
        areas = ", ".join(area["name"] for area in source.areas)
        said = Text(f"    ← {looks.agencies([source.agency['id']])}: ")
        said.append_text(looks.level(Level(source.level)))
        said.append(f" {areas}  {source.identifier}")
        said.append(f"  sha256 {(source.raw_sha256 or '')[:DIGEST_SHOWN]}…", style="dim")
        yield said
    for applied in section.applied:
        yield Text(f"    · {applied.sentence}", style="dim")


def tell_the_sum(console: Console, looks: Looks, steps: Sequence[Step]) -> None:
    """How many messages came and what became of them."""
    outcomes: Counter[str] = Counter()
    releases = 0
    for step in steps:
        outcomes.update(receipt.outcome.value for receipt in step.receipts)
        releases += sum(isinstance(event, WarningReleased) for event in step.events)
    chinese = "、".join(f"{IN_CHINESE[Outcome(outcome)]}{count}" for outcome, count in sorted(outcomes.items()))
    english = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    words = looks.both(f"报文：{chinese}；发布{releases}次", f"messages: {english}; {releases} releases")
    print_indented(console, Text(words))
    events = [event for step in steps for event in step.events]
    print_indented(console, Text(_people(looks, events)))


def _people(looks: Looks, events: Sequence[Event]) -> str:
    """How many letters went out, and how call-ups ended; drills are counted apart from all of it."""
    planned = [event for event in events if isinstance(event, TellingPlanned) and event.mode is Mode.LIVE]
    told = sum(send.count for event in planned for send in event.sends)
    withheld = sum(one.count for event in planned for one in event.withheld)
    opened = [event for event in events if isinstance(event, CallUpsOpened) and event.mode is Mode.LIVE]
    posts = sum(len(event.posts) for event in opened)
    confirmed = sum(isinstance(event, CallUpConfirmed) and event.mode is Mode.LIVE for event in events)
    return looks.both(
        f"告知{told}人次，{withheld}人次不需告知；叫应{posts}处次，{confirmed}处次确认",
        f"people: told {told} times, withheld {withheld} times; {posts} posts called up, {confirmed} confirmed",
    )
