"""CAP 1.2 as JSON: the same elements under the same names. What is written here is what the OpenAPI document shows.

An element that may occur several times is a list; a single value is taken for a list of one. Times are ISO 8601 with
a zone. The rules on what a message must hold are CAP's and are applied by the CAP reader, not here.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictFloat, StrictInt, StringConstraints

from domain.levels import Level

LONGEST_TEXT = 1_000_000
MOST_ITEMS = 10_000


def _as_a_list(value: object) -> object:
    return [value] if isinstance(value, (str, dict)) else value


# What XML cannot hold is no text of a message: control characters other than tab and line ends, and halves of pairs.
Text = Annotated[
    str,
    StringConstraints(
        max_length=LONGEST_TEXT, pattern="^[\\t\\n\\r\\x20-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]*$"
    ),
]
Number = StrictInt | StrictFloat
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_a_list), Field(max_length=MOST_ITEMS)]


class Form(BaseModel):
    """The base: an unknown member is an error, since it may be a misspelt one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PairForm(Form):
    """A `valueName` and its `value`."""

    valueName: Text  # noqa: N815 -- CAP's names throughout
    value: Text


class ResourceForm(Form):
    """A file that belongs to a message; its content is not taken."""

    resourceDesc: Text  # noqa: N815
    mimeType: Text = ""  # noqa: N815
    size: StrictInt | None = None
    uri: Text = ""
    digest: Text = ""


Pairs = Annotated[tuple[PairForm, ...], BeforeValidator(_as_a_list), Field(max_length=MOST_ITEMS)]


class AreaForm(Form):
    """Where: polygons and circles as CAP writes them (`"lat,lon lat,lon …"`, `"lat,lon radius-in-km"`), and codes."""

    areaDesc: Text  # noqa: N815
    polygon: Texts = ()
    circle: Texts = ()
    geocode: Pairs = ()
    altitude: Number | None = None
    ceiling: Number | None = None


class InfoForm(Form):
    """One `info`. `level` is an addition: the outlet's own level, which severity alone cannot tell (white, blue)."""

    language: Text = ""
    category: Texts = ()
    event: Text = ""
    responseType: Texts = ()  # noqa: N815
    urgency: Text = ""
    severity: Text = ""
    certainty: Text = ""
    audience: Text = ""
    eventCode: Pairs = ()  # noqa: N815
    effective: Text = ""
    onset: Text = ""
    expires: Text = ""
    senderName: Text = ""  # noqa: N815
    headline: Text = ""
    description: Text = ""
    instruction: Text = ""
    web: Text = ""
    contact: Text = ""
    parameter: Pairs = ()
    resource: Annotated[tuple[ResourceForm, ...], BeforeValidator(_as_a_list), Field(max_length=MOST_ITEMS)] = ()
    area: Annotated[tuple[AreaForm, ...], BeforeValidator(_as_a_list), Field(max_length=MOST_ITEMS)] = ()
    level: Level | None = None


class MessageForm(Form):
    """One message. `references` holds `sender,identifier,sent` triples."""

    identifier: Text
    sender: Text
    sent: Text
    status: Text
    msgType: Text  # noqa: N815
    source: Text = ""
    scope: Text = "Public"
    restriction: Text = ""
    addresses: Text = ""
    code: Texts = ()
    note: Text = ""
    references: Texts = ()
    incidents: Texts = ()
    info: Annotated[tuple[InfoForm, ...], BeforeValidator(_as_a_list), Field(max_length=MOST_ITEMS)] = ()
