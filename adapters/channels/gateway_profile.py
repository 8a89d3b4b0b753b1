"""What a profile says of a gateway over HTTP: its requests, its answers, what it reports, and how that is proven.

A profile is the gateway's; whose account it is, under which name and with which template, is the route's
(`gateway_definition.py`). Everything that can be wrong with a profile is found here, before anything is sent.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints, model_validator

from adapters.channels.gateway_places import check_places
from adapters.channels.gateway_text_rule import MOST_PIECES, SettingName, TextRule
from adapters.channels.smpp_definition import NumberForm
from adapters.feeds.profile import ZoneName
from domain.values import Value

T = TypeVar("T")

_CLIENTS_OWN: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})

ROUTE_PLACES: Final = frozenset({"key_id", "sign_name", "timestamp"})
"""Places that every request has."""

TEXT_PLACES: Final = frozenset({"text", "subject", "body", "short"} | {f"text_{n}" for n in range(1, MOST_PIECES + 1)})
PARAMETER_PLACES: Final = TEXT_PLACES | {"level", "language", "mode", "id", "warning_id"}
"""Places in the parameters of a template."""

LETTER_PLACES: Final = (
    ROUTE_PLACES
    | PARAMETER_PLACES
    | {"recipient", "template_code", "template_params", "repeated", "expires", "expires_seconds", "planned_at"}
)
"""Places in the request that hands a letter over."""

HEADER_PLACES: Final = frozenset({"key_id", "timestamp", "id", "level", "mode", "template_code"})
"""Places that are ASCII whatever the letter says."""

ACKNOWLEDGE_PLACES: Final = ROUTE_PLACES | {"ids"}


def _as_words(values: object) -> object:
    """Codes are compared as words: `0`, `"0"` and `true` may stand in the profile as the gateway writes them."""
    return [word_of(value) for value in values] if isinstance(values, list) else values


def word_of(value: object) -> str:
    """A value of a gateway's JSON as the word by which it is compared; nothing for what is none."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value.strip()
        case int():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return ""


Words = Annotated[frozenset[str], BeforeValidator(_as_words)]
Status = Annotated[int, Field(ge=100, le=599)]
Path = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$|^$", max_length=200)]
"""Where in a JSON document: names with dots between them, and numbers from 0 for items of a list; empty for the top."""


def _is_ours_to_set(name: str) -> str:
    if name.lower() in _CLIENTS_OWN:
        raise ValueError(f"{name}: this header is not the profile's to set")
    return name


HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$"), AfterValidator(_is_ours_to_set)]
HeaderText = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=500)]


def _begins_at_the_root(path: str) -> str:
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or set(path) & set(" ?#\\"):
        raise ValueError(f"{path!r} is no path: it begins with / and holds no blank, ?, # or backslash")
    return path


class Request(Value):
    """One request: texts in `path`, `query`, `headers` and `fields` may hold places."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    path: Annotated[str, AfterValidator(_begins_at_the_root)] = "/"
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[HeaderName, HeaderText] = Field(default_factory=dict)
    body: Literal["json", "form", "none"] = "json"
    fields: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.body == "none" and self.fields:
            raise ValueError("`fields` belong to a body; set `body` to json or form")
        if self.body == "form" and any(isinstance(value, (dict, list)) for value in self.fields.values()):
            raise ValueError("the fields of a form are single values")
        if self.method == "GET" and self.body != "none":
            raise ValueError("a GET has no body: put its fields into `query`, and set `body` to none")
        return self

    def check(self, known: frozenset[str], settings: frozenset[str]) -> None:
        """Return when every place is known.

        Raises:
            PlaceError: naming those that are not.
        """
        check_places(dict(self.fields), known | settings)
        for text in (self.path, *self.query.values()):
            check_places(text, known | settings)
        for header in self.headers.values():
            check_places(header, (known & HEADER_PLACES) | settings)


class Scheme(StrEnum):
    """How a request proves whose it is; `docs/gateways.md` has each in full."""

    NONE = "none"
    BEARER = "bearer"
    HMAC_SHA256 = "hmac-sha256"
    ALIYUN_HMAC_SHA1 = "aliyun-hmac-sha1"
    ALIYUN_ACS3 = "aliyun-acs3"


class Signing(Value):
    """The scheme of this gateway; `header` and `prefix` are where and how `bearer` shows the secret."""

    scheme: Scheme = Scheme.NONE
    header: HeaderName = "authorization"
    prefix: HeaderText = "Bearer "


class AnswerRule(Value):
    """What answers to a letter say: by the word at `code` where the gateway has such words, else by the status."""

    accepted_statuses: frozenset[Status] = frozenset({200, 201, 202})
    throttled_statuses: frozenset[Status] = frozenset({429})
    refused_statuses: frozenset[Status] = frozenset({400, 413, 422})
    dead_statuses: frozenset[Status] = frozenset()
    code: Path = ""
    accepted: Words = frozenset()
    throttled: Words = frozenset()
    not_now: Words = frozenset()
    route: Words = frozenset()
    refused: Words = frozenset()
    dead: Words = frozenset()
    reference: Path = ""
    reason: Path = ""

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Self:
        if bool(self.code) != bool(self.accepted):
            raise ValueError("`code` and `accepted` are given together: where the word is, and which of them is a yes")
        lists = (self.accepted, self.throttled, self.not_now, self.route, self.refused, self.dead)
        statuses = (self.accepted_statuses, self.throttled_statuses, self.refused_statuses, self.dead_statuses)
        twice = _in_two(lists) | {str(status) for status in _in_two(statuses)}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))}: stands in two lists")
        return self


def _in_two(groups: tuple[frozenset[T], ...]) -> set[T]:
    return {one for place, group in enumerate(groups) for one in group for other in groups[:place] if one in other}


class TimeRule(Value):
    """Where a report's time is and how it is written: ISO 8601, seconds since 1970, or a `format` of strptime."""

    at: Path = ""
    time_format: str = ""
    zone: ZoneName = "Asia/Shanghai"


