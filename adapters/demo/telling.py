"""Tells the steps of the replay as they happen: what came, what became of it, what each district's warning is now."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.text import Text

from adapters.demo.looks import Looks
from adapters.demo.replay import Step
from adapters.demo.telling_people import PeopleTeller
from domain.event import Event
from domain.events import ConflictFlagged, OutletRevised, ReleaseScheduled, WaitEnded, WarningReleased
from domain.messages import Mode
from domain.ports import Gazetteer
from domain.texts import sms_segments
from projections.words import is_chinese
from streams.intake import Outcome, Receipt

OUTCOMES = {
    Outcome.ACCEPTED: ("✓ 接收", "✓ accepted", "green"),
    Outcome.DUPLICATE: ("= 重复，已记录", "= duplicate, recorded", "cyan"),
    Outcome.CONFLICTING_COPY: ("≠ 同号异文，以先到者为准", "≠ conflicting copy, the first stands", "magenta"),
    Outcome.REJECTED: ("✗ 拒收", "✗ rejected", "bold red"),
}

NARROWEST = 20


def print_indented(console: Console, line: Text) -> None:
    """Print a line; where it is too long, what follows stands under its beginning."""
    indent = " " * (len(line.plain) - len(line.plain.lstrip(" ")))
    for piece in line[len(indent) :].wrap(console, max(console.width - len(indent), NARROWEST)):
        console.print(Text(indent) + piece, highlight=False, soft_wrap=True)


class Teller:
    """Prints steps on a console; nothing that a message says is ever taken for markup."""

    def __init__(self, console: Console, looks: Looks, gazetteer: Gazetteer) -> None:
        """The console decides about colours and width."""
        self._console = console
        self._looks = looks
        self._gazetteer = gazetteer
        self._people = PeopleTeller(looks, self._district)

    def tell(self, step: Step) -> None:
        """Print one step; a step in which nobody would see anything change is passed over."""
        if step.reply is not None:
            self._head(step.at, self._looks.both("回复", "reply"), step.reply.zh, step.reply.en)
        if step.arrival is not None:
            arrival = step.arrival
            self._head(step.at, self._looks.agencies([arrival.agency]), arrival.zh, arrival.en)
            for receipt in step.receipts:
                self._receipt(receipt, listed=step.arrival.is_list)
        told = [line for event in step.events for line in self._event(event)]
        if step.arrival is None and step.reply is None and told:
            self._say(Text.assemble((f"{self._looks.time(step.at)} ", "bold"), self._looks.both("⏱ 时钟", "⏱ clock")))
        for line in told:
            self._say(line)

    def _say(self, line: Text) -> None:
        print_indented(self._console, line)

    def _head(self, at: datetime, who: str, chinese: str, english: str) -> None:
        looks = self._looks
        self._console.print()
        head = Text.assemble((f"{looks.time(at)} ", "bold"), (who, "bold cyan"))
        for language in looks.languages:
            head.append(f"  {chinese if is_chinese(language) else english}")
        self._say(head)

    def _receipt(self, receipt: Receipt, *, listed: bool) -> None:
        chinese, english, style = OUTCOMES[receipt.outcome]
        line = Text("  ")
        line.append(self._looks.both(chinese, english), style=style)
        if listed:
            line.append(f" {receipt.source.rpartition('#')[2]}", style="dim")
        if receipt.effect:
            line.append(f" — {self._looks.word(receipt.effect)}", style="yellow")
        self._say(line)
        for finding in receipt.findings:
            mark, colour = ("✗", "red") if finding.refuses else ("·", "dim")
            self._say(Text(f"    {mark} {finding.code.value}: {finding.sentence}", style=colour))

    def _event(self, event: Event) -> Iterable[Text]:
        match event:
            case OutletRevised():
                yield from self._revision(event)
            case ConflictFlagged():
                yield self._conflict(event)
            case WarningReleased():
                yield from self._release(event)
            case ReleaseScheduled():
                due = self._looks.time(event.due)
                words = self._looks.both(f"合并等待至 {due}", f"waits for others until {due}")
                yield Text(f"    … {self._district(event.district)} {words}", style="dim")
            case WaitEnded():
                words = self._looks.both(
                    "首报未到，以最新更新报为准", "no first message came: the newest update speaks"
                )
                yield Text(f"  {words}", style="yellow")
            case _:  # the other facts are for the history, not for a story
                yield from self._people.lines(event)

    def _district(self, code: str) -> str:
        area = self._gazetteer.area(code)
        return f"{area.name if area else code} {code}"

    def _revision(self, event: OutletRevised) -> Iterable[Text]:
        looks = self._looks
        line = Text("  ")
        if event.mode is Mode.DRILL:
            line.append(looks.both("【演练】", "[DRILL] "), style="bold magenta")
        line.append(self._district(event.district), style="bold")
        line.append(f" {looks.both(f'第{event.revision}版', f'revision {event.revision}')} ")
        if not event.sections:
            line.append(looks.both("全部解除", "nothing in force any more"), style="green")
        for number, section in enumerate(event.sections):
            line.append("  " if number else " ")
            line.append_text(looks.section(section))
        yield line
        for change in event.changes:
            yield Text(f"    {looks.change(change)}", style="dim")

    def _conflict(self, event: ConflictFlagged) -> Text:
        looks = self._looks
        words = looks.both("⚡ 级别相差过大，提请会商", "⚡ far apart, up for consultation")
        return Text(f"    {words}: {looks.hazard(event.hazard)}: {looks.said(event.levels)}", style="bold magenta")

    def _release(self, event: WarningReleased) -> Iterable[Text]:
        looks = self._looks
        is_grouped = event.cause == "grouped"  # what can wait is told in one line here
        head = looks.both(f"发布第{event.number}号", f"release {event.number}")
        yield Text(f"    ▶ {self._district(event.district)} {head} ({looks.word(event.cause)})", style="bold green")
        for text in event.texts:
            if text.language in looks.languages:
                segments = sms_segments(text.sms)
                yield Text(f"      {text.headline}")
                count = looks.both(f"短信{segments}条", f"SMS, {segments} segment(s)")
                yield Text(f"      {count}" if is_grouped else f"      {count}: {text.sms}", style="italic dim")
