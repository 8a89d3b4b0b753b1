"""What the reader does about each kind of defect; the values come from the policy.

Real senders bend CAP. A defect that leaves the meaning clear is noted, one that hides it refuses the message.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from domain.values import Value


class Verdict(StrEnum):
    """What happens to a message with a defect."""

    REFUSE = "refuse"
    NOTE = "note"
    IGNORE = "ignore"  # not even looked for


class CapChecks(Value):
    """One verdict per check; the defaults are the strict reading of what hinders understanding.

    What identifies a message is no matter of verdicts: without identifier, sender, a time of sending, status and
    type it is always refused.
    """

    schema_defect: Verdict = Verdict.NOTE
    """The version's XSD is not satisfied: order, unknown elements and attributes, values outside a list."""

    identifier_characters: Verdict = Verdict.REFUSE
    """Spaces, commas, `<` or `&` in identifier or sender, which CAP forbids and references cannot carry."""

    reference_form: Verdict = Verdict.NOTE
    """A reference from which no time can be read; it is kept without one."""

    reference_missing: Verdict = Verdict.REFUSE
    """An Update or Cancel that names no earlier message."""

    no_info: Verdict = Verdict.REFUSE
    """An Alert or Update without any info block."""

    no_event: Verdict = Verdict.REFUSE
    """An info block that does not say what happens."""

    incomplete: Verdict = Verdict.NOTE
    """Other required elements that are absent or empty: category, urgency, severity, certainty, areaDesc, names."""

    unusable_time: Verdict = Verdict.REFUSE
    """An effective, onset or expires that is no time, or whose year cannot be meant; when noted, it is left out."""

    time_without_zone: Verdict = Verdict.REFUSE
    """When noted, the time is taken to be in `default_offset_minutes`, which is then needed for `sent`."""

    default_offset_minutes: Annotated[int, Field(gt=-1440, lt=1440)] | None = None
    """Minutes east of UTC for times without a zone. Without it, `sent`'s own offset serves for the others."""

    expires_before_sent: Verdict = Verdict.REFUSE
    """An Alert or Update that ended before it was sent; on other types it is only ever noted."""

    open_polygon: Verdict = Verdict.NOTE
    """A polygon of three points or more whose last is not its first; when noted, it is closed."""

    shape: Verdict = Verdict.REFUSE
    """A polygon or circle that cannot be read; when noted, it is left out."""

    crossing_polygon: Verdict = Verdict.REFUSE
    """A polygon that crosses itself or has no area; when noted, it is kept as it is."""

    signature: Verdict = Verdict.NOTE
    """A signature that does not verify, with whatever key it carries. One that does proves nothing by itself."""

    partial_envelope: Verdict = Verdict.NOTE
    """An envelope of several messages of which some are refused; when noted, the others are read."""

    broadcast_length: Verdict = Verdict.NOTE
    """A description longer than one cell broadcast holds: 1,395 GSM-7 or 615 other characters."""

    text_limit_characters: Annotated[int, Field(gt=0)] = 100_000
    """A longer text always refuses the message."""

    @classmethod
    def lenient(cls, *, default_offset_minutes: int = 0) -> Self:
        """Every check that has a verdict notes: for reading archives and feeds of foreign senders."""
        names = [name for name, field in cls.model_fields.items() if field.annotation is Verdict]
        return cls.model_validate(
            dict.fromkeys(names, Verdict.NOTE) | {"default_offset_minutes": default_offset_minutes}
        )
