"""How a mail route is described in `connections.toml`, and everything that can be wrong with such a description.

Paths are relative to the data directory; nothing is opened here.
"""

import re
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from adapters.channels.mail_addresses import NotAnAddressError, mailbox
from domain.messages import Mode
from domain.values import Language, Value

TOKEN_PLACE: Final = "{token}"  # noqa: S105 -- a place in a template, not a secret
_LINK: Final = re.compile(r"[!-~]{1,400}")


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


_PORTS: Final = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


def _is_an_ascii_address(text: str) -> str:
    try:
        found = mailbox(text)
    except NotAnAddressError as error:
        raise ValueError(f"{text!r} is not a mail address") from error
    if found.needs_utf8:
        raise ValueError(f"{text!r}: a sender's address is ASCII, or not every server takes it")
    return found.address


def _holds_one_token(url: str) -> str:
    if url.count(TOKEN_PLACE) != 1:
        raise ValueError(f"the address has {TOKEN_PLACE} once, where the recipient's token stands")
    parts = urlsplit(url)
    if not _LINK.fullmatch(url) or set(url) & set('<>"') or not parts.hostname:
        raise ValueError(f"{url!r} is not an address of printable ASCII with a host")
    if not mail_programs_unsubscribe_at(url):
        raise ValueError("mail programs unsubscribe over https only (RFC 8058)")
    return url


def mail_programs_unsubscribe_at(url: str) -> bool:
    """Whether a mail program would send its request there: over https, or to this machine for a trial."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def is_loopback(host: str) -> bool:
    """Whether this host is this machine, by its name alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


OwnAddress = Annotated[str, AfterValidator(_is_an_ascii_address)]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
DomainName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class MailDefinition(Value):
    """One `[[channels]]` entry of kind `mail`: a route to people's mailboxes through one SMTP server."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    kind: Literal["mail"] = "mail"
    mode: Mode = Mode.LIVE
    host: HostName
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    security: Security = Security.STARTTLS
    plain_smtp: bool = False
    ca_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    hostname: DomainName | None = None
    sender: OwnAddress
    sender_names: dict[Language, PersonName] = Field(default_factory=dict)
    envelope_sender: OwnAddress | None = None
    reply_to: OwnAddress | None = None
    unsubscribe_url: Annotated[str, AfterValidator(_holds_one_token)] | None = None
    unsubscribe_key_file: Path | None = None
    templates: Path | None = None
    connections: Annotated[int, Field(ge=1, le=8)] = 4
    pipelining: bool = True
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    keep_alive_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        is_open = self.security is Security.NONE and not is_loopback(self.host)
        if is_open and not self.plain_smtp:
            raise ValueError("mail goes unprotected to this machine only; otherwise set plain_smtp = true as well")
        if is_open and self.username:
            raise ValueError("a password is never sent unprotected; use security starttls or tls")
        if self.security is Security.NONE and self.ca_file is not None:
            raise ValueError("ca_file is for starttls and tls")
        if bool(self.username) != (self.password_file is not None):
            raise ValueError("username and password_file are given together")
        if (self.unsubscribe_url is None) != (self.unsubscribe_key_file is None):
            raise ValueError("unsubscribe_url and unsubscribe_key_file are given together")
        return self

    @property
    def server_port(self) -> int:
        """The port given, else the usual one for the protection."""
        return self.port or _PORTS[self.security]
