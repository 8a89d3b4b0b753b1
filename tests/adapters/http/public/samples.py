"""A made-up outlet of three districts, two of them with boundaries, and messages to it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2031, 3, 4, 8, 0, tzinfo=UTC)
RAIN, FLOOD = "11B03", "11A51"
WEATHER, WATER = "weather@example.test", "water@example.test"
NORTH, SOUTH, WEST = "N1", "S2", "W3"
IN_NORTH, IN_SOUTH, NOWHERE = "10.5,20.5", "12.5,22.5", "-40,-100"

POLICY = """
[outlet]
id = "sample"
names = { en = "Sample Outlet", "zh-CN" = "样例发布中心" }
sender = "outlet@example.test"
sender_code = "33060000000000"
timezone = "Asia/Tokyo"
languages = ["en"]

[[agencies]]
id = "weather"
names = { en = "Weather Service", "zh-CN" = "气象局" }
senders = ["weather@example.test"]
remit = { hazards = ["*"] }

[[agencies]]
id = "water"
names = { en = "Water Board", "zh-CN" = "水利局" }
senders = ["water@example.test"]
remit = { hazards = ["*"] }

[[hazards]]
code = "11B03"
names = { en = "Heavy rain", "zh-CN" = "暴雨" }

[[hazards]]
code = "11A51"
names = { en = "Flood", "zh-CN" = "洪水" }

[[hazards]]
code = "unrest"
names = { en = "A hazard without a national type", "zh-CN" = "其他" }

[gazetteer]
source = "districts.geojson"
districts = ["N1", "S2", "W3"]
geocode_system = "SAMPLE"

[release]
group_wait_seconds = 0
approvals = { red = 1 }
approval_deadline_seconds = 6000
deadline_action = "withhold"

[texts.en]
headline = "{issuers}: {hazard} {level}, {time}"
joint = "{issuers} jointly: {hazard} {level}, {time}"
lifted = "{hazard} {level} lifted, {time}"
sms = "{headlines}"
levels = { white = "white", blue = "blue", yellow = "yellow", orange = "orange", red = "red" }
drill_mark = "[DRILL]"
nothing_in_force = "Nothing is in force"
"""


def square(latitude: float, longitude: float) -> dict[str, object]:
    """A degree by a degree, from its south-western corner."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    ring = [[longitude + east, latitude + north] for east, north in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def write_policy(folder: Path) -> Path:
    """The policy and its districts as files; the policy's path."""
    folder.mkdir(parents=True, exist_ok=True)
    places = [(NORTH, "North", square(10, 20)), (SOUTH, "South", square(12, 22)), (WEST, "West", None)]
    features = [
        {"type": "Feature", "properties": {"code": code, "name": name}, "geometry": geometry}
        for code, name, geometry in places
    ]
    document = {"type": "FeatureCollection", "features": features}
    (folder / "districts.geojson").write_text(json.dumps(document), encoding="utf-8")
    path = folder / "sample.toml"
    path.write_text(POLICY, encoding="utf-8")
    return path


SEVERITIES = {"red": "Extreme", "orange": "Severe", "yellow": "Moderate", "blue": "Minor"}


def cap(
    identifier: str,
    *,
    level: str = "yellow",
    districts: tuple[str, ...] = (NORTH,),
    hazard: str = RAIN,
    sender: str = WEATHER,
    minutes: float = 0,
    hours: float = 6,
    status: str = "Actual",
    kind: str = "Alert",
    references: str = "",
    text: str = "",
) -> bytes:
    """A CAP 1.2 message."""
    sent = at(minutes)
    areas = "".join(
        f"<area><areaDesc>{code}</areaDesc><geocode><valueName>SAMPLE</valueName><value>{code}</value></geocode></area>"
        for code in districts
    )
    refers = f"<references>{references}</references>" if references else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{identifier}</identifier><sender>{sender}</sender><sent>{sent.isoformat()}</sent>
<status>{status}</status><msgType>{kind}</msgType><scope>Public</scope>{refers}
<info><language>en</language><category>Met</category><event>{hazard}</event><urgency>Expected</urgency>
<severity>{SEVERITIES[level]}</severity><certainty>Likely</certainty><effective>{sent.isoformat()}</effective>
<expires>{(sent + timedelta(hours=hours)).isoformat()}</expires>
<senderName>Station</senderName><headline>{identifier} says {hazard}</headline>
<description>{text or f"The words of {identifier}."}</description><instruction>Stay inside.</instruction>
{areas}</info></alert>
""".encode()


def reference(identifier: str, minutes: float = 0, sender: str = WEATHER) -> str:
    """The triple of an earlier message."""
    return f"{sender},{identifier},{at(minutes).isoformat()}"


def at(minutes: float) -> datetime:
    """A moment so many minutes after the start."""
    return START + timedelta(minutes=minutes)
