"""Feeds and lists as agencies publish them; all made up."""

import json
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.adapters.cli.samples import SENT

CAP_TYPE = "application/cap+xml"


def entry(
    identifier: str, link: str = "", *, minutes: int = 0, content: str = "", kind: str = CAP_TYPE, updated: str = ""
) -> str:
    moment = updated or (SENT + timedelta(minutes=minutes)).isoformat()
    to = f"<link rel='alternate' type='{kind}' href={quoteattr(link)}/>" if link else ""
    inside = f"<content type='text/xml'>{content}</content>" if content else ""
    return f"<entry><id>{escape(identifier)}</id><updated>{moment}</updated>{to}{inside}</entry>"


def atom(*entries: str) -> str:
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><id>f</id><title>t</title>{''.join(entries)}</feed>"


def rss(*items: str) -> str:
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{''.join(items)}</channel></rss>"


def item(guid: str, link: str, date: str = "Tue, 04 Mar 2031 08:00:00 GMT") -> str:
    return f"<item><guid isPermaLink='false'>{guid}</guid><pubDate>{date}</pubDate><link>{escape(link)}</link></item>"


def listed(identifier: str, level: str = "yellow", **more: Any) -> dict[str, Any]:
    row = {
        "id": identifier,
        "by": "Weather",
        "sent": "2031-03-04 17:00",
        "hazard": "rain",
        "level": level,
        "text": f"{identifier} says {level}",
        "places": "North",
    }
    return {**row, **more}


def page(*items: dict[str, Any], total: int | None = None) -> str:
    count = len(items) if total is None else total
    return json.dumps({"code": 0, "data": {"count": count, "list": list(items)}})
