"""The first parts of a report in words: overview, releases, timeliness. The others are in `parts_people`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from adapters.reports import charts
from adapters.reports.blocks import Block, Cell, Chart, Column, Heading, Paragraph, Table
from adapters.reports.charts import Bar, Head, Range
from adapters.reports.drawing import Drawing
from adapters.reports.words import NOTHING, Words
from domain.levels import Level
from projections.monthly.values import EntryKind, MonthlyReport, Spread, Sum

_MOST_BARS: Final = 12
"""Hazards in the chart; the table holds all of them."""


def overview(report: MonthlyReport, words: Words) -> Iterable[Block]:
    """What the month was, in a few sentences."""
    yield Heading("overview", words.say("part-overview"))
    if not report.is_over:
        until = words.moment(report.recorded_until) if report.recorded_until else words.say("nothing-recorded")
        yield Paragraph(words.say("not-over", until=until), is_notice=True)
    releases, messages = report.releases, report.messages
    yield Paragraph(
        words.say(
            "overview",
            month=words.month(report.begins),
            outlet=words.outlet(),
            releases=words.number(releases.releases),
            warnings=words.number(releases.warnings),
            new=words.number(releases.new_warnings),
            entries=words.number(releases.entries),
            accepted=words.number(messages.accepted),
            refused=words.number(messages.refused),
        )
    )
    yield Paragraph(
        words.say(
            "overview-people",
            told=words.number(report.telling.told),
            withheld=words.number(report.telling.withheld),
            posts=words.number(report.call_ups.posts),
            confirmed=words.number(report.call_ups.confirmed),
            share=words.share(report.call_ups.confirmed, report.call_ups.posts),
        )
    )
    if releases.highest_levels:
        rows = [(words.level(level), words.number(count)) for level, count in releases.highest_levels.items()]
        yield table(words, "overview-levels", ("level", "warnings"), rows)


def released(report: MonthlyReport, words: Words) -> Iterable[Block]:
    """Releases by hazard, level, district and day, and the agencies' messages."""
    yield Heading("releases", words.say("part-releases"))
    figures = report.releases
    if figures.strip:
        days = [str(day.day) for day in figures.days]
        rows = [(words.district(row.district), row.levels) for row in figures.strip]
        head = Head("strip", words.say("strip"), words.say("strip-says"))
        yield Chart(charts.strip(head, days, rows, words.level_word))
    if figures.releases:
        yield from _released_charts(report, words)
        yield Paragraph(words.say("entries-note"))
        yield _sums(words, "by-hazard", "hazard", [(words.hazard(one.key), one) for one in figures.by_hazard])
        yield _by_level(words, figures.by_level)
        yield _sums(words, "by-district", "district", [(words.district(one.key), one) for one in figures.by_district])
        named = {day.isoformat(): words.day(day) for day in figures.days}
        by_day = [(named.get(one.key, one.key), one) for one in figures.by_day]
        yield _sums(words, "by-day-table", "date", by_day)
    else:
        yield Paragraph(words.say("no-releases"))
    if report.messages.agencies:
        yield _messages(report, words)


def _released_charts(report: MonthlyReport, words: Words) -> Iterable[Block]:
    figures = report.releases
    of_day: Mapping[str, Sum] = {one.key: one for one in figures.by_day}
    by_day = [
        Bar(str(day.day), charts.level_segments(found.levels, words.level_word) if found else ())
        for day in figures.days
        for found in [of_day.get(day.isoformat())]
    ]
    says = words.say("by-day-says", entries=words.number(figures.entries))
    yield Chart(charts.columns(Head("by-day", words.say("by-day"), says), by_day))
    most = sorted(figures.by_hazard, key=lambda one: (-one.entries, one.key))[:_MOST_BARS]
    by_hazard = [Bar(words.hazard(one.key), charts.level_segments(one.levels, words.level_word)) for one in most]
    head = Head("by-hazard", words.say("by-hazard-chart"), words.say("by-hazard-says"))
    yield Chart(charts.bars(head, by_hazard))


def _sums(words: Words, caption: str, first: str, sums: Sequence[tuple[Cell, Sum]]) -> Table:
    """A table of sums: releases, entries, and the entries by kind and by level."""
    levels = sorted({level for _, one in sums for level in one.levels}, reverse=True)
    columns = [
        Column(words.say(first), is_wide=True),
        Column(words.say("releases"), is_figure=True),
        Column(words.say("entries"), is_figure=True),
        *(Column(words.code(kind.value), is_figure=True) for kind in EntryKind),
        *(Column(words.level_word(level), is_figure=True) for level in levels),
    ]
    rows = [
        (
            name,
            words.number(one.releases),
            words.number(one.entries),
            *(words.number(one.kinds.get(kind, 0)) for kind in EntryKind),
            *(words.number(one.levels.get(level, 0)) for level in levels),
        )
        for name, one in sums
    ]
    return Table(words.say(caption), tuple(columns), tuple(rows))


