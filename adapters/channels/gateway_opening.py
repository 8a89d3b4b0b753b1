"""From a route's description to its channel: profile and secrets are read, and all is held against each other."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from adapters.channels.gateway import GatewayChannel, Parts
from adapters.channels.gateway_definition import GatewayDefinition
from adapters.channels.gateway_handing import client_to, secret_line, tls_with
from adapters.channels.gateway_inbox import ReportInbox
from adapters.channels.gateway_places import PlaceError, check_places, places_in
from adapters.channels.gateway_profile import PARAMETER_PLACES, GatewayProfile, Scheme
from adapters.channels.gateway_profiles import GatewaySetupError, gateway_profile
from adapters.channels.gateway_signing import Key
from adapters.channels.gateway_writing import GatewayWriter
from adapters.clocks import SystemClock
from adapters.net.client import Reach
from domain.ports import Clock

T = TypeVar("T")

MOST_ANSWER_BYTES: Final = 1024 * 1024
SHORTEST_SECRET: Final = 16
"""Of a callback's secret: whoever guesses it could report what they like."""


def gateway_channel(
    definition: GatewayDefinition, data_dir: Path, reach: Reach, *, clock: Clock | None = None
) -> GatewayChannel:
    """The described route; of `reach` the networks are used, for the host is the definition's.

    Raises:
        GatewaySetupError: with everything that is wrong.
    """
    profile = gateway_profile(definition.profile, data_dir)
    problems = _problems(definition, profile)
    secret = _collected(problems, lambda: secret_line(data_dir, "secret_file", definition.secret_file), b"")
    called_by = definition.callback_secret_file
    called = _collected(problems, lambda: secret_line(data_dir, "callback_secret_file", called_by), b"")
    tls = _collected(problems, lambda: tls_with(data_dir, definition.ca_file), None)
    if called and len(called) < SHORTEST_SECRET:
        problems.append(f"callback_secret_file: a secret has at least {SHORTEST_SECRET} characters")
    if problems:
        raise GatewaySetupError(problems)
    client = client_to(
        definition.url,
        reach,
        connect_seconds=definition.connect_seconds,
        most_answer_bytes=MOST_ANSWER_BYTES,
        tls=tls,
    )
    return GatewayChannel(
        Parts(
            definition=definition,
            profile=profile,
            writer=GatewayWriter(definition, profile, Key(definition.key_id, secret)),
            client=client,
            inbox=ReportInbox(data_dir / f"gateway-{definition.id}.sqlite", most_waiting=definition.most_waiting),
            clock=clock or SystemClock(),
            callback_secret=called,
        )
    )


def _problems(definition: GatewayDefinition, profile: GatewayProfile) -> list[str]:
    """Everything in which the route and its profile do not fit each other."""
    problems: list[str] = []
    own = frozenset(profile.settings)
    missing, unknown = sorted(own - definition.settings.keys()), sorted(definition.settings.keys() - own)
    problems += [f"settings: {name} is needed by the profile {profile.name}" for name in missing]
    problems += [f"settings: the profile {profile.name} has no place {{{name}}}" for name in unknown]
    for name, text in (definition.template_params or {}).items():
        try:
            check_places(text, PARAMETER_PLACES | own)
        except PlaceError as error:
            problems.append(f"template_params.{name}: {error}")
    scheme = profile.signing.scheme
    if scheme is not Scheme.NONE and definition.secret_file is None:
        problems.append(f"secret_file is needed: requests are signed by {scheme.value}")
    if scheme in {Scheme.ALIYUN_HMAC_SHA1, Scheme.ALIYUN_ACS3} and not definition.key_id:
        problems.append(f"key_id is needed: requests are signed by {scheme.value}")
    if profile.callback is not None and definition.callback_secret_file is None:
        problems.append("callback_secret_file is needed: the gateway calls back, and must prove who it is")
    return problems + _unused(definition, profile)


def _unused(definition: GatewayDefinition, profile: GatewayProfile) -> list[str]:
    """What the route leaves open that its requests speak of."""
    request = profile.request
    texts = (request.path, *request.query.values(), *request.headers.values())
    places = places_in(dict(request.fields)).union(*(places_in(text) for text in texts))
    problems: list[str] = []
    if "template_code" in places and not definition.template_code:
        problems.append("template_code is needed: the gateway sends templates")
    text = definition.text or profile.text
    params = profile.template_params if definition.template_params is None else definition.template_params
    used = frozenset[str]().union(places, *(places_in(value) for value in params.values()))
    unsaid = [f"text_{n}" for n in range(1, text.pieces + 1) if text.pieces > 1 and f"text_{n}" not in used]
    if unsaid and "text" not in used:
        problems.append(f"template_params: the pieces {', '.join(unsaid)} of the text stand nowhere")
    if not used & {"text", "subject", "body", "short", "text_1"}:
        problems.append("neither the request nor the template's parameters hold anything of the text")
    return problems


def _collected(problems: list[str], read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except GatewaySetupError as error:
        problems += error.problems
        return otherwise
