"""From a route's description to the route: the files it names are read here, and nothing is connected."""

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from adapters.channels.definition_mail import TOKEN_PLACE, MailDefinition, Security, mail_programs_unsubscribe_at
from adapters.channels.definitions import ChannelDefinition
from adapters.channels.mail import MailChannel
from adapters.channels.mail_connecting import Connector
from adapters.channels.mail_html import HtmlWriter
from adapters.channels.mail_message import MessageWriter
from adapters.channels.mail_unsubscribing import KEY_BYTES
from adapters.links import KEY_NAME
from adapters.store.small_files import secret_in

OWN_PATH: Final = "/u/"
"""Where this outlet's own server takes one-click requests; the token stands behind it."""


class MailSetupError(Exception):
    """A file that the description names cannot be used."""


def mail_channel(definition: MailDefinition, data_dir: Path, *, public_url: str = "") -> MailChannel:
    """The channel that is described. `public_url` is where the public finds this outlet's server, if it does.

    Raises:
        MailSetupError: saying which file and why.
    """
    sender_domain = definition.sender.rpartition("@")[2]
    unsubscribe_url, key = _unsubscribing(definition, data_dir, public_url)
    connector = Connector(
        host=definition.host,
        port=definition.server_port,
        security=definition.security,
        tls=_tls(definition, data_dir),
        timeout_seconds=definition.timeout_seconds,
        username=definition.username,
        password=_secret(data_dir, definition.password_file).decode(),
        hostname=definition.hostname or "",
        pipelining=definition.pipelining,
    )
    writer = MessageWriter(
        HtmlWriter(_folder(data_dir, definition.templates)),
        sender=definition.sender,
        sender_names=definition.sender_names,
        id_domain=sender_domain,
        reply_to=definition.reply_to or "",
        unsubscribe_url=unsubscribe_url,
        unsubscribe_key=key,
    )
    return MailChannel(
        definition.id,
        connector,
        writer,
        sender=definition.envelope_sender or definition.sender,
        mode=definition.mode,
        connections=definition.connections,
        keep_alive_seconds=definition.keep_alive_seconds,
    )


def _unsubscribing(definition: MailDefinition, data_dir: Path, public_url: str) -> tuple[str, bytes]:
    """Where mail programs unsubscribe, and the key of the tokens: the route's own, else this outlet's server.

    Raises:
        MailSetupError: the key's file cannot be used.
    """
    if definition.unsubscribe_url is not None or not mail_programs_unsubscribe_at(public_url):
        return definition.unsubscribe_url or "", unsubscribe_key(definition, data_dir)
    return f"{public_url.rstrip('/')}{OWN_PATH}{TOKEN_PLACE}", own_unsubscribe_key(data_dir)


def own_unsubscribe_key(data_dir: Path) -> bytes:
    """The key of the tokens that this outlet's own server takes; made on first use.

    Raises:
        MailSetupError: its file cannot be made, or does not hold a key.
    """
    try:
        return secret_in(data_dir / KEY_NAME, KEY_BYTES)
    except (OSError, ValueError) as error:
        raise MailSetupError(f"{KEY_NAME}: {error}") from error


def unsubscribe_keys(definitions: Iterable[ChannelDefinition], data_dir: Path) -> tuple[bytes, ...]:
    """Every key that a token in a mail of this outlet may have been made with: its own, and those of its routes.

    Raises:
        MailSetupError: a file cannot be used.
    """
    routes = [one for one in definitions if isinstance(one, MailDefinition)]
    found = [unsubscribe_key(one, data_dir) for one in routes]
    return tuple(dict.fromkeys([own_unsubscribe_key(data_dir), *(key for key in found if key)]))


def unsubscribe_key(definition: MailDefinition, data_dir: Path) -> bytes:
    """The key of the unsubscribe tokens; empty where the route has none.

    Raises:
        MailSetupError: its file cannot be read, or is too short to be secret.
    """
    key = _secret(data_dir, definition.unsubscribe_key_file)
    if definition.unsubscribe_key_file is not None and len(key) < KEY_BYTES:
        raise MailSetupError(f"{definition.unsubscribe_key_file}: a key has at least {KEY_BYTES} bytes")
    return key


def _secret(data_dir: Path, path: Path | None) -> bytes:
    """The first line of a file; empty where none is named."""
    if path is None:
        return b""
    try:
        content = (data_dir / path).read_bytes().split(b"\n", 1)[0].strip()
        content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise MailSetupError(f"{path}: {error}") from error
    if not content:
        raise MailSetupError(f"{path}: the file's first line is empty")
    return content


def _folder(data_dir: Path, path: Path | None) -> Path | None:
    if path is None:
        return None
    if not (data_dir / path).is_dir():
        raise MailSetupError(f"{path}: not a folder")
    return data_dir / path


def _tls(definition: MailDefinition, data_dir: Path) -> ssl.SSLContext | None:
    if definition.security is Security.NONE:
        return None
    try:
        return ssl.create_default_context(cafile=data_dir / definition.ca_file if definition.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise MailSetupError(f"{definition.ca_file}: {error}") from error
