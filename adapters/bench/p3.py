"""P3: CAP bytes to a typed message, with the schema checked, beside bare parsing and beside pydantic-xml.

The messages are made here, in the proportions of real ones, and written as most senders write them: elements in
their order and on lines of their own, no comments, attributes, CDATA or references to characters, nothing to note.

- 4 KB: one info block in Chinese, mostly text, with 8 parameters; one area with 6 geocodes and a ring of 12 corners.
- 63 KB: four languages with 12 parameters each, and in each the same 13 areas with translated names, 2 geocodes and a
  ring of 40 corners. Every other ring winds around its own middle, as storm areas do; the rest are bent, as districts
  are, and only a search tells that they do not cross themselves. Of real senders' rings half are of each kind.

Such messages take the reader's short way (`adapters/cap/plain.py`), as two thirds of the real ones that we have do;
what the long way achieves is in the notes. The search for rings that cross themselves is a default of the reader and
is part of the figures; the notes say what they are without it. Both sides of a pair are called in turns, so that
whatever else the machine does meets both.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from math import cos, pi, sin
from statistics import median

from lxml import etree

from adapters.bench.row import Row
from adapters.cap import CapChecks, CapReader, Verdict
from adapters.cap.vocabulary import CAP_1_2

try:
    from adapters.bench.p3_peer import Alert
except ImportError:  # the peer is an optional package
    Alert = None  # type: ignore[assignment, misc]

GOAL_BESIDE_LXML = 0.25
GOAL_BESIDE_PYDANTIC_XML = 4.0
MEASURE = "CAP bytes, schema checked, typed, {size:.0f} KB"

Call = Callable[[], object]

_TURNS = 300
_AREAS = 13
_VERTICES = 40
_AREA_NAMES = {"zh-CN": "绍兴市片区", "en-US": "Shaoxing, part ", "zh-TW": "紹興市片區", "ja-JP": "紹興市地区"}


def small_message() -> bytes:
    """About 4 KB: one info block, mostly text, one area."""
    parameters = "".join(_pair("parameter", f"layer:outlet:figure-{n}", f"{n * 17} mm") for n in range(8))
    geocodes = "".join(_pair("geocode", "division", f"3306{n:02}000000") for n in range(6))
    area = f"<areaDesc>绍兴市越城区、柯桥区、上虞区</areaDesc><polygon>{_ring(12, 0)}</polygon>{geocodes}"
    return _alert(_info("zh-CN", parameters, f"<area>{area}</area>", sentences=9))


def large_message() -> bytes:
    """About 63 KB: four languages, thirteen areas in each, the same in all of them."""
    infos: list[str] = []
    for language in _AREA_NAMES:
        parameters = "".join(_pair("parameter", f"layer:outlet:figure-{n}", f"{n} mm") for n in range(12))
        areas = "".join(_area(number, language) for number in range(_AREAS))
        infos.append(_info(language, parameters, areas, sentences=8))
    return _alert("".join(infos))


def measure(rounds: int = 5) -> list[Row]:
    """P3's rows: our speed over the peer's, the median over the rounds. A peer that is missing has no row."""
    unsearched = CapChecks(crossing_polygon=Verdict.IGNORE)
    readers = (CapReader(), CapReader(unsearched), CapReader(short_way=False))
    rows: list[Row] = []
    for content in (small_message(), large_message()):
        name = MEASURE.format(size=len(content) / 1000)
        ours = [partial(reader.read, content) for reader in readers]
        bare = partial(etree.fromstring, content)
        rows.append(_row(name, "lxml.etree.fromstring", ours, bare, rounds, GOAL_BESIDE_LXML))
        if Alert is not None:
            peer = partial(Alert.from_xml, content)
            rows.append(_row(name, "pydantic-xml", ours, peer, rounds, GOAL_BESIDE_PYDANTIC_XML))
    return rows


def _row(name: str, beside: str, ours: Sequence[Call], theirs: Call, rounds: int, goal: float) -> Row:
    measured, without_search, long_way = (_ratios(call, theirs, rounds) for call in ours)
    note = (
        f"{median(without_search):.2f} without the search for rings that cross themselves; "
        f"{median(long_way):.2f} the long way"
    )
    if beside == "pydantic-xml":
        note = f"no schema on its side, polygons left as texts; {note}"
    elif Alert is None:
        note = f"{note}; pydantic-xml is not installed and was skipped"
    return Row("P3", name, beside, median(measured), goal, measured, note)


def _ratios(ours: Call, theirs: Call, rounds: int) -> tuple[float, ...]:
    """Their time over ours in each round, from calls in turns: above 1 where ours is faster.

    Neither side is called twice in a row: a service does not read one message over and over either, and a tight
    loop would show how fast a warm cache is.
    """
    ratios: list[float] = []
    for _ in range(rounds):
        spent_ours: list[float] = []
        spent_theirs: list[float] = []
        for _ in range(_TURNS):
            spent_ours.append(_seconds(ours))
            spent_theirs.append(_seconds(theirs))
        ratios.append(median(spent_theirs) / median(spent_ours))
    return tuple(ratios)


def _seconds(work: Call) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _alert(infos: str) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="{CAP_1_2}">
  <identifier>33060041600000_20260516080000</identifier>
  <sender>warning@example.org</sender>
  <sent>2026-05-16T08:00:00+08:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <source>绍兴市气象台</source>
  <scope>Public</scope>
  <code>profile:outlet:1.0</code>
{infos}</alert>
""".encode()


def _info(language: str, parameters: str, areas: str, *, sentences: int) -> str:
    text = "预计今天夜里到明天上午山区有暴雨，局部大暴雨，发生山洪和地质灾害的可能性大。" * sentences
    return f"""  <info>
    <language>{language}</language>
    <category>Met</category>
    <event>暴雨</event>
    <responseType>Prepare</responseType>
    <urgency>Expected</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    {_pair("eventCode", "national", "11B03")}
    <effective>2026-05-16T08:00:00+08:00</effective>
    <onset>2026-05-16T10:00:00+08:00</onset>
    <expires>2026-05-17T08:00:00+08:00</expires>
    <senderName>绍兴市气象台</senderName>
    <headline>绍兴市气象台发布暴雨橙色预警信号</headline>
    <description>{text}</description>
    <instruction>请山区群众按预案转移，远离河道和陡坡。</instruction>
    <web>https://warning.example.org/</web>
    <contact>0575-00000000</contact>
{parameters}{areas}  </info>
"""


def _area(number: int, language: str) -> str:
    return f"""    <area>
      <areaDesc>{_AREA_NAMES[language]}{number}</areaDesc>
      <polygon>{_ring(_VERTICES, number)}</polygon>
{_pair("geocode", "division", f"3306{number:02}000000")}{_pair("geocode", "grid", f"N{number}")}    </area>
"""


def _pair(element: str, name: str, value: str) -> str:
    return f"""    <{element}>
      <valueName>{name}</valueName>
      <value>{value}</value>
    </{element}>
"""


def _ring(vertices: int, variant: int) -> str:
    """A closed ring around a place of its own: a star for even variants, a thick crescent for odd ones."""
    points: list[str] = []
    for corner in range(vertices):
        angle = 2 * pi * corner / vertices
        reach = 0.02 + 0.004 * (corner % 3)
        if variant % 2:
            half = vertices // 2
            is_outer = corner < half
            angle = 1.5 * pi * (corner if is_outer else vertices - 1 - corner) / half
            reach = 0.024 if is_outer else 0.014
        points.append(f"{30 + variant / 100 + reach * sin(angle):.4f},{120.5 + reach * cos(angle):.4f}")
    return " ".join([*points, points[0]])
