"""What a policy's text templates may hold: plain named fields, none that reaches into an object.

Checked when a policy is read, so that no template can fail while a warning is being released.
"""

from collections.abc import Iterable, Mapping
from string import Formatter

FIELDS: Mapping[str, frozenset[str]] = {
    "headline": frozenset({"issuers", "time", "hazard", "level", "outlet"}),
    "joint": frozenset({"issuers", "time", "hazard", "level", "outlet"}),
    "lifted": frozenset({"time", "hazard", "level", "areas", "outlet"}),
    "sms": frozenset({"headlines", "areas", "time", "outlet"}),
    "raised": frozenset({"headline", "hazard", "level", "before", "areas", "time", "outlet", "issuers"}),
    "lowered": frozenset({"headline", "hazard", "level", "before", "areas", "time", "outlet", "issuers"}),
    "short": frozenset({"headlines", "areas", "time", "outlet", "link"}),
    "source": frozenset({"station", "text"}),
    "callup": frozenset({"headlines", "areas", "time", "outlet", "link"}),
    "callup_next": frozenset({"headlines", "areas", "time", "outlet", "link"}),
    "callup_voice": frozenset({"headlines", "areas", "time", "outlet"}),
}
"""The fields that each template is given."""

REQUIRED: Mapping[str, frozenset[str]] = {
    "headline": frozenset({"issuers", "hazard", "level"}),
    "joint": frozenset({"issuers", "hazard", "level"}),
    "lifted": frozenset({"hazard"}),
    "sms": frozenset({"headlines"}),
    "raised": frozenset(),
    "lowered": frozenset(),
    "short": frozenset({"headlines"}),
    "source": frozenset({"station", "text"}),
    "callup": frozenset({"headlines"}),
    "callup_next": frozenset({"headlines"}),
    "callup_voice": frozenset({"headlines"}),
}
"""The fields without which a text would not say who warns of what."""


def template_problems(
    template: str, fields: frozenset[str] = frozenset().union(*FIELDS.values()), required: Iterable[str] = ()
) -> list[str]:
    """What is wrong with a template: a field it is not given, one that reaches into objects, or one it lacks."""
    try:
        parts = [part for part in Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        return [str(error)]
    names = [name for _, name, _, _ in parts]
    problems = [f"unknown field {{{name}}}" for name in names if name not in fields]
    problems += [
        f"the field {{{name}}} stands alone, without ! or :"
        for _, name, layout, conversion in parts
        if name in fields and (layout or conversion)
    ]
    return problems + [f"the field {{{name}}} is missing" for name in sorted(set(required) - set(names))]
