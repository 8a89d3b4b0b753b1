"""What both sides of P1 and P2 are sent: a rainstorm warning for a county, each for another one.

Ours is CAP in its JSON form; Alertmanager's alert has the same texts as annotations, and labels as distinct. Each
carries a token in its headline, by which the receiver knows it.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from adapters.bench.p1_sender import Request

AGENCY = "meteorology"
SENDER = "meteorology@shaoxing.example"
DESCRIPTION = "预计未来三小时，全境累计雨量将达五十毫米以上，山区有发生山洪、滑坡的风险，低洼处可能积水。"
INSTRUCTION = "请停止户外活动，远离河道、陡坡和低洼处，听从当地安排转移。"


def ours(numbers: range, counties: list[tuple[str, str]], now: datetime, *, size: int, key: str) -> list[Request]:
    """Requests of `size` messages each to the intake, as an agency that shows its key."""
    head = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    path = f"/v1/agencies/{AGENCY}/messages"
    made: list[Request] = []
    for begin in range(numbers.start, numbers.stop, size):
        batch = range(begin, min(begin + size, numbers.stop))
        messages = [message(number, counties[number], now) for number in batch]
        made.append(_request(path, head, messages[0] if size == 1 else messages, batch))
    return made


def alertmanagers(numbers: range, counties: list[tuple[str, str]], now: datetime, *, size: int) -> list[Request]:
    """Requests of `size` alerts each to Alertmanager's API."""
    made: list[Request] = []
    for begin in range(numbers.start, numbers.stop, size):
        batch = range(begin, min(begin + size, numbers.stop))
        alerts = [_alert(number, counties[number], now) for number in batch]
        made.append(_request("/api/v2/alerts", {"Content-Type": "application/json"}, alerts, batch))
    return made


def token_of(number: int) -> str:
    """Seven digits."""
    return f"{number:07d}"


def message(number: int, county: tuple[str, str], now: datetime) -> dict[str, Any]:
    """A rainstorm warning for a county, as CAP in its JSON form."""
    code, name = county
    return {
        "identifier": f"bench-{number}",
        "sender": SENDER,
        "sent": now.isoformat(),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [
            {
                "language": "zh-CN",
                "category": ["Met"],
                "event": "暴雨",
                "urgency": "Expected",
                "severity": "Severe",
                "certainty": "Likely",
                "eventCode": [{"valueName": "hazard", "value": "11B03"}],
                "effective": now.isoformat(),
                "expires": (now + timedelta(hours=6)).isoformat(),
                "senderName": "气象台",
                "headline": _headline(number, name),
                "description": DESCRIPTION,
                "instruction": INSTRUCTION,
                "area": [{"areaDesc": name, "geocode": [{"valueName": "CN-GB2260", "value": code}]}],
            }
        ],
    }


def _alert(number: int, county: tuple[str, str], now: datetime) -> dict[str, Any]:
    code, name = county
    return {
        "labels": {
            "alertname": "11B03",
            "severity": "Severe",
            "agency": AGENCY,
            "district": code,
            "district_name": name,
            "identifier": f"bench-{number}",
        },
        "annotations": {
            "headline": _headline(number, name),
            "description": DESCRIPTION,
            "instruction": INSTRUCTION,
        },
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=6)).isoformat(),
        "generatorURL": "http://meteorology.example/",
    }


def _headline(number: int, name: str) -> str:
    return f"{name}气象台发布暴雨橙色预警信号 benchtoken{token_of(number)}"


def _request(path: str, headers: dict[str, str], document: object, numbers: range) -> Request:
    body = json.dumps(document, ensure_ascii=False).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
    return Request(head + body, [token_of(number) for number in numbers])
