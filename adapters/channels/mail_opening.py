"""From a route's description to the route: the files it names are read here, and nothing is connected."""

import ssl
from pathlib import Path

from adapters.channels.definition_mail import MailDefinition, Security
from adapters.channels.mail import MailChannel
from adapters.channels.mail_connecting import Connector
from adapters.channels.mail_html import HtmlWriter
from adapters.channels.mail_message import MessageWriter
from adapters.channels.mail_unsubscribing import KEY_BYTES


class MailSetupError(Exception):
    """A file that the description names cannot be used."""


def mail_channel(definition: MailDefinition, data_dir: Path) -> MailChannel:
    """The channel that is described.

    Raises:
        MailSetupError: saying which file and why.
    """
    sender_domain = definition.sender.rpartition("@")[2]
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
        unsubscribe_url=definition.unsubscribe_url or "",
        unsubscribe_key=unsubscribe_key(definition, data_dir),
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