def _by_level(words: Words, sums: Sequence[Sum]) -> Table:
    columns = (
        Column(words.say("level"), is_wide=True),
        Column(words.say("releases"), is_figure=True),
        Column(words.say("entries"), is_figure=True),
        *(Column(words.code(kind.value), is_figure=True) for kind in EntryKind),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            words.level(Level(one.key)),
            words.number(one.releases),
            words.number(one.entries),
            *(words.number(one.kinds.get(kind, 0)) for kind in EntryKind),
        )
        for one in sums
    )
    return Table(words.say("by-level"), columns, rows)


def _messages(report: MonthlyReport, words: Words) -> Table:
    columns = (
        Column(words.say("agency"), is_wide=True),
        Column(words.say("accepted"), is_figure=True),
        *(Column(words.code(kind), is_figure=True) for kind in ("Alert", "Update", "Cancel")),
        Column(words.say("without-effect"), is_figure=True),
        Column(words.say("repeated"), is_figure=True),
        Column(words.say("refused"), is_figure=True),
        Column(words.say("reasons")),
    )
    rows = tuple(
        (
            words.agency(one.agency),
            words.number(one.accepted),
            *(words.number(one.kinds.get(kind, 0)) for kind in ("Alert", "Update", "Cancel")),
            words.number(sum(one.without_effect.values())),
            words.number(one.duplicates + one.conflicting_copies),
            words.number(one.refused),
            words.counts(one.refused_codes),
        )
        for one in report.messages.agencies
    )
    return Table(words.say("messages"), columns, rows)


def times(report: MonthlyReport, words: Words) -> Iterable[Block]:
    """How long each step took."""
    yield Heading("times", words.say("part-times"))
    figures = report.times
    steps = (
        ("sent-to-received", figures.sent_to_received),
        ("received-to-release", figures.received_to_release),
        ("sent-to-release", figures.sent_to_release),
        ("release-to-first", figures.release_to_first_delivery),
        ("release-to-last", figures.release_to_last_delivery),
        ("received-to-first", figures.received_to_first_delivery),
        ("received-to-last", figures.received_to_last_delivery),
    )
    measured = [(words.say(name), spread) for name, spread in steps if spread.samples]
    if not measured:
        yield Paragraph(words.say("no-times"))
        return
    yield Paragraph(words.say("times-note"))
    yield Chart(_ranges(words, measured))
    rows = [
        (
            name,
            words.number(spread.samples),
            words.seconds(spread.median_seconds),
            words.seconds(spread.p90_seconds),
            words.seconds(spread.longest_seconds),
        )
        for name, spread in measured
    ]
    yield table(words, "times", ("stage", "samples", "median", "p90", "longest"), rows)
    by_level: list[tuple[Cell, ...]] = [
        (
            words.level(one.level),
            *_both(words, one.received_to_release, one.release_to_first_delivery, one.release_to_last_delivery),
        )
        for one in figures.by_level
    ]
    names = ("level", "received-to-release", "release-to-first", "release-to-last")
    yield table(words, "times-by-level", names, by_level)
    by_agency = [
        (words.agency(one.agency), *_both(words, one.sent_to_received, one.received_to_release, one.sent_to_release))
        for one in figures.by_agency
    ]
    names = ("agency", "sent-to-received", "received-to-release", "sent-to-release")
    yield table(words, "times-by-agency", names, by_agency)


def _ranges(words: Words, measured: Sequence[tuple[str, Spread]]) -> Drawing:
    rows: list[Range] = []
    for name, spread in measured:
        seconds = (spread.median_seconds or 0.0, spread.p90_seconds or 0.0, spread.longest_seconds or 0.0)
        said = ", ".join(
            f"{words.say(which)} {words.seconds(one)}"
            for which, one in zip(("median", "p90", "longest"), seconds, strict=True)
        )
        rows.append(Range(name, seconds, f"{name}: {said}"))
    marks = charts.marks_for(max(row.seconds[2] for row in rows), words.seconds)
    return charts.ranges(Head("times", words.say("times-chart"), words.say("times-says")), rows, marks)


def _both(words: Words, *spreads: Spread) -> list[str]:
    """The median and the longest of each."""
    return [
        f"{words.seconds(one.median_seconds)} / {words.seconds(one.longest_seconds)}" if one.samples else NOTHING
        for one in spreads
    ]


def table(words: Words, caption: str, names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    """A table whose first column is wide and whose others are figures."""
    first, *others = names
    columns = (
        Column(words.say(first), is_wide=True),
        *(Column(words.say(name), is_figure=True) for name in others),
    )
    return Table(words.say(caption), columns, tuple(tuple(row) for row in rows))
