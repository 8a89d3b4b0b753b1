"""The later parts of a report in words: people told, call-ups, consultation, assessment, and about the data."""

from collections.abc import Iterable, Sequence

from adapters.reports import charts
from adapters.reports.blocks import Block, Cell, Chart, Column, Heading, Paragraph, Table
from adapters.reports.charts import Head
from adapters.reports.parts import table
from adapters.reports.words import NOTHING, Words
from projections.monthly.values import AssessmentSum, CallUpSum, ConflictCase, MonthlyReport


def told(report: MonthlyReport, words: Words) -> Iterable[Block]:
    """Who was told and who was not, and what became of the messages; it belongs to the part on timeliness."""
    figures = report.telling
    if not figures.plans:
        yield Paragraph(words.say("nobody-told"))
        return
    rows: list[tuple[Cell, ...]] = [
        *(
            (words.say("told-people"), words.level(level), words.number(n))
            for level, n in figures.told_by_level.items()
        ),
        *(
            (words.say("withheld-people"), words.code(reason), words.number(n))
            for reason, n in figures.withheld_by_reason.items()
        ),
        *((words.say("role"), role, words.number(n)) for role, n in figures.told_by_role.items()),
        *(
            (words.say("channel"), words.code(channel), words.number(n))
            for channel, n in figures.told_by_channel.items()
        ),
    ]
    columns = (
        Column(words.say("item"), is_wide=True),
        Column(words.say("value"), is_wide=True),
        Column(words.say("people"), is_figure=True),
    )
    yield Table(words.say("told"), columns, tuple(rows))
    if figures.deliveries:
        outcomes = tuple(
            (words.code(one.subject), words.code(one.channel), words.code(one.state), words.number(one.outcomes))
            for one in figures.deliveries
        )
        names = ("subject", "channel", "outcome")
        shown = (*(Column(words.say(name), is_wide=True) for name in names), Column(words.say("count"), is_figure=True))
        yield Table(words.say("deliveries"), shown, outcomes)
    if figures.endings:
        yield Paragraph(words.say("endings", endings=words.counts(figures.endings)))


def call_ups(report: MonthlyReport, words: Words) -> Iterable[Block]:
    """Who was called up, and how they answered."""
    yield Heading("call-ups", words.say("part-call-ups"))
    figures = report.call_ups
    if not figures.posts:
        yield Paragraph(words.say("no-call-ups"))
        return
    prompt, in_time = words.seconds(figures.prompt_seconds), words.seconds(figures.in_time_seconds)
    yield Paragraph(
        words.say(
            "call-ups",
            rounds=words.number(figures.rounds),
            posts=words.number(figures.posts),
            prompt=prompt,
            promptly=words.number(figures.promptly),
            promptly_share=words.share(figures.promptly, figures.posts),
            in_time=in_time,
            in_time_count=words.number(figures.in_time),
            in_time_share=words.share(figures.in_time, figures.posts),
            unconfirmed=words.number(figures.unconfirmed),
            median=words.seconds(figures.seconds.median_seconds),
            longest=words.seconds(figures.seconds.longest_seconds),
        )
    )
    segments = [
        (words.say("promptly", within=prompt), figures.promptly),
        (words.say("promptly", within=in_time), figures.in_time - figures.promptly),
        (words.say("later"), figures.confirmed - figures.in_time),
        (words.say("unconfirmed"), figures.unconfirmed),
    ]
    head = Head("call-ups", words.say("call-ups-chart"), words.say("call-ups-says"))
    yield Chart(charts.share_bar(head, segments))
    yield Paragraph(
        words.say(
            "call-ups-steps",
            called=words.number(figures.called),
            next_asked=words.number(figures.next_asked),
            answered=words.number(figures.answered),
            reported=words.number(figures.reported),
        )
    )
    yield Paragraph(words.say("call-ups-hows", hows=words.counts(figures.hows), endings=words.counts(figures.endings)))
    limits = (prompt, in_time)
    yield _posts(words, "call-ups-by-role", "role", limits, [(one.key, one) for one in figures.by_role])
    by_district = [(words.district(one.key), one) for one in figures.by_district]
    yield _posts(words, "call-ups-by-district", "district", limits, by_district)


def _posts(
    words: Words, caption: str, first: str, limits: tuple[str, str], sums: Sequence[tuple[str, CallUpSum]]
) -> Table:
    columns = (
        Column(words.say(first), is_wide=True),
        Column(words.say("posts"), is_figure=True),
        *(Column(words.say("promptly", within=limit), is_figure=True) for limit in limits),
        *(Column(words.say(name), is_figure=True) for name in ("confirmed", "median", "longest")),
    )
    rows = tuple(
        (
            name,
            words.number(one.posts),
            words.number(one.promptly),
            words.number(one.in_time),
            words.number(one.confirmed),
            words.seconds(one.seconds.median_seconds),
            words.seconds(one.seconds.longest_seconds),
        )
        for name, one in sums
    )
    return Table(words.say(caption), columns, rows)


