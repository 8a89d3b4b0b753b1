"""Tells who was told and who was not, what was handed over, and how call-ups went; no name or number is ever shown."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from rich.text import Text

from adapters.demo.looks import Looks
from domain.callup_events import (
    CallUpAnswered,
    CallUpConfirmed,
    CallUpsEnded,
    CallUpsOpened,
    CallUpsReported,
    CallUpStep,
    CallUpStepTaken,
)
from domain.event import Event
from domain.telling_events import DeliveriesRecorded, PlannedSend, RosterImported, TellingPlanned

STEPS: Mapping[CallUpStep, tuple[str, str]] = {
    CallUpStep.ASKED: ("已发出叫应", "asked to confirm"),
    CallUpStep.CALLED: ("未确认，电话叫醒", "not confirmed: telephoned"),
    CallUpStep.NEXT_ASKED: ("改叫下一人", "the next one is asked"),
    CallUpStep.QUESTIONS_DUE: ("三问到时", "the questions are due"),
}


class PeopleTeller:
    """Lines for the events of telling people."""

    def __init__(self, looks: Looks, district: Callable[[str], str]) -> None:
        """`district` gives a district's name with its code."""
        self._looks = looks
        self._district = district

    def lines(self, event: Event) -> Iterable[Text]:
        """The lines for an event; none for one that tells nobody anything."""
        match event:
            case RosterImported():
                words = self._looks.both(
                    f"名单 {event.roster} 第{event.version}版：{event.recipients}人",
                    f"roster {event.roster}, version {event.version}: {event.recipients} recipients",
                )
                yield Text(f"    {words}", style="dim")
            case TellingPlanned():
                yield from self._plan(event)
            case DeliveriesRecorded():
                yield from self._deliveries(event)
            case CallUpsOpened():
                posts = "、".join(post.post.partition("/")[2] for post in event.posts)
                words = self._looks.both(f"叫应{len(event.posts)}处", f"call-up of {len(event.posts)} posts")
                yield Text(f"    ☎ {self._district(event.district)} {words}: {posts}", style="bold yellow")
            case CallUpStepTaken() if event.step is not CallUpStep.ASKED:
                words = self._looks.both(*STEPS[event.step])
                yield Text(f"    ☎ {event.post.partition('/')[2]} {words}", style="yellow")
            case CallUpConfirmed():
                words = self._looks.both("已确认", "confirmed")
                yield Text(
                    f"    ✓ {event.post.partition('/')[2]} {words} ({self._looks.word(event.how)})", style="green"
                )
            case CallUpAnswered():
                answers = " ".join(f"{one.question}={one.text}" for one in event.answers)
                yield Text(f"    ✓ {event.post.partition('/')[2]} {answers}", style="green")
            case CallUpsEnded():
                words = self._looks.both(f"停止叫应{len(event.posts)}处", f"{len(event.posts)} posts asked no more")
                yield Text(f"    ☎ {self._district(event.district)} {words} ({self._looks.word(event.reason)})")
            case CallUpsReported():
                yield self._report(event)
            case _:
                return

    def _plan(self, event: TellingPlanned) -> Iterable[Text]:
        looks = self._looks
        told = sum(send.count for send in event.sends)
        if told:
            roles = self._counted(dict(event.by_role))
            channels = self._counted({looks.word(kind.value): count for kind, count in event.by_channel.items()})
            words = looks.both(f"告知{told}人", f"{told} people are told")
            line = Text(f"    ✉ {words}: ", style="cyan")
            line.append("; ".join(self._send(send) for send in event.sends))
            yield line
            yield Text(f"      {channels} · {roles}", style="dim")
        reasons: Counter[str] = Counter()
        for one in event.withheld:
            reasons[looks.word(one.reason.value)] += one.count
        if reasons:
            words = looks.both("不告知", "not told")
            yield Text(f"    ○ {words}: {self._counted(reasons)}", style="dim")

    def _send(self, send: PlannedSend) -> str:
        looks = self._looks
        items = " + ".join(
            f"{looks.hazard(item.hazard)} {looks.level_word(item.level)} {looks.word(WORDS[item.kind.value])}"
            for item in send.items
        )
        return f"{send.count} × {items}"

    def _deliveries(self, event: DeliveriesRecorded) -> Iterable[Text]:
        counts: Counter[str] = Counter()
        for one in event.deliveries:
            reason = f" ({one.reason})" if one.reason else ""
            counts[f"{self._looks.word(one.state)} {self._looks.word(one.channel.value)}{reason}"] += 1
        yield Text(f"    ⇒ {self._counted(counts)}", style="dim")

    def _report(self, event: CallUpsReported) -> Text:
        looks = self._looks
        longest = "–" if event.longest_seconds is None else f"{event.longest_seconds:.0f} s"
        words = looks.both(
            f"叫应报告：{event.posts}处，{event.confirmed}处确认，最慢{longest}",
            f"call-up report: {event.confirmed} of {event.posts} posts confirmed, the slowest after {longest}",
        )
        missing = "、".join(post.partition("/")[2] for post in event.unconfirmed)
        return Text(f"    ☎ {self._district(event.district)} {words} {missing}".rstrip(), style="bold")

    def _counted(self, counts: Mapping[str, int]) -> str:
        return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


WORDS: Mapping[str, str] = {"new": "new-hazard", "raised": "raised", "lowered": "lowered", "lifted": "lifted"}
"""What people are told of a hazard, by the word for the change."""
