"""Made-up lists and profiles; no real list stands here."""

import json
from typing import Any

from adapters.feeds.profile import ListProfile
from adapters.feeds.profile_files import profile_from_toml

PROFILE = """
name = "sample"
time_formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M%z"]
web_base = "https://warnings.example/list/"
include = ["chinese-signals"]

[envelope]
items = "data.list"
expects = { code = 0 }

[fields]
identifier = "id"
issuer = "issued"
sent = "time"
onset = "start"
hazard = { path = "kind.name", pattern = '^(?:气象灾害\\.)?(?P<value>.+)$' }
level = "wLevel"
headline = "title"
description = "text"
web = "link"
spans = "listed"

[area]
names = "area"
separators = "、，"

[agencies]
"样例市气象台" = "meteorology"

[[agency_patterns]]
pattern = "规划和自然资源"
agency = "natural-resources"

[hazards]
"样例灾" = "11B99"

[places]
"全市" = ["甲区", "乙区"]
"""

TITLE_PROFILE = """
name = "titles"
time_formats = ["%Y/%m/%d %H:%M"]
include = ["chinese-signals"]

[envelope]
items = ""

[fields]
identifier = "id"
sent = "time"
agency = { path = "id", pattern = '^[0-9]{6}(?P<value>[0-9]{3})' }
references = "earlier"

[title]
path = "title"
patterns = [
    '^(?P<issuers>.+?)将(?P<hazard>[^将红橙黄蓝白]+?)[红橙黄蓝白]色预警(?:信号)?(?P<verb>升级为)[^红橙黄蓝白]*(?P<level>[红橙黄蓝白]色)',
    '^(?P<issuers>.+?)(?P<verb>继续发布|发布|解除)(?P<hazard>[^红橙黄蓝白]+)(?P<level>[红橙黄蓝白]色)预警(?!.*[红橙黄蓝白]色)',
]
issuer_separator = '、|(?<=[台局厅])和'
cancel_verbs = ["解除"]

[area]
division = { path = "id", pattern = '^(?P<value>[0-9]{6})' }

[agencies]
"332" = "water"

[[agency_patterns]]
pattern = "气象"
agency = "meteorology"
"""

ITEM: dict[str, Any] = {
    "id": 17,
    "issued": "样例市气象台",
    "time": "2030-06-07 08:09:10",
    "start": "2030-06-07 08:00:00",
    "kind": {"name": "气象灾害.暴雨"},
    "wLevel": "橙色",
    "title": "样例市发布暴雨橙色预警",
    "text": " 预计有暴雨，有效期至2030年6月8日。\n",
    "link": "17.html",
    "area": "甲区、乙区，丙湾、甲区",
    "listed": [["2030-06-07T08:10:00+08:00", "2030-06-07T12:00:00+08:00"], ["2030-06-07T13:00:00+08:00", None]],
}


def profile(text: str = PROFILE) -> ListProfile:
    """The profile that this TOML describes."""
    return profile_from_toml(text)


def item(**changes: Any) -> dict[str, Any]:
    """The sample item with some fields changed."""
    return {**ITEM, **changes}


def listing(*items: Any, code: int = 0) -> bytes:
    """A list of these items as `PROFILE` describes it."""
    return json.dumps({"code": code, "data": {"list": items}}).encode()


def titled(title: str, **changes: Any) -> bytes:
    """A list of one item as `TITLE_PROFILE` describes it."""
    entry = {"id": "33060041600000_20300607080910", "time": "2030/06/07 08:09", "title": title, **changes}
    return json.dumps([entry]).encode()
