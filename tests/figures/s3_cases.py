"""Messages outside an agency's remit, each with the codes that must refuse it; those without a code are the control.

Agency × hazard × level × place in full, and what a sender might try beside: other spellings, other senders, other
statuses, names for places, and areas in several pieces.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.adapters.http.messages import json_message
from tests.figures.s3_policy import LEVELS, OWN, Speaker, square, written

SECRET_MARK = "mustnotbeseen"
CONTROL_MARK = "maybeseen"


@dataclass(frozen=True)
class Case:
    """One message, the agency that posts it, and the codes that refuse it (any of the sets); none for the control."""

    name: str
    agency: str
    content: bytes
    codes: tuple[frozenset[str], ...]

    @property
    def is_control(self) -> bool:
        """Whether it lies within the remit."""
        return not self.codes


@dataclass(frozen=True)
class Place:
    """An area as a sender writes it, and what it is: our areas, `outside`, or `no-area` (nothing that is known)."""

    name: str
    area: dict[str, Any]
    within: tuple[tuple[str, ...], ...] = ()
    missing: str = ""

    def fits(self, speaker: Speaker) -> bool:
        """Whether all of it lies in the agency's areas; each of `within` names an area and those around it."""
        return "*" in speaker.areas or all(speaker.areas & set(around) for around in self.within)


def geocoded(*values: str, name: str = "", system: str = "CN-GB2260") -> dict[str, Any]:
    """An area of codes."""
    codes = [{"valueName": system, "value": value} for value in values]
    return {"areaDesc": name or ",".join(values) or "x", "geocode": codes}


ALL = tuple((code,) for code in ("330602", "330603", "330604", "330624", "330681", "330683"))
_TOWNSHIP = ("330603001", OWN)

PLACES = (
    *(Place(f"district {code}", geocoded(code), ((code,),)) for (code,) in ALL),
    Place("district in 12 digits", geocoded("330604000000"), (("330604",),)),
    Place("own district in 12 digits", geocoded("330603000000"), ((OWN,),)),
    Place("township", geocoded("330604001"), (("330604001", "330604"),)),
    Place("own township", geocoded("330603001"), (_TOWNSHIP,)),
    Place("own township in 12 digits", geocoded("330603001000"), (_TOWNSHIP,)),
    Place("own village", geocoded("330603001001"), (("330603001001", *_TOWNSHIP),)),
    Place("city", geocoded("330600"), ALL),
    Place("city in 12 digits", geocoded("330600000000"), ALL),
    Place("city in 4 digits", geocoded("3306"), ALL),
    Place("province", geocoded("330000"), ALL),
    Place("own and a neighbour", geocoded(OWN, "330604"), ((OWN,), ("330604",))),
    Place("own and one elsewhere", geocoded(OWN, "440304"), ((OWN,),)),
    Place("code with spaces", geocoded(" 330604 "), (("330604",),)),
    Place("under another system's name", geocoded("330604", system="UGC"), (("330604",),)),
    Place(
        "own code, neighbour's polygon", {**geocoded(OWN), "polygon": [written(square(1.2, 2.2, 0.5, 0.5))]}, ((OWN,),)
    ),
    Place(
        "neighbour's code, own polygon",
        {**geocoded("330604"), "polygon": [written(square(1.2, 1.2, 0.5, 0.5))]},
        (("330604",),),
    ),
    Place("Shenzhen", geocoded("440304"), missing="outside"),
    Place("Hangzhou", geocoded("330100"), missing="outside"),
    Place("the next county", geocoded("330110"), missing="outside"),
    Place("a township elsewhere", geocoded("440304001"), missing="outside"),
    Place("elsewhere by our name", geocoded("440304", name="柯桥区"), missing="outside"),
    Place("polygon elsewhere", {"areaDesc": "x", "polygon": [written(square(9, 9))]}, missing="outside"),
    Place("circle elsewhere", {"areaDesc": "x", "circle": ["22.5,114.0 5"]}, missing="outside"),
    Place("unknown code by our name", geocoded("339999", name="上虞区"), missing="no-area"),
    Place("our name alone", {"areaDesc": "上虞区"}, missing="no-area"),
    Place("full-width digits", geocoded("３３０６０４"), missing="no-area"),
    Place("seven digits", geocoded("3306040"), missing="no-area"),
    Place("code with a sign", geocoded("+330604"), missing="no-area"),
    Place("code with a zero byte's like", geocoded("330604\u200b"), missing="no-area"),
    Place("everything by a star", geocoded("*"), missing="no-area"),
    Place("empty code", geocoded(""), missing="no-area"),
)


