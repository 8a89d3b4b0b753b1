"""The shapes of the public JSON, for the OpenAPI document; a test holds every answer against them.

Answers are not built from these: they are written once, as bytes.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["white", "blue", "yellow", "orange", "red"]


class Shape(BaseModel):
    """A JSON object without members that are not named here."""

    model_config = ConfigDict(extra="forbid")


class Hazard(Shape):
    """A hazard's code in the outlet's policy, and its names."""

    code: str = Field(examples=["11B03"])
    name_zh: str = Field(examples=["暴雨"])
    name_en: str = Field(examples=["Rainstorm"])


class Issuer(Shape):
    """An agency that stands behind a section."""

    id: str = Field(examples=["meteorology"])
    name_zh: str
    name_en: str


class AreaLevel(Shape):
    """One area at the highest level in force there."""

    code: str = Field(examples=["330604"])
    name: str = Field(examples=["上虞区"])
    level: Level


class Conflict(Shape):
    """Agencies that are far apart on one hazard, and whether they still have to consult (会商)."""

    areas: list[str]
    levels: dict[str, Level]
    is_open: bool


class Relayed(Shape):
    """One agency's own words, byte for byte."""

    agency: str
    station: str
    language: str
    sent: str
    headline: str
    description: str
    instruction: str


class WarningSection(Shape):
    """One hazard within an outlet warning. `expires` is null while a list shows it; `text` is what a reader reads."""

    hazard: Hazard
    level: Level
    issuers: list[Issuer]
    areas: list[AreaLevel]
    effective: str
    expires: str | None
    conflict: Conflict | None
    text: str
    headlines: dict[str, str]
    relayed: list[Relayed]


class Links(Shape):
    """Where the release is, in each of its forms."""

    json_: str = Field(alias="json")
    cap: str
    cn12379: str


class Named(Shape):
    """What identifies a release. `release` is its number within the warning; `revision` the content it made public."""

    code: str = Field(description="The district.", examples=["330604"])
    name: str
    warning_id: str
    revision: int
    release: int = Field(description="The n of /revisions/{n}: releases of this warning, counted from 1.")
    released_at: str
    identifier: str = Field(description="The identifier of its CAP document.")
    message_type: Literal["Alert", "Update", "Cancel"]
    level: Level | None = Field(description="The highest level; null when nothing is in force.")
    links: Links


class WarningProperties(Named):
    """What is in force in a district, as it was released."""

    sections: list[WarningSection]


class Feature(Shape):
    """One district's warning; the geometry is null where the district's boundary is not known."""

    type: Literal["Feature"]
    id: str
    geometry: dict[str, Any] | None
    properties: WarningProperties


class Warnings(Shape):
    """A page of warnings in force at `at`.

    `unlocated` are districts with a warning that `point` or `bbox` could not test, because their boundaries are not
    known: they are left out, and may lie there. `next_cursor` is null on the last page.
    """

    type: Literal["FeatureCollection"]
    at: str
    mode: Literal["live"]
    unlocated: list[str]
    next_cursor: str | None
    features: list[Feature]


class Change(Shape):
    """One difference from the release before."""

    hazard: Hazard
    kind: Literal["new-hazard", "raised", "new-area", "lowered", "area-lifted", "lifted", "continued"]
    before: Level | None
    after: Level | None
    areas: list[str]


class Text(Shape):
    """The release's texts in one language."""

    language: str
    headline: str
    description: str
    instruction: str
    sms: str


class Release(WarningProperties):
    """A release whole. It never changes: expiry is not tested in it."""

    sender: str
    references: list[str]
    cause: str
    changes: list[Change]
    texts: list[Text]


class CurrentRelease(Release):
    """A warning's newest release, with the hazards of it that are still in force."""

    in_force: list[str]


class StreamedRelease(Release):
    """The `data` of a `release` event; `id` is the event's own."""

    id: int


class ReleaseSummary(Named):
    """A release in a list of them."""

    changes: list[Change]


class Releases(Shape):
    """A warning's releases, the first one first."""

    warning_id: str
    code: str
    name: str
    releases: list[ReleaseSummary]


class Source(Shape):
    """An agency's message behind a section, with the digest of its raw bytes."""

    agency: Issuer
    chain: str
    sender: str
    identifier: str
    sent: str
    received: str | None
    raw_sha256: str | None
    position: int | None
    level: Level
    areas: list[AreaLevel]
    expires: str | None
    headline: str


class Applied(Shape):
    """What a rule of merging did."""

    rule: str
    sentence: str
    areas: list[str]


class ExplainedSection(Shape):
    """One hazard: who says what, and what the rules made of it."""

    hazard: Hazard
    level: Level
    sources: list[Source]
    applied: list[Applied]


class ExplainedRelease(Shape):
    """One step on the way: why it went out, and what it changed."""

    release: int
    revision: int
    released_at: str
    identifier: str
    message_type: str
    cause: str
    sentence: str
    changes: list[str]


class Explanation(Shape):
    """Why a release says what it says."""

    warning_id: str
    district: str
    name: str
    release: int
    revision: int
    released_at: str
    identifier: str
    language: Literal["zh", "en"]
    cause: str
    sentence: str
    sections: list[ExplainedSection]
    releases: list[ExplainedRelease]


class Finding(Shape):
    """One reason for a refusal."""

    code: str
    path: str
    sentence: str


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(examples=["urn:single-outlet:problem:bad-request"])
    title: str
    status: int
    detail: str = ""
    code: str = Field(default="", examples=["parameters"])
    findings: list[Finding] = []
