"""Webhooks beside the stages: one courier for all of them, and the end of one on record."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.connections import OutboundDefinition
from adapters.net.client import OutboundClient, Reach
from adapters.push.courier import Courier
from adapters.push.pace import Pace
from adapters.push.state import FILE_NAME as STATE_NAME
from adapters.push.state import PushState
from adapters.push.target import Parcel, Target
from adapters.webhooks.store import FILE_NAME, Webhook, Webhooks
from adapters.webhooks.target import MOST_ANSWER_BYTES, Documents, WebhookTarget
from adapters.wiring import Platform
from domain.edge_events import WebhookDisabled

log = logging.getLogger(__name__)

STREAMS: Final = uuid5(NAMESPACE_URL, "urn:single-outlet:webhooks")


def stream_of(webhook: str) -> UUID:
    """The stream in which is recorded what became of a webhook."""
    return uuid5(STREAMS, webhook)


def reach_of(outbound: OutboundDefinition) -> Reach:
    """Any host, but public addresses over https alone, unless the outlet's own networks are named."""
    return Reach(networks=tuple(outbound.networks), plain_http=outbound.plain_http)


def client_for(outbound: OutboundDefinition) -> OutboundClient:
    """A client for requests to webhooks."""
    return OutboundClient(reach_of(outbound), most_answer_bytes=MOST_ANSWER_BYTES)


class Registered:
    """The enabled webhooks as targets, made anew only when the file has changed."""

    def __init__(self, platform: Platform, webhooks: Webhooks, client: OutboundClient) -> None:
        """Nothing is read yet."""
        self._platform = platform
        self._webhooks = webhooks
        self._client = client
        self._documents = Documents(platform)
        self._seen: Mapping[str, Webhook] | None = None
        self._targets: dict[str, Target] = {}

    def __call__(self) -> Mapping[str, Target]:
        """Those that are served now."""
        found = self._webhooks.all()
        if found is not self._seen:
            self._targets = {
                one.id: WebhookTarget(one, self._platform, self._documents, self._client)
                for one in found.values()
                if one.disabled is None
            }
            self._seen = found
        return self._targets


class Ended:
    """Disables a webhook, with an event that says why."""

    def __init__(self, platform: Platform, webhooks: Webhooks, state: PushState) -> None:
        """Record with this platform's runner."""
        self._platform = platform
        self._webhooks = webhooks
        self._state = state

    def failing_too_long(self, target: Target, parcel: Parcel, reason: str) -> None:
        """The patience has ended."""
        self._end(target.id, parcel.position, f"not delivered for too long: {reason}")

    def given_up(self, target: Target, parcel: Parcel, reason: str) -> None:
        """Never happens: a webhook gives no release up."""
        log.error("webhook %s gave up the release at %d: %s", target.id, parcel.position, reason)

    def gone(self, target: Target, reason: str) -> None:
        """The receiver answered 410."""
        found = self._state.of(target.id)
        self._end(target.id, found.position if found else 0, reason)

    def _end(self, identifier: str, position: int, reason: str) -> None:
        now = self._platform.clock.now()
        webhook = self._webhooks.disable(identifier, now, reason)
        found = self._state.of(identifier)
        self._platform.runner.record(
            stream_of(identifier),
            WebhookDisabled(
                at=now,
                webhook=identifier,
                host=webhook.host,
                position=position,
                reason=reason,
                failing_since=found.failing_since if found else None,
            ),
        )
        log.warning("webhook %s to %s is disabled: %s", identifier, webhook.host, reason)


@contextmanager
def webhooks(platform: Platform, outbound: OutboundDefinition, *, pace: Pace | None = None) -> Iterator[None]:
    """Serve them while this is entered."""
    folder = platform.settings.data_dir
    with Webhooks(folder / FILE_NAME) as registered, PushState(folder / STATE_NAME) as state:
        client = client_for(outbound)
        targets = Registered(platform, registered, client)
        ended = Ended(platform, registered, state)
        with Courier(platform.log, platform.clock, state, targets, ended, pace=pace, close=client.close):
            yield