def message(speaker: Speaker, name: str, info: dict[str, Any], *, within: bool = False, **more: Any) -> bytes:
    """One JSON message of this agency; the texts carry a mark to look for."""
    mark = CONTROL_MARK if within else SECRET_MARK
    identifier = re.sub("[^A-Za-z0-9.-]", "_", f"{mark}-{name}")
    info = {"headline": f"{mark} {name}", "description": f"{mark} {name}", **info}
    return json.dumps(
        json_message(identifier, info=info, **{"sender": speaker.sender, **more}), ensure_ascii=False
    ).encode()


def said(hazard: str, level: str, *areas: dict[str, Any]) -> dict[str, Any]:
    """An info that says so much."""
    return {
        "event": hazard,
        "level": level,
        "eventCode": [{"valueName": "hazard", "value": hazard}],
        "area": list(areas),
    }


def judged(speaker: Speaker, hazard: str, level: str, place: Place) -> frozenset[str]:
    """The codes that refuse this, by the policy's words alone; empty when it is within the remit."""
    if speaker.disabled:
        return frozenset({"remit-agency"})
    if place.missing:  # where nothing of ours is named, there is nothing to hold a remit against
        return frozenset({place.missing})
    codes = set()
    if not speaker.may_say(hazard):
        codes.add("remit-hazard")
    if level not in speaker.levels:
        codes.add("remit-level")
    if not place.fits(speaker):
        codes.add("remit-area")
    return frozenset(codes)


def combinations(speakers: Sequence[Speaker], hazards: Sequence[str], every: int) -> Iterator[Case]:
    """Each `every`-th combination that lies outside the remit of its agency."""
    for number, (speaker, hazard, level, place) in enumerate(product(speakers, hazards, LEVELS, PLACES)):
        codes = judged(speaker, hazard, level, place)
        if codes and number % every == 0:
            name = f"{speaker.id}-{hazard}-{level}-{place.name}"
            yield Case(name, speaker.id, message(speaker, f"n{number}", said(hazard, level, place.area)), (codes,))


def controls(speakers: Sequence[Speaker], hazards: Sequence[str], every: int) -> Iterator[Case]:
    """Within the remit: each `every`-th hazard of every agency in some place, and every place and level once."""
    for speaker in speakers:
        chosen: dict[str, tuple[str, str, Place]] = {}
        for number, hazard in enumerate(hazards):
            small = [
                (level, place)
                for level, place in product(LEVELS, PLACES)
                if len(place.within) == 1 and not judged(speaker, hazard, level, place)
            ]
            if small and number % every == 0:
                chosen[hazard] = (hazard, *small[number % len(small)])
        for hazard, level, place in product(hazards, LEVELS, PLACES):
            if not judged(speaker, hazard, level, place):
                chosen.setdefault(place.name, (hazard, level, place))
                chosen.setdefault(level, (hazard, level, place))
        for number, (hazard, level, place) in enumerate(chosen.values()):
            content = message(speaker, f"{speaker.id}-{number}", said(hazard, level, place.area), within=True)
            yield Case(f"{speaker.id}-{hazard}-{level}-{place.name}", speaker.id, content, ())


def tricks(speakers: Sequence[Speaker]) -> Iterator[Case]:
    """What else a sender might try."""
    yield from _senders(speakers)
    by_id = {speaker.id: speaker for speaker in speakers}
    yield from _statuses(by_id["water"])
    yield from _hazards(by_id["water"])
    yield from _pieces(by_id["narrow"])


