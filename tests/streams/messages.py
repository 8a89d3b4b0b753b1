"""Messages as bytes, written for these tests: small CAP documents over Shaoxing's districts."""

from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
START = datetime(2022, 9, 13, 8, 0, tzinfo=BEIJING)

SENDERS = {
    "water": "water@shaoxing.example",
    "meteorology": "meteorology@shaoxing.example",
    "natural-resources": "natural-resources@shaoxing.example",
}
SEVERITIES = {"red": "Extreme", "orange": "Severe", "yellow": "Moderate", "blue": "Minor"}


def at(minutes: float) -> datetime:
    """A moment so many minutes after the start."""
    return START + timedelta(minutes=minutes)


def cap(
    identifier: str,
    *,
    agency: str = "meteorology",
    minutes: float = 0,
    kind: str = "Alert",
    status: str = "Actual",
    hazard: str = "11B03",
    level: str = "yellow",
    codes: tuple[str, ...] = ("330604",),
    references: tuple[tuple[str, float], ...] = (),
    hours: float = 24,
    text: str = "Heavy rain is expected.",
) -> bytes:
    """One CAP 1.2 message; `references` are (identifier, minutes) of earlier messages of the same agency."""
    sent = at(minutes)
    sender = SENDERS[agency]
    named = " ".join(f"{sender},{name},{at(when).isoformat()}" for name, when in references)
    geocodes = "".join(f"<geocode><valueName>CN-GB2260</valueName><value>{code}</value></geocode>" for code in codes)
    info = f"""<info><language>zh-CN</language><category>Met</category><event>{hazard}</event>
<urgency>Expected</urgency><severity>{SEVERITIES[level]}</severity><certainty>Likely</certainty>
<eventCode><valueName>hazard</valueName><value>{hazard}</value></eventCode>
<effective>{sent.isoformat()}</effective><expires>{(sent + timedelta(hours=hours)).isoformat()}</expires>
<senderName>{agency} station</senderName><headline>{hazard} {level}</headline><description>{text}</description>
<instruction>Stay away from rivers.</instruction>
<area><areaDesc>{" ".join(codes)}</areaDesc>{geocodes}</area></info>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier><sender>{sender}</sender>
<sent>{sent.isoformat()}</sent><status>{status}</status><msgType>{kind}</msgType><scope>Public</scope>
{f"<references>{named}</references>" if references else ""}{info if kind != "Cancel" else ""}</alert>""".encode()


SENDER_CODES = {"water": "33060033200000", "meteorology": "33060041600000"}


def cn12379(
    identifier: str,
    *,
    agency: str = "meteorology",
    minutes: float = 0,
    kind: str = "Alert",
    status: str = "Actual",
    hazard: str = "11B03",
    level: str = "yellow",
    codes: tuple[str, ...] = ("330604",),
    first: str = "",
    hours: float = 24,
    text: str = "预计有暴雨。",
) -> bytes:
    """One message as GB/T 12379 platforms send it; `first` is the identifier of the chain's first message."""
    sent, ends = at(minutes), at(minutes) + timedelta(hours=hours)
    geocodes = ",".join(f"{code:0<12}" for code in codes)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="http://com.icss.amp"><identifier>{identifier}</identifier><sender>绍兴样例台</sender>
<senderCode>{SENDER_CODES[agency]}</senderCode><sendTime>{sent:%Y-%m-%d %H:%M:%S}+08:00</sendTime>
<status>{status}</status><msgType>{kind}</msgType><scope>Public</scope><secClassification>None</secClassification>
<references>{first}</references>
<info><language>zh-CN</language><eventType>{hazard}</eventType><urgency>Unknown</urgency>
<severity>{level.capitalize()}</severity><certainty>Unknown</certainty>
<effective>{sent:%Y-%m-%d %H:%M:%S}+08:00</effective><expires>{ends:%Y-%m-%d %H:%M:%S}+08:00</expires>
<senderName>样例</senderName><headline>{hazard} {level}</headline><description>{text}</description>
<instruction>远离河道。</instruction>
<area><areaDesc>样例</areaDesc><geocode>{geocodes}</geocode></area></info></alert>""".encode()
