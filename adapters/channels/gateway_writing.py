"""A letter, or a question for what there is to report, as the signed request that the profile describes. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from pydantic import JsonValue

from adapters.channels.gateway_definition import GatewayDefinition
from adapters.channels.gateway_places import filled, filled_text
from adapters.channels.gateway_profile import GatewayProfile, Request, Scheme, Signing
from adapters.channels.gateway_signing import Draft, Key, signed
from adapters.channels.gateway_text import pieces_of, words_of
from adapters.channels.gateway_text_rule import TextRule
from adapters.channels.plain import plain_line, plain_text
from adapters.channels.port import Later, Letter
from adapters.channels.smpp_text import destination_of
from adapters.channels.smpp_writing import CannotBeSentError
from domain.telling_events import SendText


class GatewayWriter:
    """Writes requests for one route."""

    def __init__(self, definition: GatewayDefinition, profile: GatewayProfile, key: Key) -> None:
        """Use these for all requests."""
        self._definition = definition
        self._profile = profile
        self._key = key
        self._text = definition.text or profile.text
        own = definition.template_params
        self._params = profile.template_params if own is None else own
        self._number_form = definition.number_form or profile.number_form

    def letter(self, letter: Letter, now: datetime, nonce: str) -> Draft:
        """The request that hands this letter over.

        Raises:
            NotANumberError: the address is not E.164.
            CannotBeSentError: there are no words, too many, or their time is over.
        """
        if letter.expires is not None and letter.expires <= now:
            raise CannotBeSentError(Later("its content has expired"))
        recipient = destination_of(letter.address, self._number_form, self._definition.region)
        words = words_of(letter.text, self._text)
        values = self._common(now) | _of_texts(letter.text, words, self._text) | _of_letter(letter, now)
        params = {name: filled_text(text, values) for name, text in self._params.items()}
        codes = self._definition.template_codes
        values |= {
            "recipient": recipient,
            "template_code": codes.get(letter.text.language, self._definition.template_code),
            "template_params": _json(params),
        }
        return self._request(self._profile.request, values, now, nonce)

    def request(self, request: Request, now: datetime, nonce: str, ids: Sequence[str] = ()) -> Draft:
        """A request that is not about one letter; `ids` are those that are acknowledged."""
        return self._request(request, self._common(now) | {"ids": list(ids)}, now, nonce)

    def _common(self, now: datetime) -> dict[str, JsonValue]:
        return {
            **self._definition.settings,
            "key_id": self._key.id,
            "sign_name": self._definition.sign_name,
            "timestamp": str(int(now.timestamp())),
        }

    def _request(self, request: Request, values: Mapping[str, JsonValue], now: datetime, nonce: str) -> Draft:
        headers = {name: filled_text(text, values) for name, text in request.headers.items()}
        form: tuple[tuple[str, str], ...] | None = None
        body = b""
        if request.body == "json":
            headers = {"content-type": "application/json; charset=utf-8", **headers}
            body = _json(filled(dict(request.fields), values)).encode()
        elif request.body == "form":
            headers = {"content-type": "application/x-www-form-urlencoded", **headers}
            form = tuple((name, _field(value, values)) for name, value in request.fields.items())
        path = filled_text(request.path, {name: _in_path(value) for name, value in values.items()})
        query = tuple((name, filled_text(text, values)) for name, text in request.query.items())
        signing = self._profile.signing
        if request.body == "json" and signing.scheme is Scheme.ALIYUN_HMAC_SHA1:
            signing = Signing()
        draft = Draft(request.method, self._definition.url, path, query, headers, form, body)
        return signed(draft, signing, self._key, now, nonce)


def _of_texts(text: SendText, words: str, rule: TextRule) -> dict[str, JsonValue]:
    numbered = {f"text_{n}": piece for n, piece in enumerate(pieces_of(words, rule), 1)}
    others = {"subject": plain_line(text.subject), "body": plain_text(text.body), "short": plain_text(text.short)}
    return {"text": words, **numbered, **others}


def _of_letter(letter: Letter, now: datetime) -> dict[str, JsonValue]:
    expires = letter.expires
    return {
        "id": letter.id,
        "level": letter.level.value,
        "mode": letter.mode.value,
        "language": letter.text.language,
        "warning_id": letter.warning_id,
        "repeated": letter.repeated,
        "planned_at": letter.planned_at.isoformat(),
        "expires": None if expires is None else expires.isoformat(),
        "expires_seconds": None if expires is None else math.floor((expires - now).total_seconds()),
    }


def _field(value: JsonValue, values: Mapping[str, JsonValue]) -> str:
    match filled(value, values):
        case str() as text:
            return text
        case None:
            return ""
        case other:
            return _json(other)


def _in_path(value: JsonValue) -> JsonValue:
    return quote(value, safe="") if isinstance(value, str) else value


def _json(value: JsonValue | Mapping[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