def _senders(speakers: Sequence[Speaker]) -> Iterator[Case]:
    """Every agency as every other's senders, and its own senders in other spellings."""
    for speaker in speakers:
        if speaker.disabled:
            continue
        foreign = [
            sender.replace("*", "00000") for other in speakers if other is not speaker for sender in other.senders
        ]
        spelled = [
            speaker.sender.upper(),
            f"{speaker.sender}.evil.example",
            f"evil-{speaker.sender}",
            speaker.sender.replace("a", "\u0430"),
            speaker.sender.replace("@", "＠"),
            f"{speaker.sender}\u200b",
        ]
        for number, sender in enumerate([*foreign, *spelled]):
            if sender == speaker.sender:
                continue
            hazard = "11A51" if speaker.may_say("11A51") else "11B37"
            content = message(speaker, f"{speaker.id}-s{number}", said(hazard, "yellow", geocoded(OWN)), sender=sender)
            codes = {"remit-sender"}
            allowed = (frozenset(codes), frozenset(codes | {"value"}), frozenset({"value"}), frozenset({"identifier"}))
            yield Case(f"{speaker.id} as {sender!r}", speaker.id, content, allowed)


def _statuses(water: Speaker) -> Iterator[Case]:
    """A drill is within the same remit; a draft is nothing at all."""
    for status in ("Exercise", "Test"):
        content = message(water, f"status-{status}", said("11B01", "red", geocoded("330604")), status=status)
        yield Case(f"status {status}", water.id, content, (frozenset({"remit-hazard"}),))
    for status in ("Draft", "System"):
        content = message(water, f"status-{status}", said("11A51", "red", geocoded("330604")), status=status)
        yield Case(f"status {status}", water.id, content, (frozenset({"status"}),))
    for status in ("actual", "ACTUAL", "Live", ""):
        content = message(water, f"status-{status or 'none'}", said("11A51", "red", geocoded("330604")), status=status)
        yield Case(f"status {status!r}", water.id, content, _any_of("value", "missing", "schema", "status"))


def _hazards(water: Speaker) -> Iterator[Case]:
    """Another's hazard by its code, its name, its English name, or beside one's own."""
    area = geocoded("330604")
    own, typhoon = said("11A51", "red", area), said("11B01", "red", area)
    spelled: dict[str, dict[str, Any]] = {
        "by name": {"event": "台风", "eventCode": []},
        "by English name": {"event": "Typhoon", "eventCode": []},
        "by English name in capitals": {"event": "TYPHOON", "eventCode": []},
        "by code as event": {"event": "11B01", "eventCode": []},
        "by another word": {"event": "Hurricane", "eventCode": []},
        "behind an unknown code": {"eventCode": [{"valueName": "x", "value": "?"}, *typhoon["eventCode"]]},
        "merging into another's": said("LOCAL1", "red", area),
    }
    for name, words in spelled.items():
        content = message(water, f"hazard-{name}", {**typhoon, **words})
        yield Case(f"hazard {name}", water.id, content, (frozenset({"remit-hazard"}),))
    for code in ("11b01", "11B1", "１１Ｂ０１", "11B01 11A51", ""):
        words = {"event": "不明", "eventCode": [{"valueName": "hazard", "value": code}]}
        content = message(water, f"hazard-{code!r}", {**typhoon, **words})
        yield Case(f"hazard {code!r}", water.id, content, _any_of("unknown-hazard", "remit-hazard", "missing", "value"))
    both = json.loads(message(water, "two-infos", own))
    foreign = json.loads(message(water, "two-infos", typhoon))["info"]
    both["info"] += foreign
    yield Case("two infos", water.id, json.dumps(both).encode(), (frozenset({"remit-hazard"}),))


def _pieces(narrow: Speaker) -> Iterator[Case]:
    """One piece within the remit does not cover another without."""
    hidden = geocoded("330604")
    for name, areas in {
        "two areas": (geocoded(OWN), hidden),
        "two areas, other order": (hidden, geocoded(OWN)),
        "a township of another": (geocoded(OWN), geocoded("330604001")),
        "fifty areas": (*[geocoded(OWN)] * 49, hidden),
    }.items():
        content = message(narrow, f"pieces-{name}", said("11A51", "yellow", *areas))
        yield Case(name, narrow.id, content, (frozenset({"remit-area"}),))


def _any_of(*codes: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset({code}) for code in codes)
