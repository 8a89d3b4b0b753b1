"""The routes by which people are reached and answer: subscriptions, call-ups, gateways, and who would be told."""

from collections.abc import Sequence

from fastapi import APIRouter

from adapters.channels.mail_opening import MailSetupError, unsubscribe_keys
from adapters.connections import Connections, ConnectionsError
from adapters.http.audience import audience_router
from adapters.http.callup import call_up_router
from adapters.http.gateways import gateways_router
from adapters.http.keys import AgencyKeys
from adapters.http.settings import HttpSettings
from adapters.http.subscriptions import subscriptions_router
from adapters.sending.routes import callback_receivers
from adapters.services import People
from adapters.wiring import Platform


def people_routers(
    platform: Platform, connections: Connections, told: People, keys: AgencyKeys, limits: HttpSettings
) -> Sequence[APIRouter]:
    """Routers for `create_app`; gateways have one only where a route is called back.

    Raises:
        ConnectionsError: a file that a mail route names cannot be used.
    """
    try:
        leaving = unsubscribe_keys(connections.channels, platform.settings.data_dir)
    except MailSetupError as error:
        raise ConnectionsError([f"channels: {error}"]) from error
    called = callback_receivers(told.routes)
    return (
        subscriptions_router(told.desk, unsubscribe_keys=leaving),
        audience_router(platform, keys, limits),
        call_up_router(platform, told.links),
        *([gateways_router(called)] if called else []),
    )
