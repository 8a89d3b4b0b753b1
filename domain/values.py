"""The base of every frozen value in the domain, and the two small types nearly all of them use.

What belongs here: nothing about warnings. Rules live beside the values they speak of.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value: equal when its fields are equal, and refused when a field is unknown or of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


def has_a_zone(moment: datetime) -> datetime:
    """Return the moment unchanged.

    Raises:
        ValueError: it carries no UTC offset, since a time without a zone is a different time in every city; or one
            with seconds (historical local mean time), which JSON would cut off and so move the moment.
    """
    offset = moment.utcoffset()
    if offset is None:
        message = "a time needs a zone"
        raise ValueError(message)
    if offset.seconds % 60 or offset.microseconds:
        message = "a zone's offset is in whole minutes"
        raise ValueError(message)
    return moment


Moment = Annotated[datetime, AfterValidator(has_a_zone)]
"""A point in time with its UTC offset. The offset that a sender wrote is kept; comparisons are by instant."""

Language = str
"""A BCP 47 tag as CAP uses it in `language`, such as `zh-CN` or `en`."""