def consultation(report: MonthlyReport, words: Words) -> Iterable[Block]:
    """What several agencies said together, and where they were far apart."""
    yield Heading("consultation", words.say("part-consultation"))
    figures = report.consultation
    if figures.sections:
        yield Paragraph(
            words.say(
                "merged",
                sections=words.number(figures.sections),
                several=words.number(figures.sections_of_several_agencies),
                share=words.share(figures.sections_of_several_agencies, figures.sections),
                hazards=words.number(figures.warnings_of_several_hazards),
            )
        )
    else:
        yield Paragraph(words.say("no-sections"))
    if not figures.flagged:
        yield Paragraph(words.say("no-conflicts"))
        return
    yield Paragraph(
        words.say(
            "conflicts",
            flagged=words.number(figures.flagged),
            settled=words.number(figures.settled),
            dissolved=words.number(figures.dissolved),
            open=words.number(figures.open),
            median=words.seconds(figures.settling.median_seconds),
            longest=words.seconds(figures.settling.longest_seconds),
        )
    )
    columns = (
        Column(words.say("flagged")),
        Column(words.say("district")),
        Column(words.say("hazard")),
        Column(words.say("levels-said"), is_wide=True),
        Column(words.say("outcome")),
        Column(words.say("took"), is_figure=True),
    )
    rows = tuple(_case(words, one) for one in figures.conflicts)
    yield Table(words.say("conflict-cases"), columns, rows)


def _case(words: Words, case: ConflictCase) -> tuple[str, ...]:
    said = [f"{words.agency(agency)} {words.level_word(level)}" for agency, level in case.levels.items()]
    return (
        words.moment(case.flagged),
        words.district(case.district),
        words.hazard(case.hazard),
        words.listed(said),
        words.code(case.outcome.value),
        words.seconds(case.seconds),
    )


def assessment(report: MonthlyReport, words: Words) -> Iterable[Block]:
    """Hits, false warnings and missed events, as far as people have entered them."""
    yield Heading("assessment", words.say("part-assessment"))
    total = report.assessment.total
    if not total.assessed and not total.missed:
        yield Paragraph(words.say("not-assessed"))
        return
    yield Paragraph(
        words.say(
            "assessed",
            warnings=words.number(total.warnings),
            assessed=words.number(total.assessed),
            share=words.share(total.assessed, total.warnings),
            hits=words.number(total.hits),
            false=words.number(total.false_alarms),
            missed=words.number(total.missed),
        )
    )
    names = ("warnings", "assessed-column", "hits", "false", "missed")
    rates = ("accuracy", "false-rate", "missed-rate", "threat-score")
    rows = [
        *(_assessed(words, words.hazard(one.key), one) for one in report.assessment.by_hazard),
        _assessed(words, words.say("sum"), total),
    ]
    yield table(words, "assessment-table", ("hazard", *names, *rates), rows)
    yield Paragraph(words.say("assessment-note"))


def _assessed(words: Words, name: str, one: AssessmentSum) -> tuple[str, ...]:
    counts = (one.warnings, one.assessed, one.hits, one.false_alarms, one.missed)
    score = NOTHING if one.threat_score is None else f"{one.threat_score:.2f}"
    rates = (one.accuracy, one.false_rate, one.missed_rate)
    return (name, *(words.number(count) for count in counts), *(words.rate(rate) for rate in rates), score)


def data(report: MonthlyReport, words: Words, content_sha256: str) -> Iterable[Block]:
    """Where the figures come from, and how anybody can make the same ones again."""
    yield Heading("data", words.say("part-data"))
    drills = report.drills
    yield Paragraph(words.say("counting-note"))
    yield Paragraph(
        words.say(
            "drills",
            started=words.number(drills.started),
            stopped=words.number(drills.stopped),
            messages=words.number(drills.messages),
            releases=words.number(drills.releases),
            told=words.number(drills.told),
            posts=words.number(drills.posts),
            confirmed=words.number(drills.confirmed),
        )
    )
    found = report.data
    adopted = [f"{words.moment(one.at)} {one.policy_sha256}" for one in found.policies_adopted]
    rows = (
        (words.say("data-period"), f"{words.moment(report.begins)} – {words.moment(report.ends)} ({report.timezone})"),
        (words.say("data-position"), str(report.position)),
        (words.say("data-recorded"), words.moment(report.recorded_until)),
        (words.say("data-events"), words.number(found.events)),
        (words.say("data-parked"), words.number(found.parked)),
        (words.say("data-silent"), words.number(found.feeds_fell_silent)),
        (words.say("data-stopped"), words.number(found.sending_stopped)),
        (words.say("data-policy"), report.policy_sha256),
        *((words.say("data-adopted"), said) for said in adopted),
        (words.say("data-content"), content_sha256),
    )
    columns = (Column(words.say("item")), Column(words.say("value"), is_wide=True))
    yield Table(words.say("data-table"), columns, rows)
