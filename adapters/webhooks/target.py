"""A webhook as a target of the courier: a release becomes a signed request, and the answer an outcome."""

import base64
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Raw
from msgspec.json import encode

from adapters.http.public.released import Policies, PublicRelease
from adapters.http.public.source import Outlet
from adapters.http.signatures import ID, SIGNATURE, TIMESTAMP, signature_of
from adapters.net.client import OutboundClient, OutboundError
from adapters.pollers.pacing import retry_after_seconds
from adapters.push.target import Delivered, Gone, Outcome, Parcel, TryAgain
from adapters.webhooks.store import Webhook
from domain.events import WarningReleased
from domain.messages import Mode

TIMEOUT_SECONDS: Final = 15.0
MOST_ANSWER_BYTES: Final = 64 * 1024
"""Nothing of an answer's body is used; one that is larger is cut off and counts as a failure."""

LONGEST_OBEYED_SECONDS: Final = 3_600.0
"""A receiver that asks for a longer pause is tried again after this."""

RELEASED: Final = "warning.released"
TEST: Final = "webhook.test"

KEPT: Final = 1_024

_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_GONE: Final = 410
_BUSY: Final = frozenset({429, 503})


class Documents:
    """The bodies of requests, each made once for all webhooks."""

    def __init__(self, outlet: Outlet) -> None:
        """Names and policies are this outlet's."""
        self._policies = Policies(outlet)
        self._names = {area.code: area.name for area in outlet.gazetteer.districts()}
        self._made: OrderedDict[int, bytes] = OrderedDict()

    def of(self, position: int, event: WarningReleased) -> bytes:
        """The body of the release at this position."""
        made = self._made.get(position)
        if made is None:
            made = self._made[position] = self._make(position, event)
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        return made

    def _make(self, position: int, event: WarningReleased) -> bytes:
        name = self._names.get(event.district, event.district)
        release = PublicRelease(position, event, self._policies.at(position), name)
        document = release.document()
        if event.mode is not Mode.LIVE:
            del document["links"]  # the public API has no drills
        return body_of(RELEASED, event.at, {"position": position, "mode": event.mode.value, **document})


def body_of(kind: str, at: datetime, data: Mapping[str, object]) -> bytes:
    """A request's body: what it is, when that happened, and its data."""
    return encode({"type": kind, "timestamp": at.isoformat(), "data": Raw(encode(data))})


def signed_headers(webhook: Webhook, identifier: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of a request as Standard Webhooks describes them, with a signature for each valid secret."""
    timestamp = str(int(now.timestamp()))
    signatures = (
        base64.b64encode(signature_of(secret, identifier, timestamp, body)).decode()
        for secret in webhook.signing_secrets(now)
    )
    return {
        "content-type": "application/json",
        ID: identifier,
        TIMESTAMP: timestamp,
        SIGNATURE: " ".join(f"v1,{signature}" for signature in signatures),
    }


class WebhookTarget:
    """One webhook, as it is registered now."""

    def __init__(self, webhook: Webhook, outlet: Outlet, documents: Documents, client: OutboundClient) -> None:
        """`client` is shared by all webhooks and closed by whoever made it."""
        self.webhook = webhook
        self._outlet = outlet
        self._documents = documents
        self._client = client

    @property
    def id(self) -> str:
        """The webhook's."""
        return self.webhook.id

    def wants(self, release: WarningReleased) -> bool:
        """Whether the filter asks for it; drills go to webhooks for drills and nowhere else, and nothing else there."""
        return release.mode is self.webhook.mode and self.webhook.wanted.wants_release(release)

    async def hand_over(self, parcel: Parcel) -> Outcome:
        """Send it, signed anew at each try."""
        body = self._documents.of(parcel.position, parcel.release)
        now = self._outlet.clock.now()
        headers = signed_headers(self.webhook, parcel.key, now, body)
        try:
            answer = await self._client.request(
                "POST", self.webhook.url, headers=headers, body=body, timeout_seconds=TIMEOUT_SECONDS
            )
        except OutboundError as error:
            return TryAgain(str(error))
        return outcome_of(answer.status, answer.headers.get("retry-after", ""), now)


def outcome_of(status: int, retry_after: str, now: datetime) -> Outcome:
    """What an answer means."""
    if status in _OK:
        return Delivered()
    if status == _GONE:
        return Gone("the receiver answered 410: it is gone")
    if status in _BUSY:
        asked = min(retry_after_seconds(retry_after, now), LONGEST_OBEYED_SECONDS)
        return TryAgain(f"the receiver answered {status}", asked)
    if status in _REDIRECTS:
        return TryAgain(f"the receiver answered {status}: redirects are not followed")
    return TryAgain(f"the receiver answered {status}")
