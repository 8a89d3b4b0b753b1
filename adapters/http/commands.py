"""`outlet agency add | key | list | disable`: the credentials with which agencies send over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from adapters.cli.common import (
    REFUSED,
    USAGE,
    JsonOption,
    errors_as_sentences,
    fail,
    globals_of,
    print_json,
    reading_of,
)
from adapters.cli.looks import print_table, say
from adapters.clocks import SystemClock
from adapters.http.keys import FILE_NAME, AgencyKeys, Credential, CredentialKind, Issued
from adapters.policies import load
from adapters.settings import DEFAULT_POLICY
from adapters.wiring import has_outlet

commands = typer.Typer(no_args_is_help=True, help="Give agencies keys to send with, list and disable them.")

AgencyArgument = Annotated[str, typer.Argument(metavar="AGENCY", help="The agency's id in the policy.")]
DaysOption = Annotated[int | None, typer.Option("--days", min=1, help="Valid for so many days; else until disabled.")]
LabelOption = Annotated[str, typer.Option("--label", help="What it is for, such as the system that sends.")]


@contextmanager
def keys_of(context: typer.Context) -> Iterator[AgencyKeys]:
    """The keys of the data directory."""
    settings = globals_of(context).settings()
    with errors_as_sentences(), AgencyKeys(settings.data_dir / FILE_NAME) as keys:
        yield keys


def credential_document(credential: Credential, now: datetime) -> dict[str, Any]:
    """A credential as JSON; never its secret."""
    return {
        "id": credential.id,
        "agency": credential.agency,
        "kind": credential.kind.value,
        "state": credential.state(now).value,
        "label": credential.label,
        "created": credential.created.isoformat(),
        "expires": credential.expires.isoformat() if credential.expires else None,
        "disabled": credential.disabled.isoformat() if credential.disabled else None,
        "sha256": credential.held.hex() if credential.kind is CredentialKind.CERTIFICATE else None,
    }


@commands.command()
def add(
    context: typer.Context,
    agency: AgencyArgument,
    *,
    signed: Annotated[bool, typer.Option("--signed", help="Require signed requests, and make a secret.")] = False,
    days: DaysOption = None,
    label: LabelOption = "",
    json: JsonOption = False,
) -> None:
    """Let an agency of the policy send over HTTP: make its first key. The key is shown once."""
    _must_be_in_the_policy(context, agency)
    now = SystemClock().now()
    with keys_of(context) as keys:
        if any(one.kind is CredentialKind.KEY for one in keys.credentials(agency)):
            fail(f"{agency} has keys already; `outlet agency key {agency}` makes another", REFUSED)
        issued = [keys.add_key(agency, now, label=label, expires=_expiry(now, days))]
        if signed:
            issued.append(keys.add_signing_secret(agency, now, label=label, expires=_expiry(now, days)))
    _show(issued, now, json=json)


@commands.command()
def key(
    context: typer.Context,
    agency: AgencyArgument,
    *,
    secret: Annotated[bool, typer.Option("--secret", help="A signing secret instead of a key.")] = False,
    certificate: Annotated[
        str | None, typer.Option("--certificate", metavar="SHA256", help="Pin a client certificate instead.")
    ] = None,
    days: DaysOption = None,
    label: LabelOption = "",
    json: JsonOption = False,
) -> None:
    """Make one more credential; the ones before stay valid until they expire or are disabled."""
    if secret and certificate is not None:
        fail("--secret and --certificate are two credentials: one at a time", USAGE)
    _must_be_in_the_policy(context, agency)
    now = SystemClock().now()
    with keys_of(context) as keys:
        if certificate is not None:
            try:
                issued = keys.add_certificate(agency, certificate, now, label=label)
            except ValueError as error:
                fail(str(error), USAGE)
        elif secret:
            issued = keys.add_signing_secret(agency, now, label=label, expires=_expiry(now, days))
        else:
            issued = keys.add_key(agency, now, label=label, expires=_expiry(now, days))
    _show([issued], now, json=json)


@commands.command("list")
def list_credentials(
    context: typer.Context,
    agency: Annotated[str | None, typer.Argument(metavar="[AGENCY]", help="One agency's alone.")] = None,
    *,
    json: JsonOption = False,
) -> None:
    """List all credentials, without their secrets."""
    now = SystemClock().now()
    with keys_of(context) as keys:
        documents = [credential_document(one, now) for one in keys.credentials(agency)]
    if json:
        print_json({"at": now.isoformat(), "credentials": documents})
        return
    columns = ("agency", "id", "kind", "state", "label", "created", "expires", "disabled")
    print_table(columns, [tuple(str(one[column] or "") for column in columns) for one in documents])


@commands.command()
def disable(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="ID|AGENCY", help="A credential's id; with --all, an agency.")],
    *,
    every: Annotated[bool, typer.Option("--all", help="Every key of this agency.")] = False,
    json: JsonOption = False,
) -> None:
    """Disable a credential, at once and for good; running servers follow with their next request."""
    now = SystemClock().now()
    with keys_of(context) as keys:
        disabled = keys.disable_all(identifier, now) if every else [keys.disable(identifier, now)]
    if json:
        print_json({"disabled": [credential_document(one, now) for one in disabled]})
        return
    for one in disabled:
        say(f"{one.kind.value} {one.id} of {one.agency} is disabled")
    if not disabled:
        fail(f"{identifier} has no key that is not disabled", REFUSED)


def _must_be_in_the_policy(context: typer.Context, agency: str) -> None:
    settings = globals_of(context).settings()
    if settings.policy is None and has_outlet(settings):
        with reading_of(context) as read:
            policy = read.policy
    else:  # keys may be made before the outlet first runs
        with errors_as_sentences():
            policy, _ = load(settings.policy or DEFAULT_POLICY)
    known = [one.id for one in policy.agencies]
    if agency not in known:
        fail(f"the policy knows no agency {agency!r}; it has {', '.join(known)}", USAGE)


def _expiry(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _show(issued: list[Issued], now: datetime, *, json: bool) -> None:
    if json:
        print_json({"issued": [{**credential_document(one.credential, now), "secret": one.secret} for one in issued]})
        return
    for one in issued:
        say(f"{one.credential.kind.value} {one.credential.id} of {one.credential.agency}; shown once, keep it safe:")
        typer.echo(one.secret)
