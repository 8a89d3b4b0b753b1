"""How a parent system is described in `connections.toml`, and what of it does not go together."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, StringConstraints, model_validator

from adapters.cn12379.names import SenderCode
from domain.levels import Level
from domain.messages import Mode
from domain.passing_up import Wish
from domain.values import Value

Unit = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
"""The last five digits of a sender code: unit (3) and extension (2)."""

Name = Annotated[str, StringConstraints(pattern=r"^[0-9a-z][0-9a-z-]{0,62}$")]

DAY_SECONDS: Final = 24 * 3600.0

RESERVED_HEADERS: Final = frozenset(
    {"host", "content-length", "content-type", "webhook-id", "webhook-timestamp", "webhook-signature"}
)


class Form(StrEnum):
    """In which form a parent takes releases."""

    CAP = "cap"
    CN12379 = "cn12379"


class Way(StrEnum):
    """How they get there."""

    FOLDER = "folder"
    HTTP = "http"


class Names(StrEnum):
    """How 12379 files are named in a folder; see decision 9."""

    NUMBERED = "numbered"
    PRESCRIBED = "prescribed"


class ParentDefinition(Value):
    """One `[[parents]]` entry. Paths are relative to the data directory."""

    id: Name
    form: Form
    by: Way
    mode: Mode = Mode.LIVE
    folder: Path | None = None
    url: str = ""
    acknowledgements: Path | None = None
    acknowledge_within_seconds: PositiveFloat = 900.0
    patience_seconds: PositiveFloat = DAY_SECONDS
    timeout_seconds: PositiveFloat = 10.0
    headers: dict[str, str] = Field(default_factory=dict)
    key_file: Path | None = None
    secret_file: Path | None = None
    pack: bool | None = Field(default=None, alias="zip")
    names: Names = Names.NUMBERED
    sender_code: SenderCode | None = None
    unit_codes: dict[str, Unit] = Field(default_factory=dict)
    districts: frozenset[str] = frozenset()
    hazards: frozenset[str] = frozenset()
    level_min: Level | None = None

    @property
    def wish(self) -> Wish:
        """Which releases it gets."""
        return Wish(mode=self.mode, districts=self.districts, hazards=self.hazards, level_min=self.level_min)

    @property
    def is_zipped(self) -> bool:
        """Whether each 12379 document travels in a zip of its own; into a folder it does unless told otherwise."""
        return self.by is Way.FOLDER and self.form is Form.CN12379 if self.pack is None else self.pack

    @property
    def answers_by_file(self) -> bool:
        """Whether acknowledgements come as files later."""
        return self.acknowledgements is not None

    @property
    def host(self) -> str:
        """The host that is posted to, in small letters; empty for a folder."""
        return (urlsplit(self.url).hostname or "").lower()

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        problems = [sentence for is_wrong, sentence in self._checks() if is_wrong]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _checks(self) -> tuple[tuple[bool, str], ...]:
        by_http = self.by is Way.HTTP
        http_only = self.headers or self.key_file or self.secret_file
        cn12379_only = self.pack or self.sender_code or self.unit_codes or self.names is Names.PRESCRIBED
        units = list(self.unit_codes.values())
        return (
            (by_http == bool(self.folder), "`by` = folder needs `folder`, and only that does"),
            (by_http != bool(self.url), "`by` = http needs `url`, and only that does"),
            (bool(self.url) and (urlsplit(self.url).scheme not in {"http", "https"} or not self.host), "not a URL"),
            (not by_http and bool(http_only), "`headers`, `key_file` and `secret_file` are for http"),
            (self.form is Form.CAP and bool(cn12379_only), "`zip`, `names`, `sender_code`, `unit_codes` are 12379's"),
            (len(units) != len(set(units)), "`unit_codes`: two districts have the same unit"),
            (
                any(
                    name.lower() in RESERVED_HEADERS or not _is_header(name, text)
                    for name, text in self.headers.items()
                ),
                "`headers`: a name or value that cannot be sent, or one that is set by the outlet itself",
            ),
            (
                self.folder is not None and self.folder == self.acknowledgements,
                "`acknowledgements` must be another folder than `folder`",
            ),
        )


def _is_header(name: str, text: str) -> bool:
    return name.replace("-", "").isalnum() and name.isascii() and text.isascii() and text.isprintable()
