"""Messages in every form that the intake takes."""

import io
import json
import zipfile
from typing import Any

from tests.streams.messages import SENDERS, at


def json_message(identifier: str, *, agency: str = "meteorology", **more: Any) -> dict[str, Any]:
    """One message in the JSON form of CAP."""
    info = {
        "language": "zh-CN",
        "category": ["Met"],
        "event": "暴雨",
        "urgency": "Expected",
        "severity": "Moderate",
        "certainty": "Likely",
        "eventCode": [{"valueName": "hazard", "value": "11B03"}],
        "expires": at(24 * 60).isoformat(),
        "senderName": "绍兴市气象台",
        "headline": "暴雨黄色预警",
        "description": "预计有暴雨。\r\n第二行 ",
        "instruction": "远离河道。",
        "area": [{"areaDesc": "上虞区", "geocode": [{"valueName": "CN-GB2260", "value": "330604"}]}],
    }
    return {
        "identifier": identifier,
        "sender": SENDERS[agency],
        "sent": at(0).isoformat(),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [{**info, **more.pop("info", {})}],
        **more,
    }


def as_json(*messages: dict[str, Any], whole: bool = False) -> bytes:
    """One message alone, or several as an array."""
    return json.dumps(messages[0] if len(messages) == 1 and not whole else list(messages), ensure_ascii=False).encode()


def zipped(document: bytes, name: str = "33060041600000_20220913080000_11B03_YELLOW_ALERT.XML") -> bytes:
    """The document as the one file of a zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, document)
    return held.getvalue()
