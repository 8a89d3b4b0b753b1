"""The golden scenario: what the story comes to, committed as JSON and read in review.

`pytest tests/adapters/demo --update-golden` writes it anew.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.demo import load_story
from domain.callup_events import (
    CallUpConfirmed,
    CallUpsEnded,
    CallUpsOpened,
    CallUpsReported,
    CallUpStep,
    CallUpStepTaken,
)
from domain.event import Event
from domain.events import WarningReleased
from domain.messages import Mode
from domain.telling_events import PlannedItem, TellingPlanned
from projections.board import board
from tests.adapters.demo.conftest import Replayed

GOLDEN = Path(__file__).parent / "golden" / "muifa.json"

MOMENTS = (
    "2022-09-13T08:10:00+08:00",
    "2022-09-13T12:15:00+08:00",
    "2022-09-13T21:35:00+08:00",
    "2022-09-14T10:35:00+08:00",
    "2022-09-14T18:30:00+08:00",
)


def test_the_story_comes_to_what_was_reviewed(replayed: Replayed, update_golden: bool) -> None:
    found = {
        "outcomes": outcomes(replayed),
        "boards": {moment: board_at(replayed, datetime.fromisoformat(moment)) for moment in MOMENTS},
        "releases": releases(replayed),
        "people": people(replayed),
    }
    if update_golden:
        GOLDEN.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for part, expected in golden.items():
        assert found[part] == expected, part
    assert set(found) == set(golden)


def outcomes(replayed: Replayed) -> list[str]:
    """A line for each answer: when, which file, what became of it, and the codes of what was found."""
    zone = replayed.platform.policy.zone
    return [
        " ".join(
            filter(
                None,
                (
                    step.at.astimezone(zone).strftime("%d %H:%M"),
                    receipt.source,
                    receipt.outcome.value,
                    receipt.effect,
                    ",".join(receipt.districts),
                    ",".join(sorted(f"{'!' if found.refuses else ''}{found.code.value}" for found in receipt.findings)),
                ),
            )
        )
        for step in replayed.steps
        for receipt in step.receipts
    ]


def people(replayed: Replayed) -> list[str]:
    """A line for each plan and each step of a call-up: who is told and who is not, by count and reason."""
    return [
        f"{event.at.astimezone(replayed.platform.policy.zone).strftime('%d %H:%M:%S')} {said}"
        for step in replayed.steps
        for event in step.events
        if (said := line_of_people(event))
    ]


def line_of_item(item: PlannedItem) -> str:
    return f"{item.hazard} {item.kind.value} {item.level.value}"


def line_of_people(event: Event) -> str:
    match event:
        case TellingPlanned():
            told = ", ".join(f"{send.count}× {'+'.join(map(line_of_item, send.items))}" for send in event.sends)
            withheld = ", ".join(f"{one.count}× {one.hazard} {one.reason.value}" for one in event.withheld)
            return f"{event.mode.value} {event.district} told: {told or 'nobody'}; not: {withheld or 'nobody'}"
        case CallUpsOpened():
            return f"{event.mode.value} {event.district} called up: {', '.join(post.post for post in event.posts)}"
        case CallUpStepTaken() if event.step is not CallUpStep.ASKED:
            return f"{event.mode.value} {event.district} {event.step.value}: {event.post}"
        case CallUpConfirmed():
            return f"{event.mode.value} {event.district} confirmed by {event.how}: {event.post}"
        case CallUpsEnded():
            return f"{event.mode.value} {event.district} {event.reason.value}: {', '.join(event.posts)}"
        case CallUpsReported():
            return f"{event.mode.value} {event.district} reported: {event.confirmed} of {event.posts}"
        case _:
            return ""


def board_at(replayed: Replayed, at: datetime) -> dict[str, list[str]]:
    """For each district its sections in a line: level, hazard, issuers, areas, and an open conflict."""
    platform = replayed.platform
    names = {area.code: area.name for area in platform.gazetteer.districts()}
    shown = board(platform.tables, at=at, mode=Mode.LIVE, policy=platform.policy, gazetteer_names=names)
    return {
        f"{entry['code']} {entry['name']}": [line(one) for one in entry["sections"]] for entry in shown["districts"]
    }


def line(section: dict[str, Any]) -> str:
    issuers = "+".join(issuer["id"] for issuer in section["issuers"])
    areas = "、".join(f"{area['name']}({area['level']})" for area in section["areas"])
    conflict = " CONFLICT" if section["conflict"] else ""
    return f"{section['level']} {section['hazard']['code']} {issuers}: {areas}{conflict}"


def releases(replayed: Replayed) -> list[str]:
    """A line for each release: when, where, its number and cause, and its headline in the outlet's first language."""
    zone = replayed.platform.policy.zone
    return [
        f"{event.at.astimezone(zone):%d %H:%M:%S} {event.mode.value} {event.district} #{event.number} {event.cause}: "
        f"{event.texts[0].headline}"
        for step in replayed.steps
        for event in step.events
        if isinstance(event, WarningReleased)
    ]


def test_every_file_of_the_story_arrives() -> None:
    folder = Path(__file__).parents[3] / "adapters" / "demo" / "messages"
    assert {path.name for path in folder.iterdir()} == {arrival.file for arrival in load_story().arrivals}
