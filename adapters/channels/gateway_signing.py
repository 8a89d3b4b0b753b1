"""How requests to a gateway are signed. Pure: the key, the time and the nonce come in.

Sources of Aliyun's schemes: its public documents "Signature method" (HMAC-SHA1 over the parameters) and "V3 request
structure and signature" (ACS3-HMAC-SHA256); their printed examples are in the tests.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha1, sha256
from typing import Final, assert_never
from urllib.parse import quote, urlsplit

from adapters.channels.gateway_profile import Scheme, Signing
from adapters.net.urls import destination_of

KEY_HEADER: Final = "x-key-id"
TIMESTAMP_HEADER: Final = "x-timestamp"
NONCE_HEADER: Final = "x-nonce"
SIGNATURE_HEADER: Final = "x-signature"

_UNRESERVED: Final = "-_.~"
_ACS3: Final = "ACS3-HMAC-SHA256"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Key:
    """Whose request it is. The secret is shown nowhere."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A request to `base` (scheme, host and a path in front), with its parameters not written yet.

    `form` is the body where it is one; else `body` is it as it goes.
    """

    method: str
    base: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    form: tuple[tuple[str, str], ...] | None = None
    body: bytes = b""

    @property
    def full_path(self) -> str:
        """The path with what the base has in front."""
        return (urlsplit(self.base).path + self.path) or "/"

    @property
    def url(self) -> str:
        """The whole address."""
        return self.base + self.path + (f"?{encoded(self.query)}" if self.query else "")

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return self.body if self.form is None else encoded(self.form).encode()


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Parameters as RFC 3986 writes them: a blank is %20, and only letters, digits and `-_.~` stay."""
    return "&".join(f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for name, value in pairs)


def canonical_string(method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What `hmac-sha256` signs: method, path with query, time, nonce and the body's SHA-256 (hex), on a line each."""
    return "\n".join((method, target, timestamp, nonce, sha256(body).hexdigest())).encode()


def signed(draft: Draft, signing: Signing, key: Key, now: datetime, nonce: str) -> Draft:
    """The request with what proves whose it is."""
    match signing.scheme:
        case Scheme.NONE:
            return draft
        case Scheme.BEARER:
            return _with_headers(draft, {signing.header: signing.prefix + key.secret.decode()})
        case Scheme.HMAC_SHA256:
            return _by_hmac(draft, key, now, nonce)
        case Scheme.ALIYUN_HMAC_SHA1:
            return _by_aliyun_parameters(draft, key, now, nonce)
        case Scheme.ALIYUN_ACS3:
            return _by_acs3(draft, key, now, nonce)
        case _:
            assert_never(signing.scheme)


def _by_hmac(draft: Draft, key: Key, now: datetime, nonce: str) -> Draft:
    timestamp = str(int(now.timestamp()))
    target = draft.full_path + (f"?{encoded(draft.query)}" if draft.query else "")
    content = canonical_string(draft.method, target, timestamp, nonce, draft.content)
    return _with_headers(
        draft,
        {
            KEY_HEADER: key.id,
            TIMESTAMP_HEADER: timestamp,
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: hmac.new(key.secret, content, sha256).hexdigest(),
        },
    )


def _by_aliyun_parameters(draft: Draft, key: Key, now: datetime, nonce: str) -> Draft:
    common = (
        ("AccessKeyId", key.id),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", _utc(now)),
    )
    own = draft.form if draft.form is not None else draft.query
    also = draft.query if draft.form is not None else ()
    canonical = encoded(sorted((*own, *also, *common)))
    content = f"{draft.method}&%2F&{quote(canonical, safe=_UNRESERVED)}"
    digest = hmac.new(key.secret + b"&", content.encode(), sha1).digest()
    pairs = (*own, *common, ("Signature", base64.b64encode(digest).decode()))
    return replace(draft, query=pairs) if draft.form is None else replace(draft, form=pairs)


def _by_acs3(draft: Draft, key: Key, now: datetime, nonce: str) -> Draft:
    query = tuple(sorted(draft.query))
    digest = sha256(draft.content).hexdigest()
    added = {"x-acs-content-sha256": digest, "x-acs-date": _utc(now), "x-acs-signature-nonce": nonce}
    all_headers = {name.lower(): value.strip() for name, value in {**draft.headers, **added}.items()}
    host = destination_of(draft.base).authority
    covered = {name: value for name, value in all_headers.items() if name.startswith("x-acs-")} | {"host": host}
    if "content-type" in all_headers:
        covered["content-type"] = all_headers["content-type"]
    names = ";".join(sorted(covered))
    lines = "".join(f"{name}:{covered[name]}\n" for name in sorted(covered))
    canonical = "\n".join((draft.method, draft.full_path, encoded(query), lines, names, digest))
    content = f"{_ACS3}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key.secret, content.encode(), sha256).hexdigest()
    proof = f"{_ACS3} Credential={key.id},SignedHeaders={names},Signature={signature}"
    return _with_headers(replace(draft, query=query), {**added, "authorization": proof})


def _with_headers(draft: Draft, added: Mapping[str, str]) -> Draft:
    return replace(draft, headers={**draft.headers, **added})


def _utc(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
