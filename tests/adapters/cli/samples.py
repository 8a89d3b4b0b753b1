"""A made-up outlet with two districts and two agencies, and messages to it; no real message stands here."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SENT = datetime(2031, 3, 4, 8, 0, tzinfo=UTC)
RAIN, FLOOD = "RAIN0", "FLOOD"
WEATHER, WATER = "weather@example.test", "water@example.test"

POLICY = """
[outlet]
id = "sample"
names = { en = "Sample Outlet", "zh-CN" = "样例发布中心" }
sender = "outlet@example.test"
timezone = "Asia/Tokyo"
languages = ["en"]

[[agencies]]
id = "weather"
names = { en = "Weather Service", "zh-CN" = "气象局" }
senders = ["weather@example.test", "Weather"]
remit = { hazards = ["*"] }

[[agencies]]
id = "water"
names = { en = "Water Board", "zh-CN" = "水利局" }
senders = ["water@example.test", "Water"]
remit = { hazards = ["RAIN0", "FLOOD"] }

[[hazards]]
code = "RAIN0"
names = { en = "Heavy rain", "zh-CN" = "暴雨" }

[[hazards]]
code = "FLOOD"
names = { en = "Flood", "zh-CN" = "洪水" }

[gazetteer]
source = "districts.geojson"
districts = ["N1", "S2"]
geocode_system = "SAMPLE"

[release]
group_wait_seconds = 0
approvals = { red = 1 }
approval_deadline_seconds = 600

[texts.en]
headline = "{issuers}: {hazard} {level}, {time}"
joint = "{issuers} jointly: {hazard} {level}, {time}"
lifted = "{hazard} {level} lifted, {time}"
sms = "{headlines}"
levels = { white = "white", blue = "blue", yellow = "yellow", orange = "orange", red = "red" }
drill_mark = "[DRILL]"
nothing_in_force = "Nothing is in force"
"""

LIST_PROFILE = """
name = "made-up"
language = "en"
zone = "Asia/Tokyo"
time_formats = ["%Y-%m-%d %H:%M"]

[envelope]
shape = "lines"

[fields]
identifier = "id"
issuer = "by"
sent = "sent"
hazard = "hazard"
level = "level"
headline = "text"
description = "text"
spans = "listed"

[area]
names = "places"
separators = ","

[agencies]
"Weather" = "weather"
"Water" = "water"

[hazards]
"rain" = "RAIN0"
"flood" = "FLOOD"

[levels]
"yellow" = "yellow"
"orange" = "orange"
"""


def write_policy(folder: Path, text: str = POLICY) -> Path:
    """The policy and its districts as files; the policy's path."""
    folder.mkdir(parents=True, exist_ok=True)
    features = [
        {"type": "Feature", "properties": {"code": code, "name": name}, "geometry": None}
        for code, name in (("N1", "North"), ("S2", "South"))
    ]
    document = {"type": "FeatureCollection", "features": features}
    (folder / "districts.geojson").write_text(json.dumps(document), encoding="utf-8")
    path = folder / "sample.toml"
    path.write_text(text, encoding="utf-8")
    return path


def cap(
    identifier: str,
    severity: str = "Moderate",
    districts: tuple[str, ...] = ("N1",),
    hazard: str = RAIN,
    sender: str = WEATHER,
    *,
    sent: datetime = SENT,
    hours: float = 6,
    kind: str = "Alert",
    references: str = "",
    status: str = "Actual",
) -> str:
    """A CAP 1.2 message."""
    areas = "".join(
        f"<area><areaDesc>{code}</areaDesc><geocode><valueName>SAMPLE</valueName><value>{code}</value></geocode></area>"
        for code in districts
    )
    ends = (sent + timedelta(hours=hours)).isoformat()
    refers = f"<references>{references}</references>" if references else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{identifier}</identifier><sender>{sender}</sender><sent>{sent.isoformat()}</sent>
<status>{status}</status><msgType>{kind}</msgType><scope>Public</scope>{refers}
<info><language>en</language><category>Met</category><event>{hazard}</event><urgency>Expected</urgency>
<severity>{severity}</severity><certainty>Likely</certainty><effective>{sent.isoformat()}</effective>
<expires>{ends}</expires>
<senderName>Station</senderName><headline>{identifier} says {hazard}</headline>
<description>The words of {identifier}.</description><instruction>Stay inside.</instruction>
{areas}</info></alert>
"""


def reference(identifier: str, sender: str = WEATHER, sent: datetime = SENT) -> str:
    """The triple of an earlier message."""
    return f"{sender},{identifier},{sent.isoformat()}"


def row(identifier: str, level: str, begins: str, ends: str | None, **other: str) -> dict[str, Any]:
    """A row of a made-up list, with the span in which it was listed."""
    return {
        "id": identifier,
        "by": "Weather",
        "sent": begins[:16].replace("T", " "),
        "hazard": "rain",
        "level": level,
        "text": f"{identifier} says {level}",
        "places": "North",
        "listed": [[begins, ends]],
        **other,
    }