class ReceiptRule(TimeRule):
    """What a report about a letter says. A state that is neither `delivered` nor `pending` is a failure."""

    items: Path = ""
    reference: Path
    state: Path
    delivered: Annotated[Words, Field(min_length=1)]
    pending: Words = frozenset()
    reason: Path = ""


class MessageRule(TimeRule):
    """What a report about a message from somebody says."""

    items: Path = ""
    address: Path
    text: Path
    number_form: NumberForm = NumberForm.NATIONAL


class Proof(StrEnum):
    """How a callback proves that it is the gateway's."""

    HMAC_SHA256 = "hmac-sha256"
    BEARER = "bearer"
    PATH_TOKEN = "path-token"  # noqa: S105 -- the scheme's name, no secret


class CallbackRule(Value):
    """How the gateway calls, and what it wants to be answered."""

    proof: Proof
    tolerance_seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    answer: str = ""
    answer_type: Literal["application/json", "text/plain"] = "application/json"


class Poll(Value):
    """A list that is asked for: `holds` tells by which rule it is read, `id` names an item in `acknowledge`."""

    holds: Literal["receipts", "messages"]
    interval_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    request: Request
    id: Path = ""
    acknowledge: Request | None = None

    @model_validator(mode="after")
    def _acknowledges_by_id(self) -> Self:
        if (self.acknowledge is None) != (not self.id):
            raise ValueError("`id` and `acknowledge` are given together")
        return self


class GatewayProfile(Value):
    """One gateway. `settings` names the values of its own that each route must give, as places."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    settings: tuple[SettingName, ...] = ()
    number_form: NumberForm = NumberForm.PLUS
    signing: Signing = Signing()
    request: Request
    text: TextRule = TextRule()
    template_params: dict[str, str] = Field(default_factory=dict)
    answer: AnswerRule = AnswerRule()
    receipts: ReceiptRule | None = None
    messages: MessageRule | None = None
    callback: CallbackRule | None = None
    poll: tuple[Poll, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        own = frozenset(self.settings)
        taken = own & (LETTER_PLACES | ACKNOWLEDGE_PLACES)
        if taken:
            raise ValueError(f"settings: {', '.join(sorted(taken))} is a place already")
        self.request.check(LETTER_PLACES, own)
        for parameter in self.template_params.values():
            check_places(parameter, PARAMETER_PLACES | own)
        for poll in self.poll:
            poll.request.check(ROUTE_PLACES, own)
            if poll.acknowledge is not None:
                poll.acknowledge.check(ACKNOWLEDGE_PLACES, own)
        held = {"receipts": self.receipts, "messages": self.messages}
        unread = sorted({poll.holds for poll in self.poll if held[poll.holds] is None})
        if unread:
            raise ValueError(f"poll: how {', '.join(unread)} are read is not described")
        if self.callback is not None and self.receipts is None and self.messages is None:
            raise ValueError("callback: neither receipts nor messages are described")
        if self.signing.scheme is Scheme.ALIYUN_HMAC_SHA1 and self.request.body == "json":
            raise ValueError(f"signing: {self.signing.scheme.value} signs a query or a form, not JSON")
        return self
